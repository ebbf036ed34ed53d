"""`python -m serving.client FILE` sends a file, and fetches what is made of it."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from s2s.cli import FileCommand, guarded
from s2s.errors import SettingsError
from s2s.logs import console
from s2s.progress import Bars
from s2s.workspace import checked_folder, checked_output, free_names
from serving.client.api import fetch, make, open_client, read_offers
from serving.jobs.names import plain_stem

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_WITHOUT_FILES = "_result.json"


_File = Annotated[Path, typer.Argument(help="The video or picture.", exists=True, dir_okay=False)]
_Url = Annotated[str, typer.Option(envvar="S2S_URL", help="Where the API is.")]
_Key = Annotated[str | None, typer.Option(envvar="S2S_KEY", help="A key, where the API needs one.")]
_Task = Annotated[str | None, typer.Option(help="What to do, where the API does several things.")]
_ModelName = Annotated[
    str | None, typer.Option(help="The model to use; by default the task's first.")
]
_Out = Annotated[
    Path | None,
    typer.Option(help="The first file that is made, with others beside it; by default by FILE."),
]
_All = Annotated[
    bool, typer.Option("--all", help="Fetch every file that is made, not only the first.")
]
_Seed = Annotated[int | None, typer.Option(help="Another seed gives another sound.")]
_Steps = Annotated[int | None, typer.Option(help="Steps of the sampler.")]
_Guidance = Annotated[float | None, typer.Option(help="How closely the sound follows the picture.")]
_Duration = Annotated[float | None, typer.Option(help="Seconds of sound, for a picture.")]
_FormField = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A field of the form; repeatable."),
]


@app.command(cls=FileCommand)
def run(  # noqa: PLR0913 - these are the options of the command line
    *,
    file: _File,
    url: _Url = "http://127.0.0.1:8000",
    key: _Key = None,
    task: _Task = None,
    model: _ModelName = None,
    out: _Out = None,
    every: _All = False,
    seed: _Seed = None,
    steps: _Steps = None,
    guidance: _Guidance = None,
    duration: _Duration = None,
    field: _FormField = None,
) -> None:
    """Have a model make something of a video or a picture: sound, classes, voices."""
    chosen = {"seed": seed, "steps": steps, "guidance": guidance, "duration_s": duration}

    def work() -> int:
        options = {name: value for name, value in chosen.items() if value is not None}
        options |= _fields(field or [])
        checked_folder((out or file).parent)
        if out is not None:
            checked_output(out, file)
        with open_client(url, key) as http:
            offer = _offer(read_offers(http), task, model)
            options |= _form_of(offer, out, options)
            job = _make(http, offer, file, options)
            for source, path in _targets(job, file, out, every=every):
                fetch(http, source, path)
                console.print(str(path), markup=False, soft_wrap=True)
        console.print(f"({_about(job)})", markup=False, soft_wrap=True)
        return 0

    sys.exit(guarded(work, goes_on=False))


def _fields(texts: Sequence[str]) -> dict[str, str]:
    """Fields of a form, as they are given: NAME=VALUE."""
    for text in texts:
        if "=" not in text:
            raise SettingsError(f"--field {text}: not of the form NAME=VALUE")
    return dict(text.split("=", 1) for text in texts)


def _form_of(
    offer: Mapping[str, Any], out: Path | None, options: Mapping[str, object]
) -> dict[str, object]:
    """The option `format`, as --out is called; nothing for models that have none.

    Raises:
        SettingsError: if --out is called as none of the forms that there are.
    """
    forms = offer["options"].get("format", {}).get("enum", [])
    if out is None or not forms or "format" in options:
        return {}
    chosen = out.suffix.lower().removeprefix(".")
    if chosen not in forms:
        known = " or ".join(f".{form}" for form in forms)
        raise SettingsError(f"--out {out}: must end in {known}, which say what is made")
    return {"format": chosen}


def _offer(
    offers: Sequence[Mapping[str, Any]], task: str | None, model: str | None
) -> Mapping[str, Any]:
    """The first of the models that is of a task and has a name, where these are given."""
    for offer in offers:
        if task in {None, offer["task"]} and model in {None, offer["id"]}:
            return offer
    known = ", ".join(f"{offer['id']} ({offer['task']})" for offer in offers)
    raise SettingsError(f"the API has no such model: use --task or --model of {known}")


def _make(
    http: httpx.Client, offer: Mapping[str, Any], file: Path, options: Mapping[str, object]
) -> Mapping[str, Any]:
    """Have the job done, with a bar for what is sent and one for the work."""
    route = offer["url"].rpartition("/")[2]
    with (
        Bars(in_percent=True) as bars,
        bars.open(file, "rb", description=f"sending {file.name}") as opened,
    ):
        working = bars.add_task("working on it", total=100)
        return make(
            http,
            route,
            opened,
            file.name,
            options={**options, "model": offer["id"]},
            on_progress=lambda share: bars.update(working, completed=round(100 * share)),
        )


def _targets(
    job: Mapping[str, Any], file: Path, out: Path | None, *, every: bool
) -> list[tuple[str, Path]]:
    """Addresses of what was made, and where each is written: only --out over what is there."""
    made, stem = job.get("files") or [], plain_stem(file.name)  # what the API's names begin with
    wanted = made if every else made[:1]
    urls = [one["url"] for one in wanted] or [job["links"]["result"]]
    endings = [one["file_name"].removeprefix(stem) for one in wanted] or [_WITHOUT_FILES]
    named = [(out or file).with_name(f"{file.stem}{ending}") for ending in endings]
    places = [out, *free_names(named[1:])] if out else free_names(named)
    return list(zip(urls, places, strict=True))


def _about(job: Mapping[str, Any]) -> str:
    seed = job["options"].get("seed")
    steps = ", ".join(f"{step} {s:.2f} s" for step, s in job["seconds_by_step"].items())
    return steps if seed is None else f"seed {seed}; {steps}"
