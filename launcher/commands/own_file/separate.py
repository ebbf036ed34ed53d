"""`./s2s separate FILE`: the voice of every face in a video, without a server."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from launcher.commands.own_file.answering import answer, chosen_model, chosen_recipe, keep
from launcher.commands.own_file.cut import (
    DurationOption,
    EndOption,
    StartOption,
    cut_span,
    cut_video,
)
from launcher.commands.own_file.options import ModelOption, ModelRecipeOption
from launcher.commands.own_file.outputs import checked_folder
from s2s.cli import DEFAULT_BUCKET, BucketOption, WorkDirOption, guarded
from s2s.logs import console

__all__ = ["separate"]

_SILENT_DB = -60.0


def separate(  # noqa: PLR0913 - these are the options of the command line
    file: Annotated[Path, typer.Argument(help="A video with sound.", exists=True, dir_okay=False)],
    *,
    start_time: StartOption = None,
    end_time: EndOption = None,
    duration: DurationOption = None,
    max_faces: Annotated[int, typer.Option(min=1, max=8, help="So many are followed.")] = 4,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write to; by default that of FILE.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    recipe: ModelRecipeOption = None,
    model: ModelOption = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Give every face in a video its own voice: FILE_face_1.mp4, FILE_face_1.wav, ..."""

    def work() -> int:
        folder = checked_folder(out or file.parent)
        span = cut_span(start_time, end_time, duration)
        loaded = chosen_recipe(recipe, "cocktail_party", "separation")
        served = chosen_model(model, loaded, bucket, work_dir)
        source = file if span is None else cut_video(file, span, with_sound=True)
        with answer(served, (source, "video"), {"max_faces": max_faces}) as found:
            kept = {
                part.name: keep(part, folder / f"{file.stem}{part.suffix}")
                for part in found.made.files
            }
        if as_json:
            named = {"file": str(file), "model": served.name}
            typer.echo(_json({**named, **found.made.document}, kept, found.seconds))
        else:
            _print(found.made.document, kept)
            line = f"{file} by {served.name} ({found.steps})"
            console.print(line, markup=False, soft_wrap=True)
        return 0

    sys.exit(guarded(work, goes_on=False))


def _json(
    document: Mapping[str, Any], kept: Mapping[str, Path], seconds: Mapping[str, float]
) -> str:
    files = {name: str(path) for name, path in kept.items()}
    content = {**document, "files": files, "seconds": {**document["seconds"], **seconds}}
    return json.dumps(content, indent=1, ensure_ascii=False)


def _print(document: Mapping[str, Any], kept: Mapping[str, Path]) -> None:
    """A table in 80 columns: every face, what was found of its voice, and where it is."""
    table = Table(title="Faces, from left to right", title_justify="left")
    table.add_column("face", no_wrap=True)
    table.add_column("seen", overflow="fold")
    table.add_column("voice", no_wrap=True)
    table.add_column("files", overflow="fold")
    for number, face in enumerate(document["faces"], start=1):
        seen = ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in face["seen"])
        names = [kept[f"{face['name']}-{kind}"].name for kind in ("video", "sound", "picture")]
        table.add_row(str(number), seen, _voice_of(face), "\n".join(names))
    table.add_row("none", "", _level(document["rest_db"]), kept["rest-sound"].name)
    Console().print(table)
    if document["faces_left_out"]:
        console.print(
            f"{document['faces_left_out']} more were seen than --max-faces: what they say is in "
            "what is left"
        )


def _voice_of(face: Mapping[str, Any]) -> str:
    return "lips are still" if face["lips"] == "still" else _level(face["level_db"])


def _level(level_db: float) -> str:
    return "silent" if level_db < _SILENT_DB else f"{round(level_db)} dB"
