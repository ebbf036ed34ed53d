"""`./s2s classify FILE`: what a video shows, on the whole and over time, without a server.

A part is read from the file itself, as by the API: its cut is encoded anew, and for people.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from launcher.commands.own_file.answering import (
    Answer,
    answer,
    checked_file,
    chosen_model,
    chosen_recipe,
    tell,
)
from launcher.commands.own_file.cut import (
    DurationOption,
    EndOption,
    StartOption,
    cut_span,
    cut_video,
)
from launcher.commands.own_file.frames import check_frames_options, kept_frames
from launcher.commands.own_file.options import ModelOption, ModelRecipeOption
from launcher.commands.own_file.stretches import Stretch, stretches_of
from s2s.cli import DEFAULT_BUCKET, BucketOption, WorkDirOption, guarded
from s2s.errors import SettingsError
from s2s.logs import console
from s2s.workspace import checked_folder

if TYPE_CHECKING:
    from serving.models.served import ServedModel

__all__ = ["classify"]

FileArgument = Annotated[
    Path | None, typer.Argument(help="A video, such as .mp4 or .avi.", exists=True, dir_okay=False)
]
VideoPathOption = Annotated[
    Path | None,
    typer.Option("--videopath", help="The same as FILE.", exists=True, dir_okay=False),
]
FramesOption = Annotated[
    Path | None,
    typer.Option(
        help="A folder that gets frames as JPEG, as often as the model looks.",
        rich_help_panel="Frames",
    ),
]
RemovalOption = Annotated[
    bool, typer.Option(help="Remove them in the end.", rich_help_panel="Frames")
]


def classify(  # noqa: PLR0913 - these are the options of the command line
    file: FileArgument = None,
    *,
    videopath: VideoPathOption = None,
    start_time: StartOption = None,
    end_time: EndOption = None,
    duration: DurationOption = None,
    top_k: Annotated[int, typer.Option(min=1, max=100, help="So many classes.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
    save_frames_path: FramesOption = None,
    rm_frames: RemovalOption = False,
    recipe: ModelRecipeOption = None,
    model: ModelOption = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Say what a video shows, and when; or a part of it, which is kept as FILE_cut.mp4."""

    def work() -> int:
        video, span = _one_of(file, videopath), cut_span(start_time, end_time, duration)
        check_frames_options(save_frames_path, remove=rm_frames)
        if span is not None:
            checked_folder(video.parent, "the part is kept beside FILE: copy it to another folder")
        loaded = chosen_recipe(recipe, "kinetics_actions", "classification")
        served = chosen_model(model, loaded, bucket, work_dir)
        kind = checked_file(video, served)
        part = {} if span is None else {"start_s": span[0], "duration_s": span[1]}
        with kept_frames(save_frames_path, remove=rm_frames) as keep_frames:
            shown = video if span is None else cut_video(video, span, video.parent, with_sound=True)
            with answer(served, (video, kind), {"top_k": top_k, **part}) as found:
                processor = found.predictor.classifier.processor  # pyright: ignore[reportAttributeAccessIssue]
                keep_frames(shown, processor.fps)
        _show(video, served, found, as_json=as_json)
        return 0

    sys.exit(guarded(work, goes_on=False))


def _one_of(file: Path | None, videopath: Path | None) -> Path:
    named = [path for path in (file, videopath) if path is not None]
    if len(named) != 1:
        raise SettingsError("name one video: './s2s classify FILE', or --videopath FILE")
    return named[0]


def _show(video: Path, served: "ServedModel", found: Answer, *, as_json: bool) -> None:
    document = found.made.document
    if as_json:
        typer.echo(_json({"file": str(video), "model": served.name, **document}))
    else:
        _print(document)
        console.print(f"{video} by {served.name} ({found.steps})", markup=False, soft_wrap=True)
    tell(served, document)


def _json(content: Mapping[str, Any]) -> str:
    stretches = [stretch.to_json() for stretch in _stretches(content)]
    return json.dumps({**content, "stretches": stretches}, indent=1, ensure_ascii=False)


def _print(document: Mapping[str, Any]) -> None:
    """Two tables in 80 columns: classes on the whole, and stretches of time with their classes."""
    whole = Table(title="On the whole", title_justify="left")
    whole.add_column("class", overflow="fold")
    whole.add_column("probability", justify="right", no_wrap=True)
    for row in document["classes"]:
        whole.add_row(escape(row["label"]), f"{row['probability']:.1%}")
    out = Console()
    out.print(whole)
    if len(document["over_time"]) < 2:
        return
    timed = Table(title="Over time", title_justify="left", caption=_around(document))
    timed.caption_justify = "left"
    timed.add_column("from", justify="right", no_wrap=True)
    timed.add_column("to", justify="right", no_wrap=True)
    timed.add_column("class", overflow="fold")
    timed.add_column("probability", justify="right", no_wrap=True)
    for stretch in _stretches(document):
        start, end = _clock(stretch.start_s), _clock(stretch.end_s)
        timed.add_row(start, end, escape(stretch.label), f"{stretch.probability:.1%}")
    out.print(timed)


def _stretches(document: Mapping[str, Any]) -> list[Stretch]:
    return stretches_of(document["over_time"], several="multi_label" in document)


def _around(document: Mapping[str, Any]) -> str:
    """How exact times are: windows are long, and each stands for its middle."""
    window_s = document["window_s"]
    several = ""
    if "multi_label" in document:
        several = "Classes are independent: all above 50 % are named, or the most probable one. "
    return (
        f"{several}Each instant is judged by the {window_s:g} s around it: a class may begin or "
        f"end up to {window_s / 2:g} s before or after what is shown."
    )


def _clock(seconds: float) -> str:
    """Time as players show it, to a tenth of a second."""
    tenths = round(10 * seconds)
    hours, rest = divmod(tenths, 36_000)
    minutes, tenths = divmod(rest, 600)
    clock = f"{minutes}:{tenths / 10:04.1f}"
    return f"{hours}:{clock:0>7}" if hours else clock
