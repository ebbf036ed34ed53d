"""What the server tells about itself: logs, counts, traces."""
