"""From arrays to media files, and from one container to another."""
