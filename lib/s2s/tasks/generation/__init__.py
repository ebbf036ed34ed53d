"""Sound for silent videos and pictures."""
