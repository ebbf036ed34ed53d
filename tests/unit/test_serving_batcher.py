"""The model has a thread of its own, loads there, and is given batches."""

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from serving.jobs.batcher import Batcher, BatcherClosedError, QueueFullError


class Noting:
    """A model that notes its batches, and the threads that it is used in."""

    def __init__(self) -> None:
        self.threads = {threading.current_thread().name}
        self.batches: list[list[int]] = []

    def predict(self, batch: Sequence[int]) -> list[int]:
        self.threads.add(threading.current_thread().name)
        self.batches.append(list(batch))
        if 13 in batch:
            raise ValueError("unlucky")
        return [10 * value for value in batch]


class Gated(Noting):
    """Works only when the gate is open."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self.gate = gate

    def predict(self, batch: Sequence[int]) -> list[int]:
        self.gate.wait()
        return super().predict(batch)


async def ask(batcher: Batcher, *values: int) -> list[object]:
    return await asyncio.gather(*map(batcher.predict, values), return_exceptions=True)


def test_loading_and_work_are_done_in_one_other_thread():
    batcher = Batcher(Noting)
    model = batcher.loaded.result()
    for _ in range(3):
        assert asyncio.run(ask(batcher, 1)) == [10]
    batcher.close()
    assert len(model.threads) == 1
    assert threading.current_thread().name not in model.threads


def test_what_waits_at_the_same_time_is_one_batch_and_answers_find_their_way():
    sizes: list[int] = []
    gate = threading.Event()
    batcher = Batcher(lambda: Gated(gate), max_batch=4, on_batch=sizes.append)

    async def crowd() -> list[object]:
        asyncio.get_running_loop().call_later(0.05, gate.set)
        return await ask(batcher, *range(9))

    assert asyncio.run(crowd()) == [10 * value for value in range(9)]
    assert sizes[:2] == [4, 4]
    assert sum(sizes) == 9
    assert max(sizes) == 4
    batcher.close()


def test_one_bad_input_fails_alone():
    gate = threading.Event()
    gate.set()
    batcher = Batcher(lambda: Gated(gate), max_batch=4)
    outcomes = asyncio.run(ask(batcher, 12, 13, 14))
    assert outcomes[0] == 120
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[2] == 140
    batcher.close()


def test_a_wrong_number_of_outputs_is_an_error():
    class Short:
        def predict(self, batch: Sequence[int]) -> list[int]:  # noqa: ARG002
            return []

    batcher = Batcher(Short)
    (outcome,) = asyncio.run(ask(batcher, 1))
    assert isinstance(outcome, RuntimeError)
    batcher.close()


def test_the_queue_is_bounded():
    gate = threading.Event()
    taken = threading.Event()
    batcher = Batcher(
        lambda: Gated(gate), max_batch=1, max_waiting=2, on_batch=lambda _: taken.set()
    )

    async def crowd() -> list[object]:
        first = asyncio.create_task(batcher.predict(0))
        await asyncio.to_thread(taken.wait)
        rest = [asyncio.create_task(batcher.predict(value)) for value in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await batcher.predict(3)
        gate.set()
        return await asyncio.gather(first, *rest)

    assert asyncio.run(crowd()) == [0, 10, 20]
    batcher.close()


def test_closing_finishes_what_waits_and_takes_nothing_more():
    batcher = Batcher(Noting, max_batch=2)

    async def work() -> list[object]:
        asked = [asyncio.create_task(batcher.predict(value)) for value in range(5)]
        await asyncio.sleep(0)
        await asyncio.to_thread(batcher.close)
        with pytest.raises(BatcherClosedError):
            await batcher.predict(6)
        return await asyncio.gather(*asked)

    assert asyncio.run(work()) == [0, 10, 20, 30, 40]


def test_one_who_asked_and_left_disturbs_nobody():
    gate = threading.Event()
    batcher = Batcher(lambda: Gated(gate), max_batch=4)

    async def work() -> object:
        leaving, staying = (asyncio.create_task(batcher.predict(value)) for value in (1, 2))
        await asyncio.sleep(0.02)
        leaving.cancel()
        gate.set()
        return await staying

    assert asyncio.run(work()) == 20
    batcher.close()


def test_a_model_that_cannot_be_loaded_is_never_ready():
    def load() -> Noting:
        raise ValueError("no model")

    batcher = Batcher(load)
    assert isinstance(batcher.loaded.exception(), ValueError)
    assert not batcher.is_ready
    batcher.close()


def test_before_it_is_loaded_it_is_not_ready():
    gate = threading.Event()

    def load() -> Noting:
        gate.wait()
        return Noting()

    batcher = Batcher(load)
    time.sleep(0.01)
    assert not batcher.is_ready
    gate.set()
    batcher.loaded.result()
    assert batcher.is_ready
    batcher.close()
