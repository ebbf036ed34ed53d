"""Feature extraction: from clips of a data set version to shards of arrays."""
