"""One thread that owns a model and works on what several requests ask at once."""

import asyncio
import gc
import logging
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Batcher", "BatcherClosedError", "QueueFullError"]

log = logging.getLogger(__name__)

_SWITCH_S = 0.0002


class _Model(Protocol):
    def predict(self, batch: Sequence[Any], /) -> Sequence[Any]: ...


class QueueFullError(Exception):
    """The queue of inputs is full."""


class BatcherClosedError(Exception):
    """The thread has ended."""


@dataclass(frozen=True)
class _Item:
    value: Any
    answer: asyncio.Future[Any]


class Batcher:
    """Loads a model in a thread of its own, and runs it there on batches.

    Always the same thread: settings of torch's threads hold only in the thread that made them.
    Loading starts at once. A batch is whatever waits when the model becomes free: an input does not
    wait for others, and inputs that arrive while the model works form the next batch.

    Args:
        load: makes the model.
        max_batch: inputs in a batch.
        max_waiting: inputs that may wait.
        on_batch: called with the size of every batch, in the thread.

    Attributes:
        loaded: the model, or why it could not be loaded.
    """

    def __init__(
        self,
        load: Callable[[], _Model],
        max_batch: int = 8,
        max_waiting: int = 256,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.loaded: Future[Any] = Future()
        self._load = load
        self._max_batch = max_batch
        self._on_batch = on_batch
        self._waiting: queue.Queue[_Item | None] = queue.Queue(max_waiting)
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        return self.loaded.done() and self.loaded.exception() is None

    @property
    def failure(self) -> BaseException | None:
        """Why the model could not be loaded; None as long as that is not known."""
        return self.loaded.exception() if self.loaded.done() else None

    async def predict(self, value: Any) -> Any:
        """Run the model on one input, together with others that are there.

        Raises:
            QueueFullError: if too many inputs wait.
            BatcherClosedError: after `close`.
        """
        if self._is_closed:
            raise BatcherClosedError
        answer = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait(_Item(value, answer))
        except queue.Full as error:
            raise QueueFullError from error
        return await answer

    def close(self) -> None:
        """Finish what waits, and end the thread."""
        if not self._is_closed:
            self._is_closed = True
            self._waiting.put(None)
        self._thread.join()
        gc.unfreeze()

    def _run(self) -> None:
        try:
            model = self._load()
        except BaseException as error:  # noqa: BLE001 - raised where the model is asked for
            self.loaded.set_exception(error)
            return
        _make_room()
        self.loaded.set_result(model)
        while batch := self._next_batch():
            self._on_batch(len(batch))
            _answer(batch, _outcomes(model, [item.value for item in batch]))

    def _next_batch(self) -> list[_Item]:
        """Inputs to work on; none at the end."""
        first = self._waiting.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < self._max_batch:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._waiting.put(None)
                break
            batch.append(item)
        return batch


def _make_room() -> None:
    """Let this thread and the event loop share the interpreter without long waits."""
    # Python hands the interpreter over after 5 ms, and every operation of a model asks for it.
    sys.setswitchinterval(_SWITCH_S)
    # What is loaded stays: each full collection looked through all of it, for 80 ms.
    gc.collect()
    gc.freeze()


def _outcomes(model: _Model, values: list[Any]) -> list[Any]:
    """What the model makes of each value, or the exception that it ends with."""
    try:
        outputs = list(model.predict(values))
        if len(outputs) != len(values):
            raise RuntimeError(f"{len(outputs)} outputs for a batch of {len(values)}")
    except Exception as error:  # noqa: BLE001 - raised in the requests
        if len(values) == 1:
            return [error]
        log.warning("a batch of %d failed (%s): trying each alone", len(values), error)
        return [outcome for value in values for outcome in _outcomes(model, [value])]
    return outputs


def _answer(batch: list[_Item], outcomes: list[Any]) -> None:
    """Set the results of a batch, with one wake-up of each event loop."""
    loops = {item.answer.get_loop() for item in batch}
    for loop in loops:
        mine = [
            (item.answer, outcome)
            for item, outcome in zip(batch, outcomes, strict=True)
            if item.answer.get_loop() is loop
        ]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, mine)


def _settle(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for answer, outcome in answers:
        if answer.done():  # the request was cancelled
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
