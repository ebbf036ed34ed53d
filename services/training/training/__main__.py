"""`python -m training RECIPE`."""

from training.cli import app

app()
