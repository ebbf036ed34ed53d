"""Engines map a function over items, with processes or threads on this machine, or with Ray."""

from s2s.engine.base import Engine, WorkerDiedError, make_engine

__all__ = ["Engine", "WorkerDiedError", "make_engine"]
