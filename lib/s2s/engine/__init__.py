"""Engines map a function over items, with processes or threads on this machine, or with Ray."""

from s2s.engine.contract import Engine, Room, WorkerDiedError
from s2s.engine.making import check_engine, make_engine

__all__ = ["Engine", "Room", "WorkerDiedError", "check_engine", "make_engine"]
