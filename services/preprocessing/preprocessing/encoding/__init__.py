"""Clips encoded in one pass, and compared with their source."""
