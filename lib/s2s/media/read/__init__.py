"""From media files to arrays."""
