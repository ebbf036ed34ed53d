"""What is kept of clips for training: arrays of any shape and type, many clips' in one file."""
