"""The command ./s2s: it may import every service, nothing imports it."""
