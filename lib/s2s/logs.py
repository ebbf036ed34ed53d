"""Logging, the one console that everything prints on, and how numbers of things are told."""

import logging
import os

from rich.console import Console
from rich.logging import RichHandler

__all__ = ["console", "counted", "plural", "set_up_logging"]

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


def counted(number: int, one: str, several: str | None = None) -> str:
    """A number of things, such as `1 clip` or `2,000 clips`.

    Args:
        number: of them.
        one: what one of them is called.
        several: what several are; as one is, with an `s`, if None.
    """
    return f"{number:,} {plural(number, one, several)}"


def plural(number: int, one: str, several: str | None = None) -> str:
    """What so many things are called; see `counted`."""
    return one if number == 1 else several or f"{one}s"
