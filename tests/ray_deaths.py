"""Functions of the stages that, on one node of a cluster, end that node: once, in mid-run."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from collection.source import DownloadSource
from feature_extraction.shard import ShardMaker
from preprocessing.stage import PassTask
from s2s.settings import Settings
from validation.checks.clip_checks import CheckTask

_LONGEST_S = 300.0
_calls = 0


def doom(settings: Settings, raylet: int) -> None:
    """Say which node is to end.

    Args:
        settings: of the run that it ends in.
        raylet: the node's process.
    """
    settings.work_dir.mkdir(parents=True, exist_ok=True)
    _doomed(settings).write_text(str(raylet))


def has_ended(settings: Settings) -> bool:
    """Whether the node has been ended."""
    return _mark(settings).exists()


def _doomed(settings: Settings) -> Path:
    return settings.work_dir / "doomed"


def _mark(settings: Settings) -> Path:
    return settings.work_dir / "ended"


def _end_node_once(settings: Settings) -> None:
    """End this worker's node when it has stored its second item, and not yet told of it.

    Workers of other nodes wait for that with all but their first item.
    """
    global _calls  # noqa: PLW0603 - of this worker's process
    _calls += 1
    raylet = int(_doomed(settings).read_text())
    if os.getppid() != raylet:
        until_s = time.monotonic() + _LONGEST_S
        while not has_ended(settings):
            assert time.monotonic() < until_s, "the other node was given nothing"
            time.sleep(0.05)
    elif _calls == 2:
        _mark(settings).touch()
        os.kill(raylet, signal.SIGKILL)
        time.sleep(_LONGEST_S)  # this process ends with its node


class EndsItsNode:
    """What every stage's function is given besides."""

    settings: Settings

    def __call__(self, item: Any) -> Any:
        done = super().__call__(item)  # type: ignore[misc]
        _end_node_once(self.settings)
        return done


class DeadlyDownload(EndsItsNode, DownloadSource):
    """Collection's."""


class DeadlyPass(EndsItsNode, PassTask):
    """Preprocessing's."""


class DeadlyCheck(EndsItsNode, CheckTask):
    """Validation's."""


class DeadlyShard(EndsItsNode, ShardMaker):
    """Feature extraction's."""
