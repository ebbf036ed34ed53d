"""`./s2s separate FILE`: the voice of every face in a video, without a server."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.console import Console
from rich.table import Table

from launcher.commands.own_file.answering import answer, chosen_model
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

__all__ = ["separate"]

_TASK = "separation"
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
        folder = out or file.parent
        if not folder.is_dir():
            raise SettingsError(f"{folder}: no such folder: make it, or choose another --out")
        span = cut_span(start_time, end_time, duration)
        loaded = load_recipe(recipe or sample_recipe("cocktail_party"))
        if loaded.task != _TASK:
            raise SettingsError(
                f"recipe {recipe}: its task is {loaded.task}, not {_TASK}: name another --recipe"
            )
        served = chosen_model(model, loaded, bucket, work_dir)
        source = file if span is None else cut_video(file, span, with_sound=True)
        with answer(served, (source, "video"), {"max_faces": max_faces}) as found:
            kept = {part.name: _keep(part, file.stem, folder) for part in found.made.files}
        document = found.made.document
        if as_json:
            content = {"file": str(file), "model": served.name, **document}
            content["files"] = {name: str(path) for name, path in kept.items()}
            content["seconds"] = {**document["seconds"], **found.seconds}
            typer.echo(json.dumps(content, indent=1, ensure_ascii=False))
        else:
            _print(document, kept)
            steps = ", ".join(f"{name} {taken:.2f} s" for name, taken in found.seconds.items())
            console.print(f"{file} by {served.name} ({steps})", markup=False, soft_wrap=True)
        return 0

    sys.exit(guarded(work))


def _keep(made: MadeFile, stem: str, folder: Path) -> Path:
    """Put a file that was made where the user wants it, whole or not at all."""
    output = folder / f"{stem}{made.suffix}"
    staged = folder / f".{uuid4().hex}.part"  # others may write the same file
    try:
        shutil.copyfile(made.path, staged)
        staged.replace(output)
    finally:
        staged.unlink(missing_ok=True)
    return output


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
