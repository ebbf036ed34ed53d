"""`python -m serving.client FILE`."""

from serving.client.command import app

if __name__ == "__main__":
    app()
