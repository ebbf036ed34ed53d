"""What a model must offer to be served: the seam that tasks plug in at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel

__all__ = ["Made", "Predictor", "ServedModel", "Upload"]


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

    def prepare(self, upload: Upload, options: Any, seconds: dict[str, float]) -> Any:
        """Turn an upload into an input of the model.

        Args:
            upload: the file.
            options: what the client chose, an instance of the model's `options`.
            seconds: time of each step is noted here.

        Raises:
            MediaError: if the upload cannot be used.
        """
        ...

    def predict(self, batch: Sequence[Any]) -> Sequence[Any]:
        """Outputs of the model for several inputs, in their order."""
        ...

    def finish(self, upload: Upload, options: Any, output: Any, seconds: dict[str, float]) -> Made:
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
