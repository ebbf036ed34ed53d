"""The model has a thread of its own, and loads there."""

import asyncio
import threading
from pathlib import Path

import pytest

from serving.problems import Problem
from serving.tone import ToneGeneration
from serving.worker import Worker


class Noting:
    """A predictor that notes the thread that it is used in."""

    def __init__(self) -> None:
        self.threads = {threading.current_thread().name}

    def generate(self, video: Path, output: Path, **options: object) -> ToneGeneration:  # noqa: ARG002
        self.threads.add(threading.current_thread().name)
        return ToneGeneration(len(self.threads), {})


def generate(worker: Worker) -> ToneGeneration:
    done = asyncio.run(worker.generate(Path("in"), Path("out"), 0, None, None))
    assert isinstance(done, ToneGeneration)
    return done


def test_loading_and_work_are_done_in_one_other_thread():
    worker = Worker(Noting)
    predictor = worker.loaded.result()
    for _ in range(3):
        generate(worker)
    worker.close()
    assert isinstance(predictor, Noting)
    assert len(predictor.threads) == 1
    assert threading.current_thread().name not in predictor.threads


def test_before_it_is_loaded_nothing_is_queued(gated_model):
    model, gate = gated_model
    worker = Worker(model.load)
    assert not worker.is_ready
    with pytest.raises(Problem) as caught:
        generate(worker)
    assert caught.value.document.status == 503
    gate.set()
    worker.loaded.result()
    assert worker.is_ready
    worker.close()


def test_a_predictor_that_cannot_be_loaded_is_never_ready():
    def load() -> Noting:
        raise ValueError("no model")

    worker = Worker(load)
    assert isinstance(worker.loaded.exception(), ValueError)
    with pytest.raises(Problem):
        generate(worker)
    worker.close()
