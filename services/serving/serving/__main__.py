"""`python -m serving RECIPE` runs the stage, `python -m serving serve RECIPE` the server."""

from serving.cli import app

if __name__ == "__main__":
    app()
