"""`./s2s separate FILE`: the voice of every face in a video, without a server."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from launcher.commands.own_file.answering import (
    answer,
    checked_file,
    chosen_model,
    chosen_recipe,
    keep,
    tell,
)
from launcher.commands.own_file.cut import (
    DurationOption,
    EndOption,
    StartOption,
    cut_span,
    cut_video,
)
from launcher.commands.own_file.options import ModelOption, ModelRecipeOption
from s2s.cli import DEFAULT_BUCKET, BucketOption, WorkDirOption, guarded
from s2s.logs import console
from s2s.tasks.contract import MadeFile
from s2s.workspace import checked_folder, free_names

__all__ = ["separate"]

_SILENT_DB = -60.0
_SILENT_LIPS = {"still": "lips are still", "hardly moving": "lips hardly move"}


def separate(  # noqa: PLR0913 - these are the options of the command line
    file: Annotated[Path, typer.Argument(help="A video with sound.", exists=True, dir_okay=False)],
    *,
    start_time: StartOption = None,
    end_time: EndOption = None,
    duration: DurationOption = None,
    max_faces: Annotated[int, typer.Option(min=1, max=8, help="So many are followed.")] = 4,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder that gets all files, which must exist; by default that of FILE."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    recipe: ModelRecipeOption = None,
    model: ModelOption = None,
    bucket: BucketOption = DEFAULT_BUCKET,
    work_dir: WorkDirOption = Path(".s2s"),
) -> None:
    """Give every face in a video its own voice: FILE_face_1.mp4, FILE_face_1.wav, ...

    A part of the video is kept as FILE_cut.mp4 in the same folder, and its files are called after
    it. Where one of them is there already, all get a number: FILE_face_1_2.mp4, ...
    """

    def work() -> int:
        folder = checked_folder(out or file.parent)
        span = cut_span(start_time, end_time, duration)
        loaded = chosen_recipe(recipe, "cocktail_party", "separation")
        served = chosen_model(model, loaded, bucket, work_dir)
        kind = checked_file(file, served)
        source = file if span is None else cut_video(file, span, folder, with_sound=True)
        with answer(served, (source, kind), {"max_faces": max_faces}) as found:
            kept = _keep_all(found.made.files, folder, source.stem)
        if as_json:
            named = {"file": str(file), "model": served.name}
            typer.echo(_json({**named, **found.made.document}, kept, found.seconds))
        else:
            _print(found.made.document, kept)
            line = f"{source} by {served.name} ({found.steps})"
            console.print(line, markup=False, soft_wrap=True)
        tell(served, found.made.document)
        return 0

    sys.exit(guarded(work, goes_on=False))


def _keep_all(made: Sequence[MadeFile], folder: Path, stem: str) -> dict[str, Path]:
    """Put the files that were made into a folder, over none that is there; their places by name."""
    places = free_names([folder / f"{stem}{part.suffix}" for part in made])
    return {part.name: keep(part, place) for part, place in zip(made, places, strict=True)}


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
    table.add_row("all", "", "", kept["mixture-sound"].name)
    Console().print(table)
    if document["faces_left_out"]:
        console.print(
            f"{document['faces_left_out']} more were seen than --max-faces: what they say is in "
            "what is left"
        )


def _voice_of(face: Mapping[str, Any]) -> str:
    return _SILENT_LIPS.get(face["lips"]) or _level(face["level_db"])


def _level(level_db: float) -> str:
    return "silent" if level_db < _SILENT_DB else f"{round(level_db)} dB"
