"""Cutting without encoding, or with as little of it as exactness allows."""
