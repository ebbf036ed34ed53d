"""Callbacks of a training: averaged weights, checkpoints, learning curve, progress, trackers."""
