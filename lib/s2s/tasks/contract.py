"""What a task is: every protocol on one page.

A task is a folder `s2s/tasks/<task>/`. `s2s.tasks.load_task` imports its parts when they are asked
for, by these names, so that no service brings in what it does not use:

part                what is looked for in it
`settings`          `TaskRecipe`: the recipe with the task's own sections and what each of their
                    settings names (`s2s.settings.naming`); never reaches torch
`extractors`        `fetch_weights(recipe, path, recipe_folder, bucket)`, where any have weights
`processor`         `make_processor(recipe, weights)`: a `Processor`
`data`              reading of shards, for the other parts
`network`           the networks
`objective`         `objectives(material)`: each `Objective` that a model is trained by, in order;
                    the next is asked for when the one before is trained and exported
`metrics`           `FIGURES`, `make_judge(material, predictor, thorough)`: a `Judge`, and
                    `make_files(material, folder)`: `AnswerFiles`, where reports show any
`systems`           `make_systems(material, predictor, thorough)`: `System`s by name
`predictor`         `OFFER`, and `load(folder, limits)`: a `Predictor`; only `load` imports torch.
                    `PROOF`, where answers can be checked
`page`              a `ReportPart`, and `tab.html`, `tab.js` of the server's page

Legend: T time, H height, W width, N samples, D values at one instant.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.features.arrays import Array, ArraySpec, ClipMedia
from s2s.features.stored import StoredClip
from s2s.media import MediaLimits, SandboxLimits, run_sandboxed
from s2s.settings import Recipe, TrainingSettings
from s2s.storage import Bucket

if TYPE_CHECKING:
    import torch
    from torch.utils.data import Dataset

    from s2s.tasks.common.chance import Chance

__all__ = [
    "EXTRACTOR_WEIGHTS_FILE",
    "MODEL",
    "AnswerFiles",
    "Example",
    "Extractor",
    "Figure",
    "Judge",
    "Learner",
    "Made",
    "MadeFile",
    "Material",
    "Notes",
    "Objective",
    "Offer",
    "Predictor",
    "Processor",
    "Proof",
    "ReportPart",
    "System",
    "Task",
    "Trained",
    "Upload",
]


# Features: from a clip to arrays in a shard.

EXTRACTOR_WEIGHTS_FILE = "extractors.safetensors"
"""Weights of extractors that have any, in the directory of a model that was trained on them."""


class Extractor(Protocol):
    """Clip -> arrays over time.

    Attributes:
        arrays: what it gives: name, shape, dtype and rate of each.
    """

    @property
    def arrays(self) -> Sequence[ArraySpec]: ...  # noqa: D102 - see the class

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        """Extract the arrays of a clip, by name.

        Raises:
            MediaError: if the clip cannot be used, with the reason.
        """
        ...


class Processor(Protocol):
    """What turns media into the network's input: the same in feature extraction and serving.

    It is saved with the model, so that the two cannot drift apart. What it says of media is what
    its extractors are given in a `ClipMedia`.

    Attributes:
        fps: pictures a second that are read; None for no pictures.
        frame_size: width and height that they are scaled to, in pixels; None as they are stored.
        sample_rate_hz: samples a second that sound is read at; None for no sound.
        extractors: what makes the arrays of a shard.
    """

    @property
    def fps(self) -> int | None: ...  # noqa: D102 - see the class

    @property
    def frame_size(self) -> tuple[int, int] | None: ...  # noqa: D102 - see the class

    @property
    def sample_rate_hz(self) -> int | None: ...  # noqa: D102 - see the class

    @property
    def extractors(self) -> Sequence[Extractor]: ...  # noqa: D102 - see the class


# Training: what is learned from, and what is made small.


@dataclass(frozen=True)
class Trained:
    """What a training came to, earlier runs included.

    Attributes:
        steps: optimizer steps.
        seconds: time that they took.
        stopped_by: `max_steps`, or `max_minutes` where time ended it before.
    """

    steps: int
    seconds: float
    stopped_by: Literal["max_steps", "max_minutes"]


@dataclass(frozen=True)
class Material:
    """What a model is trained and measured on.

    Attributes:
        recipe: of the task's own class.
        recipe_folder: where files that it names are.
        bucket: where clips, features and models are.
        version: the data set version.
        clips: clips of each split that have features.
        folder: the model directory on this machine.
        fit: trains an objective's network in place, from its last checkpoint where there is one;
            how the training stage does it, also for baselines that are trained alike.
    """

    recipe: Recipe
    recipe_folder: Path
    bucket: Bucket
    version: DatasetVersion
    clips: Mapping[str, Sequence[StoredClip]]
    folder: Path
    fit: Callable[["Objective"], Trained]


class Learner(Protocol):
    """A network, and what makes its loss small.

    Attributes:
        network: what is trained.
    """

    network: "torch.nn.Module"

    def optimizers(self) -> Sequence["torch.optim.Optimizer"]:
        """Each group's `lr` is the peak of its schedule."""
        ...

    def loss(self, batch: Any, chance: "Chance") -> "torch.Tensor":
        """The loss of a batch, a scalar: the mean over its examples.

        Args:
            batch: as the data set's items are stacked, on the network's device.
            chance: random numbers for each of its examples, the same whatever a training runs on.
        """
        ...


class Objective(Learner, Protocol):
    """A network with its loss and optimizers: all that training needs to know.

    Attributes:
        name: names its checkpoint and its curve.
        settings: budget, batches and devices.
        seed: source of chance.
        network: what is trained; its weights are averaged over the steps, and it has the averaged
            ones in the end.
        adversary: what is trained against it: takes its step before it does, in every step. Its
            loss and that of the network each reach its own optimizers only.
        summary: what a model is that was trained by it, in Markdown, for the model card.
        memory_remedy: what to change in the recipe where memory does not hold a batch.
    """

    name: str
    settings: TrainingSettings
    seed: int
    adversary: Learner | None = None
    summary: str = ""
    memory_remedy: str = "raise training.accumulate, or lower training.batch_size"

    def datasets(self) -> Mapping[str, "Dataset[Any]"]:
        """`train` and, where there are clips for it, `val`.

        Item n is the same on every machine, and `train` has the items of the whole budget in their
        order: a training that goes on reads on where it was.
        """
        ...

    def validation_loss(self, batch: Any, chance: "Chance") -> "torch.Tensor":
        """What is compared as training goes on, of a batch of `val`; `loss` where it will do."""
        return self.loss(batch, chance)

    def export(self, folder: Path) -> None:
        """Write what was trained into the model directory; the last objective writes its config."""
        ...

    def show(self, folder: Path) -> Sequence[Path]:  # noqa: ARG002 - nothing, unless there is some
        """Write pictures and sounds of what it has learned so far, for trackers."""
        return ()


# Evaluation: what is measured, and by what.


MODEL = "model"
"""The system that the recipe trains; every other one is compared with it."""


@dataclass(frozen=True)
class Example:
    """A held-out clip.

    Attributes:
        index: its place among those that are measured on.
        stored: its features.
    """

    index: int
    stored: StoredClip

    @property
    def listed(self) -> DatasetClip:
        """What the data set says of it."""
        return self.stored.listed


@dataclass(frozen=True)
class System:
    """What is measured: the model, a baseline, a ceiling.

    Attributes:
        title: what it is, in reports.
        answer: gives an answer to a held-out clip; the same one whenever it is asked.
        is_ceiling: knows what is true: nobody needs to be told that it is better.
    """

    title: str
    answer: Callable[[Example], Any]
    is_ceiling: bool = False


class Judge(Protocol):
    """Compares a system's answer with what is true.

    Attributes:
        note: a sentence for people about what it cannot tell; may be empty.
    """

    note: str = ""

    def score(self, example: Example, answer: Any) -> Any:
        """How the answer does; figures are computed of many of these."""
        ...

    def row(self, score: Any) -> Mapping[str, Any]:
        """What is kept of a score, as JSON: reports look into it clip by clip."""
        ...

    def groups(self, example: Example) -> Sequence[str]:  # noqa: ARG002 - none, unless a task has some
        """Groups that figures are given of, beside those of labels that the recipe names."""
        return ()


@dataclass(frozen=True)
class Figure:
    """One number of an evaluation.

    Attributes:
        name: such as `onset_f1`.
        title: of its column, with the unit if it has one; a few words.
        of: its value over some clips' scores; None where they do not tell.
        more_is_better: which direction is better.
        after_training: whether a training reports it too, not only `evaluate`.
        finds_worst: whether reports show the clips that do worst by it.
    """

    name: str
    title: str
    of: Callable[[Sequence[Any]], float | None]
    more_is_better: bool = False
    after_training: bool = False
    finds_worst: bool = False


class AnswerFiles(Protocol):
    """Answers as files: for reports, and for programs that measure them in their own way."""

    def write(self, example: Example, system: str, answer: Any) -> None:
        """Write what a system answered, if it is of use."""
        ...

    def show(self, example: Example, folder: Path) -> None:
        """Put what the report shows of a clip into a folder, out of what was written."""
        ...

    def measure(self, program: Path | None) -> Mapping[str, Any]:
        """Figures by a program of others.

        Args:
            program: its folder; None where it was not named.

        Returns:
            `note`, which says how they came about or why there are none; `titles` of figures by
            their names; `systems`: by name, figures by name.

        Raises:
            StageError: if the program is not there, or fails.
        """
        ...


class ReportPart(Protocol):
    """A task's part of reports: HTML in the classes of the launcher's frame, without a script.

    Attributes:
        CAPTION: what the figures mean; stands over them.
    """

    CAPTION: str

    def show_answers(
        self,
        bucket: Bucket,
        recipe: Recipe,
        version: DatasetVersion,
        rows: Mapping[str, Mapping[str, Any]],
        folder: Path,
    ) -> str:
        """Held-out clips that serving answered, in the report of `./s2s demo`.

        Args:
            bucket: where the clips and the answers are.
            recipe: whose they are.
            version: the data set version that the model was trained on.
            rows: what the judge kept of the model's answer to a clip, by clip.
            folder: for whatever is composed; it stays between reports.

        Returns:
            nothing where there are none.
        """
        ...

    def show_examples(self, bucket: Bucket, recipe: Recipe, content: Mapping[str, Any]) -> str:
        """What the report of `./s2s evaluate` shows beside its tables.

        Args:
            bucket: where answers are, under `s2s.layout.evaluation_prefix`.
            recipe: whose model was evaluated.
            content: what `evaluation.json` says.
        """
        ...


# Serving: a file goes in, files and a document come out.


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
        on_progress: Callable[[float], None] | None = None,
    ) -> Any:
        """Run a function of a module that reads the file: of a client's, in a sandbox.

        Args:
            function: returns something JSON can hold; writes in the job's folder only.
            args: its arguments.
            file_bytes: size of a file that it may write.
            on_progress: passed on to the function, where it is given.

        Raises:
            MediaError: what the function raises, or a limit of the sandbox.
        """
        if self.is_own:
            options = {} if on_progress is None else {"on_progress": on_progress}
            return function(*args, **options)
        limits = SandboxLimits(file_bytes=file_bytes)
        return run_sandboxed(
            function, *args, folder=self.folder, limits=limits, on_progress=on_progress
        )


class Notes(Protocol):
    """What a predictor tells about a job while it works on it; may be used in any thread."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """A context: notes how long a step takes; its name is an identifier."""
        ...

    def tell(self, share: float) -> None:
        """Tell how much of the present call is done, 0..1, as often as one likes."""
        ...


@dataclass(frozen=True)
class MadeFile:
    """One file of a result.

    Attributes:
        name: names it among the result's files, such as `video` or `face-1-sound`: small letters,
            digits and dashes.
        path: the file.
        media_type: what it is.
        suffix: what the client's name for its file is continued with, such as `_with_sound.mp4`.
    """

    name: str
    path: Path
    media_type: str
    suffix: str


@dataclass(frozen=True)
class Made:
    """A job's result.

    Attributes:
        files: what was made, the most wanted first; there may be none.
        document: what there is to say of it, as JSON.
    """

    files: tuple[MadeFile, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """How a task is offered to clients; known before a model is loaded.

    Attributes:
        route: jobs are made by POST to `/v1/<route>`; a plural, such as `generations`.
        title: of the route and its tab.
        lead: one sentence that says what comes out.
        file_label: what the page calls the file that it asks for.
        action: what its button says, such as "Make the sound".
        options: optional fields of the form; none may be called `model`, `video` or `picture`.
        types: extensions of files that are taken, without a dot; `s2s.media` has lists of them.
        max_batch: inputs that a model works on at a time.
        own: options that a model has values of its own for, where none is chosen: where its
            `config.json` has them.
    """

    route: str
    title: str
    lead: str
    file_label: str
    action: str
    options: type[BaseModel]
    types: tuple[str, ...]
    max_batch: int = 8
    own: Mapping[str, str] = field(default_factory=dict)


class Predictor(Protocol):
    """A trained model loaded for use, by the server and by `./s2s generate` alike.

    `prepare` and `finish` run in any thread, for several jobs at a time; an upload's media may only
    be read by `Upload.run` there. `predict` always runs in the one thread that the
    model was loaded in.
    """

    def prepare(self, upload: Upload, options: Any, notes: Notes) -> Any:
        """From an upload to the model's input.

        Args:
            upload: the file.
            options: what the client chose, an instance of the offer's `options`.
            notes: steps and their progress are told here.

        Raises:
            MediaError: if the upload cannot be used, with the reason.
        """
        ...

    def predict(self, batch: Sequence[Any]) -> Sequence[Any]:
        """The model's outputs for some inputs, in their order."""
        ...

    def finish(self, upload: Upload, options: Any, output: Any, notes: Notes) -> Made:
        """From the model's output to what the client gets; its files are in the job's folder."""
        ...


@dataclass(frozen=True)
class Proof:
    """How a served model is proved to answer: held-out clips are sent, and what comes is checked.

    Attributes:
        make_upload: writes what is sent of a clip; takes the clip's mp4 and the file to write.
            None to send the clip.
        check: makes sure that an answer is right, and says what is odd about it, if anything;
            takes the recipe, what was sent and the answer: the result's first file, or its
            document as JSON. It raises `MediaError` for an answer that is wrong. None for no check.
    """

    make_upload: Callable[[Path, Path], None] | None = None
    check: Callable[[Recipe, Path, Path], str] | None = None


class Task(Protocol):
    """A task: what its folder's parts have, behind one object."""

    @property
    def name(self) -> str: ...  # noqa: D102 - such as "generation"

    @property
    def recipe_class(self) -> type[Recipe]: ...  # noqa: D102 - sections of a recipe

    @property
    def offer(self) -> Offer: ...  # noqa: D102 - how it is served

    @property
    def proof(self) -> Proof: ...  # noqa: D102 - how the stage proves that it is served

    @property
    def page_folder(self) -> Path: ...  # noqa: D102 - of `tab.html`, `tab.js`, where it has any

    @property
    def figures(self) -> Sequence[Figure]: ...  # noqa: D102 - what is measured

    def fetch_weights(  # noqa: D102 - into one file, see `EXTRACTOR_WEIGHTS_FILE`
        self, recipe: Recipe, path: Path, recipe_folder: Path, bucket: Bucket
    ) -> None: ...
    def make_processor(self, recipe: Recipe, weights: Path | None) -> Processor: ...  # noqa: D102
    def objectives(self, material: Material) -> Iterator[Objective]: ...  # noqa: D102
    def make_judge(self, material: Material, predictor: Predictor, *, thorough: bool) -> Judge: ...  # noqa: D102
    def make_systems(  # noqa: D102
        self, material: Material, predictor: Predictor, *, thorough: bool
    ) -> Mapping[str, System]: ...
    @property
    def report(self) -> ReportPart: ...  # noqa: D102 - its part of reports

    def make_files(self, material: Material, folder: Path) -> AnswerFiles | None: ...  # noqa: D102
    def load(self, folder: Path, limits: MediaLimits) -> Predictor: ...  # noqa: D102
