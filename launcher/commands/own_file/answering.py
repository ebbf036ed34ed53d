"""A model's answer to one file, made as the server makes it."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ValidationError

from launcher.samples import sample_recipe
from s2s.errors import ModelError, SettingsError
from s2s.logs import console
from s2s.media import MediaLimits, check_upload
from s2s.progress import Bars
from s2s.settings import Recipe
from s2s.stage import shared_bucket
from s2s.tasks.contract import Made, MadeFile, Predictor, Upload
from s2s.tasks.recipes import load_recipe
from s2s.workspace import replacing, scratch

if TYPE_CHECKING:
    from serving.models.served import ServedModel

__all__ = ["Answer", "answer", "checked_file", "chosen_model", "chosen_recipe", "keep", "tell"]

_PREPARED, _PREDICTED = 0.4, 0.7
"""Shares of the work that are done then, as far as is known."""


@dataclass(frozen=True)
class Answer:
    """What a model made of a file.

    Attributes:
        made: files and a document.
        seconds: time that each step took.
        predictor: the model.
    """

    made: Made
    seconds: Mapping[str, float]
    predictor: Predictor

    @property
    def steps(self) -> str:
        """Each step with its seconds, in words."""
        return ", ".join(f"{name} {taken:.2f} s" for name, taken in self.seconds.items())


def chosen_recipe(recipe: Path | None, sample: str, task: str) -> Recipe:
    """The recipe that was named, or else a sample.

    Raises:
        SettingsError: if it is of another task.
    """
    loaded = load_recipe(recipe or sample_recipe(sample))
    if loaded.task != task:
        raise SettingsError(
            f"recipe {recipe}: its task is {loaded.task}, not {task}: name another --recipe"
        )
    return loaded


def chosen_model(model: Path | None, recipe: Recipe, bucket: str, work_dir: Path) -> "ServedModel":
    """A model directory, or else the bucket's newest model of a recipe.

    Raises:
        ModelError: if there is none, or it is of another task than the recipe.
    """
    from serving.models.stored import (  # noqa: PLC0415 - slow
        find_model,
        model_of_folder,
        offered_model,
    )

    if model is not None:
        return model_of_folder(model, model.absolute().name, recipe)
    store = shared_bucket(bucket)
    try:
        stored = find_model(store, recipe)
    except ModelError as error:
        raise ModelError(f"{error}, or name another recipe with --recipe") from error
    return offered_model(store, stored, recipe, work_dir)


def checked_file(file: Path, served: "ServedModel") -> Literal["video", "picture"]:
    """Make sure of a file what the API makes sure of an upload, and say what it is.

    The limits are wider than the API's: it is the user's own.

    Raises:
        MediaError: if it is of no type that the model takes, was cut off, cannot be read, or is
            beyond the limits.
    """
    return check_upload(file, file.name, MediaLimits(), served.offer.types)


@contextmanager
def answer(
    served: "ServedModel",
    source: tuple[Path, Literal["video", "picture"]],
    chosen: Mapping[str, Any],
) -> Iterator[Answer]:
    """Have the model's predictor do what the server has it do.

    Args:
        served: the model.
        source: the file, and what it is.
        chosen: options, of which the task has some.

    Yields:
        the answer; its files are there within the context.

    Raises:
        SettingsError: if an option is out of its range.
        MediaError: if the file cannot be used.
    """
    from serving.models.notes import JobNotes  # noqa: PLC0415

    options = _options(served.offer.options, chosen)
    with scratch() as folder:
        upload = Upload(*source, folder, is_own=True)
        with Bars(in_percent=True, transient=True) as bars:
            bar = bars.add_task(source[0].name, total=1.0)
            notes = JobNotes(on_progress=lambda share: bars.update(bar, completed=share))
            predictor = served.load(MediaLimits())
            notes.span = (0.0, _PREPARED)
            item = predictor.prepare(upload, options, notes)
            with notes.step("model"):
                (output,) = predictor.predict([item])
            notes.span = (_PREDICTED, 1.0)
            made = predictor.finish(upload, options, output, notes)
        yield Answer(made, notes.seconds, predictor)


def tell(served: "ServedModel", document: Mapping[str, Any]) -> None:
    """Say what the page says beside every answer: its warning, and what is known of the model."""
    for line in (document.get("warning"), served.note):
        if line:
            console.print(line, markup=False)


def keep(made: MadeFile, output: Path) -> Path:
    """Put a file that was made where the user wants it, whole or not at all."""
    with replacing(output) as staged:
        shutil.copyfile(made.path, staged)
    return output


def _options(model: type[BaseModel], chosen: Mapping[str, Any]) -> BaseModel:
    known = model.model_fields
    try:
        return model.model_validate({k: v for k, v in chosen.items() if k in known})
    except ValidationError as error:
        from serving.problems import invalid_fields  # noqa: PLC0415

        raise SettingsError(invalid_fields(error.errors(), known).document.detail) from error
