"""What is made small in training."""
