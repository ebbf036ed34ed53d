"""What a video shows or sounds like: the class of a clip."""
