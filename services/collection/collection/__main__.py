"""`python -m collection RECIPE`."""

from collection.cli import app

app()
