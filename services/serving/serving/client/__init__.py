"""The API's client, for programs; `python -m serving.client FILE` is the command."""

from serving.client.api import Answer, ApiError, generate, open_client, send_file

__all__ = ["Answer", "ApiError", "generate", "open_client", "send_file"]
