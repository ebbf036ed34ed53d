"""A trained model loaded for use: pictures in, sound out."""
