"""Which clips are alike."""
