"""The networks, and no training in them."""
