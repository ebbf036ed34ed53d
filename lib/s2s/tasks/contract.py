"""The protocols of a task, all on one page; `values` has the values that they exchange.

A task is a folder `s2s/tasks/<task>/`. `s2s.tasks.loading.load_task` imports a part of it only when
the part is used, by these names:

part                what it must hold
`settings`          `TaskRecipe`: the recipe with the task's own sections and what each of their
                    settings names (`s2s.settings.naming`); never reaches torch
`extractors`        `fetch_weights(recipe, path, recipe_folder, bucket)`, where any have weights
`processor`         `make_processor(recipe, weights)`: a `Processor`
`data`              reading of shards, for the other parts
`network`           the networks
`objective`         `objectives(material)`: each `Objective` that a model is trained by; the next is
                    asked for when the one before is trained and exported
`metrics`           `FIGURES`, `make_judge(material, predictor, thorough)`: a `Judge`, and
                    `make_files(material, folder)`: `AnswerFiles`, where reports show any
`systems`           `make_systems(material, predictor, thorough)`: `System`s by name
`predictor`         `OFFER`, and `load(folder, limits)`: a `Predictor`; only `load` imports torch.
                    `PROOF`, where answers can be checked
`page`              a `ReportPart`, and `tab.html`, `tab.js` of the server's page
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from s2s.dataset import DatasetVersion
from s2s.settings import Recipe, TrainingSettings
from s2s.storage import Bucket
from s2s.tasks.values import (
    MODEL,
    Example,
    Figure,
    Made,
    MadeFile,
    Material,
    System,
    Trained,
    Upload,
)

if TYPE_CHECKING:
    import torch
    from torch.utils.data import Dataset

    from s2s.features.arrays import Array, ArraySpec, ClipMedia
    from s2s.tasks.common.chance import Chance

__all__ = [
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
    "Predictor",
    "Processor",
    "ReportPart",
    "System",
    "Trained",
    "Upload",
]


# Features: from a clip to arrays in a shard.
class Extractor(Protocol):
    """Turns a clip into arrays over time.

    Attributes:
        arrays: name, shape, dtype and rate of each array.
    """

    @property
    def arrays(self) -> "Sequence[ArraySpec]": ...  # noqa: D102 - see the class

    def __call__(self, clip: "ClipMedia") -> "Mapping[str, Array]":
        """Extract the arrays of a clip, by name.

        Raises:
            MediaError: if the clip cannot be used, with the reason.
        """
        ...


class Processor(Protocol):
    """Turns media into the network's input: the same in feature extraction and serving.

    It is saved with the model. Its rates and sizes are those of the `ClipMedia` of its extractors.

    Attributes:
        fps: frames a second that pictures are read at; None for no pictures.
        frame_size: width and height to scale frames to, in pixels, or to crop them to, as
            `s2s.media.Cover`; None to keep them.
        sample_rate_hz: samples a second that sound is read at; None for no sound.
        extractors: make the arrays of a shard.
    """

    @property
    def fps(self) -> int | None: ...  # noqa: D102 - see the class

    @property
    def frame_size(self) -> tuple[int, int] | None: ...  # noqa: D102 - see the class

    @property
    def sample_rate_hz(self) -> int | None: ...  # noqa: D102 - see the class

    @property
    def extractors(self) -> Sequence[Extractor]: ...  # noqa: D102 - see the class


# Training: a network and its loss.
class Learner(Protocol):
    """A network with its loss and optimizers."""

    network: "torch.nn.Module"

    def optimizers(self) -> Sequence["torch.optim.Optimizer"]:
        """Make the optimizers; the `lr` of each group is the peak of its schedule."""
        ...

    def loss(self, batch: Any, chance: "Chance") -> "torch.Tensor":
        """Compute the loss of a batch, a scalar: the mean over its examples.

        Args:
            batch: items of the data set, stacked, on the network's device.
            chance: random numbers for each example, the same on any number of devices.
        """
        ...

    def clip_groups(self) -> Sequence[Sequence["torch.nn.Parameter"]]:
        """Tell whose gradients are clipped as one: long ones slow down all of their group."""
        return [list(self.network.parameters())]


class Objective(Learner, Protocol):
    """All that training needs: a network, its loss and optimizers, its data.

    Attributes:
        name: of its checkpoint and its learning curve.
        settings: budget, batches and devices.
        seed: of all random numbers.
        network: is trained; at the end it has the average of its weights over the steps.
        adversary: is trained against the network, and takes its step before it.
        summary: what the trained model is, in Markdown, for the model card.
        memory_remedy: what to change in the recipe if memory does not hold a batch.
    """

    name: str
    settings: TrainingSettings
    seed: int
    adversary: Learner | None = None
    summary: str = ""
    memory_remedy: str = "raise training.accumulate, or lower training.batch_size"

    def datasets(self) -> Mapping[str, "Dataset[Any]"]:
        """Make `train` and, where there are clips for it, `val`.

        Item n is the same on every machine; `train` has those of the whole training, in order.
        """
        ...

    def validation_loss(self, batch: Any, chance: "Chance") -> "torch.Tensor":
        """Compute the loss of a batch of `val`."""
        return self.loss(batch, chance)

    def export(self, folder: Path) -> None:
        """Write weights into the model directory; the last objective writes its config, too."""
        ...

    def show(self, folder: Path) -> Sequence[Path]:  # noqa: ARG002 - nothing by default
        """Write pictures and sounds that show the present network, for trackers."""
        return ()


# Evaluation: systems answer held-out clips, a judge scores the answers.
class Judge(Protocol):
    """Scores a system's answer against the truth.

    Attributes:
        note: a sentence for people about what it cannot score; may be empty.
        classes: what answers choose among, sorted; may be empty.
    """

    note: str = ""
    classes: Sequence[str] = ()

    def score(self, example: Example, answer: Any) -> Any:
        """Score an answer; figures are computed from the scores of many clips."""
        ...

    def row(self, score: Any) -> Mapping[str, Any]:
        """The part of a score that is stored for each clip, as JSON."""
        ...

    def groups(self, example: Example) -> Sequence[str]:  # noqa: ARG002 - none by default
        """Groups of clips that the example belongs to, beside the recipe's groups of labels."""
        return ()


class AnswerFiles(Protocol):
    """Keeps answers as files, for reports and for external programs that measure them."""

    def write(self, example: Example, system: str, answer: Any) -> None:
        """Write a system's answer, if a report or program needs it."""
        ...

    def show(self, example: Example, folder: Path) -> None:
        """Copy the files that the report shows of a clip into a folder."""

    def keep(self, folder: Path) -> None:
        """Write files for people and their programs into a folder."""

    def measure(self, program: Path | None) -> Mapping[str, Any]:  # noqa: ARG002 - none, by default
        """Compute figures by an external program, in a folder; nothing where the task knows none.

        Returns:
            `note`: how they were computed, or why there are none; `titles`: of figures, by name;
            `systems`: figures by name, by system.

        Raises:
            StageError: if the program is not there, or fails.
        """
        return {}


class ReportPart(Protocol):
    """A task's part of reports: HTML with the CSS classes of the launcher's pages, no script.

    It may have `show_comparison(bucket, version, content)`, too, for the page of `./s2s compare`.

    Attributes:
        CAPTION: explains the figures; stands over them.
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
        """Show held-out clips and the served model's answers, in the report of `./s2s demo`.

        `version` is what the model was trained on, `rows` has `Judge.row` of its answers by clip,
        and `folder` is for files that are made: it stays between reports. Empty without answers.
        """
        ...

    def show_examples(self, bucket: Bucket, recipe: Recipe, content: Mapping[str, Any]) -> str:
        """Show clips of `evaluation.json`; their answers are under its `evaluation_prefix`."""
        ...


# Serving: a file goes in, files and a document come out.
class Notes(Protocol):
    """Takes notes of a job's steps and progress; may be used in any thread."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """Measure how long a step takes, as a context; its name is an identifier."""
        ...

    def tell(self, share: float) -> None:
        """Note the share of the present call that is done, 0..1; may be called often."""
        ...


class Predictor(Protocol):
    """A trained model, loaded for the server or for `./s2s generate`.

    `prepare` and `finish` run in any thread, for several jobs at a time, and read an upload's media
    by `Upload.run` only. `predict` always runs in the thread that the model was loaded in.
    """

    def prepare(self, upload: Upload, options: Any, notes: Notes) -> Any:
        """Turn an upload into the model's input; `options` is an instance of the offer's `options`.

        Raises:
            MediaError: if the upload cannot be used, with the reason.
        """
        ...

    def predict(self, batch: Sequence[Any]) -> Sequence[Any]:
        """Compute the model's outputs for a batch of inputs, in their order."""
        ...

    def finish(self, upload: Upload, options: Any, output: Any, notes: Notes) -> Made:
        """Turn the model's output into the job's result; its files are in the job's folder."""
        ...
