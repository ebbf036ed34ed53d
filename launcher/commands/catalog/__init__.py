"""`./s2s catalog FILE`: what a catalog holds, and which of its rows are no clip."""

from launcher.commands.catalog.command import catalog

__all__ = ["catalog"]
