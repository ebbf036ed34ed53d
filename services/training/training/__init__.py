"""Training: from shards of features to a model directory with its figures."""
