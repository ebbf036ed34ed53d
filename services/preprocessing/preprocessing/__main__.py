"""`python -m preprocessing RECIPE`."""

from preprocessing.cli import app

app()
