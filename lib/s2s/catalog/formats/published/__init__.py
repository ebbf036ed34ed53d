"""Catalogs as data sets publish them, each in a form of its own."""
