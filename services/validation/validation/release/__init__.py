"""From usable clips to a data set version."""
