"""What the network sees and learns of a clip: arrays over time."""
