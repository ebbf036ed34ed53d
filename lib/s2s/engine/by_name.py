"""Engines by their names."""

import os
from importlib.util import find_spec

from s2s.engine.address import find_cluster
from s2s.engine.contract import Engine
from s2s.engine.processes import ProcessEngine
from s2s.engine.threads import ThreadEngine
from s2s.errors import SettingsError, is_in_image
from s2s.logs import counted

__all__ = ["check_engine", "make_engine"]


def make_engine(
    name: str,
    workers: int | None = None,
    *,
    threads: bool = False,
    sessions: int | None = None,
    gpus: float | None = 0.0,
) -> Engine:
    """Make an engine.

    Args:
        name: "local" or "ray".
        workers: items worked on at a time, at most; None for as many as there are cores, on this
            machine or in the cluster.
        threads: the function waits more than it computes, and never takes much memory, so threads
            of this process will do ("local" only).
        sessions: so many processes, each with `workers` threads; None for one item a process.
        gpus: share of a GPU that each worker has ("ray" only); None for a whole one where the
            cluster has any.

    Raises:
        SettingsError: for an unknown name, for Ray where it is not installed, or for a cluster
            that does not answer.
    """
    if name == "local":
        workers = workers or os.cpu_count() or 1
        if threads and sessions is None:
            return ThreadEngine(workers)
        return ProcessEngine(sessions, threads=workers) if sessions else ProcessEngine(workers)
    if name == "ray":
        _check_ray()
        find_cluster()
        from s2s.engine.ray import RayEngine  # noqa: PLC0415 - optional, slow to import

        if sessions is None:
            return RayEngine(workers, gpus=gpus)
        return RayEngine(sessions, threads=workers or 1, gpus=gpus)
    raise SettingsError(f"engine {name!r}: use local or ray")


def check_engine(name: str, gpus: float | None = 0.0) -> str:
    """Look whether an engine can be made; a cluster is joined only if GPUs are asked for.

    Args:
        name: as `make_engine`.
        gpus: as `make_engine`.

    Returns:
        what it will be, in a few words.

    Raises:
        SettingsError: as `make_engine`.
    """
    if name != "ray":
        return "processes on this machine"
    _check_ray()
    found = find_cluster()
    told = f"{found.url} ({found.origin}) answers" if found else "Ray on this machine alone"
    if not gpus:
        return told
    workers = make_engine(name, gpus=gpus).room.workers
    return f"{told}, and has room for {counted(workers, 'worker')} with {gpus:g} GPU each"


def _check_ray() -> None:
    if find_spec("ray") is not None:
        return
    if is_in_image():
        raise SettingsError(
            "engine ray: Ray is not in this image. Use s2s/preprocessing-ray or "
            "s2s/feature_extraction-ray, which './s2s images build' makes, or choose the engine "
            "local"
        )
    raise SettingsError(
        "engine ray: Ray is not installed here. Install it with 'pip install ray', "
        "or choose the engine local"
    )
