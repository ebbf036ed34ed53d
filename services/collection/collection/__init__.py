"""Collection: from the rows of a catalog to sources in `raw_data/`."""
