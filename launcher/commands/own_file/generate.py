"""`./s2s generate FILE`: what a model makes of a file, without a server."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from launcher.commands.own_file.answering import answer, checked_file, chosen_model, keep, tell
from launcher.commands.own_file.cut import (
    DurationOption,
    EndOption,
    StartOption,
    cut_span,
    cut_video,
)
from launcher.commands.own_file.options import ModelOption, ModelRecipeOption
from launcher.samples import sample_recipe
from s2s.cli import DEFAULT_BUCKET, BucketOption, WorkDirOption, guarded
from s2s.errors import SettingsError
from s2s.logs import console
from s2s.tasks.contract import MadeFile
from s2s.tasks.recipes import load_recipe
from s2s.workspace import checked_folder, checked_output, free_names

__all__ = ["generate"]

_PICTURE_S = 5.0
_OUT_HELP = (
    "The file to write, .mp4 or .wav, in a folder that exists; by default FILE_with_sound.mp4."
)


def generate(  # noqa: PLR0913 - these are the options of the command line
    file: Annotated[
        Path, typer.Argument(help="A video or a picture.", exists=True, dir_okay=False)
    ],
    *,
    start_time: StartOption = None,
    end_time: EndOption = None,
    duration: DurationOption = None,
    out: Annotated[
        Path | None,
        typer.Option(help=_OUT_HELP),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another sound.")] = 0,
    recipe: ModelRecipeOption = None,
    model: ModelOption = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Give a video or a picture generated sound; a part of it, which is kept as FILE_cut.mp4."""

    def work() -> int:
        chosen: dict[str, object] = {"seed": seed, "format": _checked_form(out, file)}
        span = cut_span(start_time, end_time, duration)
        loaded = load_recipe(recipe or sample_recipe("silent_to_sound"))
        served = chosen_model(model, loaded, bucket, work_dir)
        source, kind = file, checked_file(file, served)
        if kind == "picture":
            chosen["duration_s"] = span[1] if span else _PICTURE_S
        elif span is not None:
            source = cut_video(file, span, (out or file).parent, with_sound=False)
        with answer(served, (source, kind), chosen) as found:
            places = _places(found.made.files, source, out)
            kept = [keep(*pair) for pair in zip(found.made.files, places, strict=True)]
        for path in kept:
            console.print(f"{path} ({found.steps})", markup=False, soft_wrap=True)
        if not kept:
            typer.echo(json.dumps(found.made.document, indent=1, ensure_ascii=False))
        tell(served, found.made.document)
        return 0

    sys.exit(guarded(work, goes_on=False))


def _checked_form(out: Path | None, file: Path) -> str:
    """What is made, as --out is called; known before any work is done that it can be written."""
    checked_folder((out or file).parent)
    if out is None:
        return "mp4"
    form = checked_output(out, file).suffix.lower().removeprefix(".")
    if form not in {"mp4", "wav"}:
        raise SettingsError(f"--out {out}: must end in .mp4, or in .wav for the sound alone")
    return form


def _places(made: Sequence[MadeFile], source: Path, out: Path | None) -> list[Path]:
    """Where the files go: beside the user's, or the first to --out and others beside it.

    Only --out is written over a file that is there.
    """
    folder = (out or source).parent
    named = [folder / f"{source.stem}{part.suffix}" for part in made]
    return [out, *free_names(named[1:])] if out and named else free_names(named)
