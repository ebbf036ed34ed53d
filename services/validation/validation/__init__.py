"""Validation: from clips to a data set version: checks, splits, checksums, DVC."""
