"""Engines map a function over items, with processes or threads on this machine, or with Ray."""

from s2s.engine.by_name import check_engine, make_engine
from s2s.engine.contract import Engine, Room, WorkerDiedError

__all__ = ["Engine", "Room", "WorkerDiedError", "check_engine", "make_engine"]
