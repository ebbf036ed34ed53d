"""`python -m feature_extraction RECIPE`."""

from feature_extraction.cli import app

app()
