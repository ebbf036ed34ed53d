"""`./s2s generate FILE`: what a model makes of a file, without a server."""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

import typer

from s2s.cli import DEFAULT_BUCKET, BucketOption, WorkDirOption, guarded
from s2s.errors import SettingsError
from s2s.logs import console
from s2s.media import MediaLimits, input_args, picture_demuxer, probe, run_ffmpeg
from s2s.settings import Recipe
from s2s.stage import shared_bucket
from s2s.tasks.contract import MadeFile, Upload
from s2s.tasks.recipes import load_recipe

if TYPE_CHECKING:
    from serving.models.served import ServedModel

__all__ = ["cut_span", "generate"]

SAMPLE_RECIPE = Path(__file__).parents[2] / "recipes" / "silent_to_sound.sample.yaml"
_PICTURE_S = 5.0


def generate(  # noqa: PLR0913 - these are the options of the command line
    file: Annotated[
        Path, typer.Argument(help="A video or a picture.", exists=True, dir_okay=False)
    ],
    *,
    start_time: Annotated[
        float | None, typer.Option(min=0, help="Take the file from this second on.")
    ] = None,
    end_time: Annotated[float | None, typer.Option(min=0, help="To this second.")] = None,
    duration: Annotated[
        float | None, typer.Option(min=0, help="So many seconds; of a picture too.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; by default FILE_with_sound.mp4.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another sound.")] = 0,
    recipe: Annotated[
        Path,
        typer.Option(help="Whose model is used.", show_default="silent_to_sound.sample"),
    ] = SAMPLE_RECIPE,
    model: Annotated[
        Path | None,
        typer.Option(help="A model directory; by default the bucket's newest of the recipe."),
    ] = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Give a video or a picture generated sound; a part of it, which is kept as FILE_cut.mp4."""

    def work() -> int:
        if out is not None and not out.parent.is_dir():
            raise SettingsError(f"{out.parent}: no such folder: make it, or choose another --out")
        span = cut_span(start_time, end_time, duration)
        loaded = load_recipe(recipe)
        is_picture = picture_demuxer(file) is not None
        source = file if is_picture or span is None else _cut(file, span)
        chosen: dict[str, object] = {"seed": seed}
        if is_picture:
            chosen["duration_s"] = span[1] if span else _PICTURE_S
        served = _model(model, loaded, bucket, work_dir)
        _make(served, (source, "picture" if is_picture else "video"), chosen, (file, out))
        return 0

    sys.exit(guarded(work))


def cut_span(
    start_s: float | None, end_s: float | None, duration_s: float | None
) -> tuple[float, float] | None:
    """Start and length of a cut in seconds; None if nothing is to be cut.

    Raises:
        SettingsError: if the times do not say which part it is.
    """
    if end_s is not None and duration_s is not None:
        raise SettingsError("--end-time and --duration: give one of the two")
    if end_s is None and duration_s is None:
        if start_s is not None:
            raise SettingsError("--start-time needs an --end-time or a --duration")
        return None
    start_s = start_s or 0.0
    length_s = duration_s if duration_s is not None else (end_s or 0.0) - start_s
    if length_s <= 0:
        raise SettingsError(f"nothing lies between second {start_s:g} and {start_s + length_s:g}")
    return start_s, length_s


def _cut(file: Path, span: tuple[float, float]) -> Path:
    """A part of a video, kept beside it; nothing that is there is overwritten."""
    start_s, length_s = span
    whole_s = probe(file).duration_s
    if start_s >= whole_s:
        raise SettingsError(f"{file.name} ends after {whole_s:.2f} s, before --start-time")
    cut = _free_name(file.with_name(f"{file.stem}_cut.mp4"))
    encoding = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    scale = ["-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-pix_fmt", "yuv420p"]
    arguments = [*input_args(file, "-ss", str(start_s)), "-t", str(length_s), *scale, *encoding]
    run_ffmpeg([*arguments, "-f", "mp4", f"file:{cut.absolute()}"], file.name)
    console.print(f"{cut}: {probe(cut).duration_s:.2f} s", markup=False, soft_wrap=True)
    return cut


def _free_name(path: Path) -> Path:
    """The path, with a number where something of its name is there."""
    names = chain([path], (path.with_stem(f"{path.stem}_{n}") for n in count(2)))
    return next(name for name in names if not name.exists())


def _model(model: Path | None, recipe: Recipe, bucket: str, work_dir: Path) -> "ServedModel":
    from serving.models.stored import model_of_folder, model_of_recipe  # noqa: PLC0415

    if model is not None:
        return model_of_folder(model, model.absolute().name, recipe)
    return model_of_recipe(shared_bucket(bucket), recipe, work_dir)


def _make(
    served: "ServedModel",
    source: tuple[Path, Literal["video", "picture"]],
    chosen: Mapping[str, object],
    names: tuple[Path, Path | None],
) -> None:
    """Have the model's predictor do what the server has it do, and keep the files.

    Args:
        served: the model.
        source: what it works on.
        chosen: options, of which the task has some.
        names: the user's file, which names the results, and where the first is to be written.
    """
    from serving.models.notes import JobNotes  # noqa: PLC0415

    known = served.offer.options.model_fields
    options = served.offer.options.model_validate({k: v for k, v in chosen.items() if k in known})
    notes, (file, out) = JobNotes(), names
    with tempfile.TemporaryDirectory() as folder:
        upload = Upload(*source, Path(folder), is_own=True)
        predictor = served.load(MediaLimits())
        item = predictor.prepare(upload, options, notes)
        with notes.step("model"):
            (output,) = predictor.predict([item])
        made = predictor.finish(upload, options, output, notes)
        kept = [_keep(part, file, out if n == 0 else None) for n, part in enumerate(made.files)]
    steps = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in notes.seconds.items())
    for path in kept:
        console.print(f"{path} ({steps})", markup=False, soft_wrap=True)
    if not kept:
        typer.echo(json.dumps(made.document, indent=1, ensure_ascii=False))


def _keep(made: MadeFile, file: Path, out: Path | None) -> Path:
    """Put a file that was made beside the user's, whole or not at all."""
    output = out or file.with_name(f"{file.stem}{made.suffix}")
    staged = output.with_name(f".{uuid4().hex}.part")  # others may write the same file
    try:
        shutil.copyfile(made.path, staged)
        staged.replace(output)
    finally:
        staged.unlink(missing_ok=True)
    return output
