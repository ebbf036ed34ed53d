"""`./s2s generate FILE`: sound for a file, without a server."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import DEFAULT_BUCKET, BucketOption, WorkDirOption, guarded
from s2s.errors import SettingsError
from s2s.logs import console
from s2s.media import input_args, make_still_video, picture_demuxer, probe, run_ffmpeg
from s2s.stage import shared_bucket
from s2s.tasks.recipes import load_recipe

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
        Path | None, typer.Option(help="The mp4 to write; by default FILE_with_sound.mp4.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another sound.")] = 0,
    recipe: Annotated[Path, typer.Option(help="Whose model is used.")] = SAMPLE_RECIPE,
    model: Annotated[
        Path | None,
        typer.Option(help="A model directory; by default the bucket's newest of the recipe."),
    ] = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Give a video or a picture generated sound; a part of it, which is kept as FILE_cut.mp4."""
    output = out or file.with_name(f"{file.stem}_with_sound.mp4")

    def work() -> int:
        with tempfile.TemporaryDirectory() as folder:
            video = _video_of(file, Path(folder), (start_time, end_time, duration))
            folder_of_model = _model_folder(model, recipe, bucket, work_dir)
            _make(video, output, folder_of_model, seed, is_still=bool(picture_demuxer(file)))
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


def _video_of(
    file: Path, folder: Path, times: tuple[float | None, float | None, float | None]
) -> Path:
    """The file, the part of it that is asked for, or a video of a picture."""
    span = cut_span(*times)
    if picture_demuxer(file):
        video = folder / f"{file.stem}.mp4"
        make_still_video(file, video, fps=25, duration_s=span[1] if span else _PICTURE_S)
        return video
    if span is None:
        return file
    start_s, length_s = span
    whole_s = probe(file).duration_s
    if start_s >= whole_s:
        raise SettingsError(f"{file.name} ends after {whole_s:.2f} s, before --start-time")
    cut = file.with_name(f"{file.stem}_cut.mp4")
    encoding = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    scale = ["-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", "-pix_fmt", "yuv420p"]
    arguments = [*input_args(file, "-ss", str(start_s)), "-t", str(length_s), *scale, *encoding]
    run_ffmpeg([*arguments, "-f", "mp4", f"file:{cut.absolute()}"], file.name)
    console.print(f"{cut}: {probe(cut).duration_s:.2f} s", markup=False, soft_wrap=True)
    return cut


def _model_folder(model: Path | None, recipe: Path, bucket: str, work_dir: Path) -> Path:
    from serving.models.stored import fetch_model, find_model  # noqa: PLC0415

    if model is not None:
        return model
    store = shared_bucket(bucket)
    return fetch_model(store, find_model(store, load_recipe(recipe)), work_dir)


def _make(video: Path, output: Path, model: Path, seed: int, *, is_still: bool) -> None:
    from s2s.tasks.generation.predictor.predictor import GenerationPredictor  # noqa: PLC0415 - imports torch

    staged = output.with_name(f".{output.name}.part")
    try:
        predictor = GenerationPredictor.load(model)
        made = predictor.generate(video, staged, seed=seed, is_still=is_still)
        staged.replace(output)
    finally:
        staged.unlink(missing_ok=True)
    steps = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in made.seconds_by_step.items())
    console.print(f"{output} ({made.duration_s:.2f} s; {steps})", markup=False, soft_wrap=True)
