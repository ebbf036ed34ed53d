"""What a clip must be to be of use."""
