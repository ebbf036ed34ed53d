"""Logging and the one console that everything prints on."""

import logging
import os

from rich.console import Console
from rich.logging import RichHandler

__all__ = ["console", "set_up_logging"]

console = Console(stderr=True)


def set_up_logging(level: str | None = None) -> None:
    """Log to stderr through rich.

    Args:
        level: a name such as "INFO"; by default that of S2S_LOG_LEVEL, or "WARNING".
    """
    logging.basicConfig(
        level=(level or os.environ.get("S2S_LOG_LEVEL", "WARNING")).upper(),
        format="%(name)s: %(message)s",
        handlers=[RichHandler(console=console, show_path=False)],
        force=True,
    )
