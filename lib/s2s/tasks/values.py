"""The values that the parts of a task exchange with services; `contract` has the protocols."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.media import SandboxLimits, run_sandboxed
from s2s.settings import Recipe
from s2s.storage import Bucket

if TYPE_CHECKING:
    from s2s.features.stored import StoredClip
    from s2s.tasks.contract import Objective

__all__ = [
    "EXTRACTOR_WEIGHTS_FILE",
    "MODEL",
    "Example",
    "Figure",
    "Made",
    "MadeFile",
    "Material",
    "Offer",
    "Proof",
    "System",
    "Trained",
    "Upload",
]

EXTRACTOR_WEIGHTS_FILE = "extractors.safetensors"
"""Weights of extractors that have any, in the directory of a model that was trained on them."""
MODEL = "model"
"""The system that the recipe trains; every other one is compared with it."""


@dataclass(frozen=True)
class Trained:
    """The result of a training, earlier runs included.

    Attributes:
        steps: optimizer steps.
        seconds: time that they took.
        stopped_by: `max_steps`, or what ended it earlier: time, `max_minutes`, or `patience`, where
            the validation loss no longer fell.
        best_step: step of the lowest validation loss; None if nothing was validated.
        peak_bytes: the most memory that it held; None where the system does not say.
    """

    steps: int
    seconds: float
    stopped_by: Literal["max_steps", "max_minutes", "patience"]
    best_step: int | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True)
class Material:
    """Everything that a model is trained and measured with.

    Attributes:
        recipe: of the task's own class.
        recipe_folder: where the files are that the recipe names.
        bucket: where clips, features and models are.
        version: the data set version.
        clips: clips of each split that have features.
        folder: the model directory on this machine.
        fit: trains an objective's network in place, from its last checkpoint if there is one; also
            for baselines that are trained in the same way.
    """

    recipe: Recipe
    recipe_folder: Path
    bucket: Bucket
    version: DatasetVersion
    clips: "Mapping[str, Sequence[StoredClip]]"
    folder: Path
    fit: Callable[["Objective"], Trained]


@dataclass(frozen=True)
class Example:
    """A held-out clip.

    Attributes:
        index: its place among the held-out clips.
        stored: its features.
    """

    index: int
    stored: "StoredClip"

    @property
    def listed(self) -> DatasetClip:
        """Its row in the data set version."""
        return self.stored.listed


@dataclass(frozen=True)
class System:
    """What is measured: the model, a baseline, a ceiling.

    Attributes:
        title: in reports.
        answer: answers a held-out clip; the same clip always gets the same answer.
        is_ceiling: whether it uses the true answer, so that it is better than any model.
        perfect_in: groups of clips in which its answer is the true one: no rival of a model there.
        is_control: whether it is the model itself, asked in a way in which it should do worse.
        gflops: billions of operations of one view of a clip; None where they are not counted.
        views: how many views of a clip an answer takes.
        is_kept: whether answers are small arrays, which are stored beside the model, so that no
            later measurement computes them again.
    """

    title: str
    answer: Callable[[Example], Any]
    is_ceiling: bool = False
    is_control: bool = False
    perfect_in: tuple[str, ...] = ()
    gflops: float | None = None
    views: int = 1
    is_kept: bool = False


@dataclass(frozen=True)
class Figure:
    """One number of an evaluation.

    Attributes:
        name: such as `onset_f1`.
        title: of its column in reports, with the unit if it has one; a few words.
        of: computes it from the scores of clips; None where it has no value.
        more_is_better: whether larger values are better.
        after_training: whether a training computes it, too, not only `evaluate`.
        finds_worst: whether reports show the clips that do worst by it.
        is_paired: whether it is 0 or 1 for a single clip, so that two systems can be compared by
            the clips that only one of them gets right.
    """

    name: str
    title: str
    of: Callable[[Sequence[Any]], float | None]
    more_is_better: bool = False
    after_training: bool = False
    finds_worst: bool = False
    is_paired: bool = False


@dataclass(frozen=True)
class Upload:
    """A file that a client sent, and that passed the guard; or one of the user's own.

    Attributes:
        path: the file.
        kind: what it is.
        folder: the job's own folder, for whatever the work needs; removed when it is done.
        is_own: whether it is the user's own, on this machine.
    """

    path: Path
    kind: Literal["video", "picture"]
    folder: Path
    is_own: bool = False

    def run(
        self,
        function: Callable[..., Any],
        *args: object,
        file_bytes: int = SandboxLimits.file_bytes,
        most_s: int = SandboxLimits.wall_s,
        on_progress: Callable[[float], None] | None = None,
    ) -> Any:
        """Run a function of a module that reads the file: of a client's, in a sandbox.

        Args:
            function: returns something JSON can hold; writes in the job's folder only.
            args: its arguments.
            file_bytes: size of a file that it may write.
            most_s: time that it may take, of the clock and of a processor.
            on_progress: passed on to the function, where it is given.

        Raises:
            MediaError: what the function raises, or a limit of the sandbox.
        """
        if self.is_own:
            options = {} if on_progress is None else {"on_progress": on_progress}
            return function(*args, **options)
        limits = SandboxLimits(file_bytes=file_bytes, cpu_s=most_s, wall_s=most_s)
        return run_sandboxed(
            function, *args, folder=self.folder, limits=limits, on_progress=on_progress
        )


@dataclass(frozen=True)
class MadeFile:
    """One file of a result.

    Attributes:
        name: names it among the result's files, such as `video` or `face-1-sound`: small letters,
            digits and dashes.
        path: the file.
        media_type: what it is.
        suffix: is added to the client's name for its file, such as `_with_sound.mp4`.
    """

    name: str
    path: Path
    media_type: str
    suffix: str


@dataclass(frozen=True)
class Made:
    """A job's result.

    Attributes:
        files: the main one first; there may be none.
        document: the result as JSON.
    """

    files: tuple[MadeFile, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """How a task is offered to clients; known before a model is loaded.

    Attributes:
        route: jobs are made by POST to `/v1/<route>`; a plural, such as `generations`.
        title: of the route and its tab.
        lead: one sentence about the result.
        file_label: what the page calls the file that it asks for.
        action: the label of its button, such as "Make the sound".
        options: optional fields of the form; none may be called `model`, `video` or `picture`.
        types: extensions of files that are accepted, without a dot; `s2s.media` has lists of them.
        result: extension of a job's first file; json where it makes none, and answers with its
            document. The option `format`, where there is one, says it instead.
        max_batch: inputs in a batch.
        needs_sound: whether what is sent must have sound: the page's camera then records it too.
        own: options whose default is the model's own, and where `config.json` has it.
    """

    route: str
    title: str
    lead: str
    file_label: str
    action: str
    options: type[BaseModel]
    types: tuple[str, ...]
    result: str = "json"
    max_batch: int = 8
    needs_sound: bool = False
    own: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Proof:
    """How the serving stage checks a served model: it sends held-out clips and checks the answers.

    Attributes:
        make_upload: takes a clip's mp4 and writes the file that is sent. None to send the clip.
        make_pair: takes a clip's mp4 and that of another held-out clip, of another label where
            there is one, and writes the file that is sent. None where one clip is enough.
        check: takes the recipe, the file that was sent and the answer (the result's first file, or
            its document as JSON), and returns a sentence if something is odd, else an empty one.
            Raises `MediaError` for a wrong answer. None for no check.
    """

    make_upload: Callable[[Path, Path], None] | None = None
    make_pair: Callable[[Path, Path, Path], None] | None = None
    check: Callable[[Recipe, Path, Path], str] | None = None
