"""Commands of ./s2s that are no stage, one a file."""
