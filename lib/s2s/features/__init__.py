"""Features of clips: arrays of any shape and type, those of many clips in one file."""
