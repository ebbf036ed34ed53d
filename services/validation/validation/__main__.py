"""`python -m validation RECIPE`."""

from validation.cli import app

if __name__ == "__main__":
    app(prog_name="validation")
