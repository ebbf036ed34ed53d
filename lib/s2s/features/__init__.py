"""What networks see and learn of a clip: arrays over time, all on the grid of the time spec."""
