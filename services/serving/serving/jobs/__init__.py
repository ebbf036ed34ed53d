"""Jobs: kept on disk, done in batches."""
