"""What a model must offer to be served: the seam that tasks plug in at."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel

__all__ = ["Made", "Notes", "Predictor", "ServedModel", "Upload"]

# More often, nobody could see a difference.
_LEAST_PROGRESS, _LEAST_TIME_S = 0.01, 0.1


@dataclass(frozen=True)
class Upload:
    """A file that a client sent, and that passed the guard.

    Attributes:
        path: the file.
        kind: what it is.
        folder: the job's own folder, for whatever the work needs; removed when it is done.
    """

    path: Path
    kind: Literal["video", "picture"]
    folder: Path


class Notes:
    """What a predictor tells about a job while it works on it; may be used in any thread.

    Args:
        seconds: time that earlier steps took.
        on_progress: told how much of the job is done, 0..1.

    Attributes:
        seconds: time that each step took.
        span: which part of the job's progress the present call is.
    """

    def __init__(
        self,
        seconds: Mapping[str, float] | None = None,
        on_progress: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.seconds = dict(seconds or {})
        self.span = (0.0, 1.0)
        self._on_progress = on_progress
        self._told, self._told_at_s = 0.0, 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Note how long a step takes."""
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started

    def tell(self, share: float) -> None:
        """Tell how much of the present call is done, 0..1, as often as one likes."""
        begin, end = self.span
        progress, now_s = round(begin + share * (end - begin), 3), time.monotonic()
        if progress >= self._told + _LEAST_PROGRESS and now_s >= self._told_at_s + _LEAST_TIME_S:
            self._told, self._told_at_s = progress, now_s
            self._on_progress(progress)


@dataclass(frozen=True)
class Made:
    """A job's result.

    Attributes:
        path: the file.
        media_type: what it is.
        suffix: what the client's name for its file is continued with.
    """

    path: Path
    media_type: str
    suffix: str


class Predictor(Protocol):
    """A model loaded for use.

    `prepare` and `finish` run for several jobs at a time in threads; files from strangers are to
    be read by `s2s.media.run_sandboxed` there. `predict` always runs in the one thread that the
    model was loaded in.
    """

    def prepare(self, upload: Upload, options: Any, notes: Notes) -> Any:
        """Turn an upload into an input of the model.

        Args:
            upload: the file.
            options: what the client chose, an instance of the model's `options`.
            notes: steps and their progress are told here.

        Raises:
            MediaError: if the upload cannot be used.
        """
        ...

    def predict(self, batch: Sequence[Any]) -> Sequence[Any]:
        """Outputs of the model for several inputs, in their order."""
        ...

    def finish(self, upload: Upload, options: Any, output: Any, notes: Notes) -> Made:
        """Write the result of a job into its folder; arguments as for `prepare`."""
        ...


@dataclass(frozen=True)
class ServedModel:
    """A model that the API offers, with a route and a tab of the page.

    Attributes:
        name: the model's name for clients.
        task: what it does, such as "generation".
        route: jobs are made by POST to `/v1/<route>`.
        title: of its tab of the page.
        options: optional fields of its form.
        types: extensions of files that it takes.
        load: makes its predictor; may take long.
        max_batch: inputs that it is given at a time.
    """

    name: str
    task: str
    route: str
    title: str
    options: type[BaseModel]
    types: tuple[str, ...]
    load: Callable[[], Predictor]
    max_batch: int = 8
