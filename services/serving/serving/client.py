"""The API's client: `python -m serving.client FILE` gives a video sound."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import httpx
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from s2s.cli import guarded
from s2s.errors import S2SError
from s2s.logs import console
from serving.headers import SEED_HEADER

__all__ = ["Answer", "ApiError", "app", "generate", "open_client"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_CONNECT_TIMEOUT_S = 10.0
_TIMING = re.compile(r"([\w-]+);dur=([\d.]+)")


class ApiError(S2SError):
    """The API refused a request, or could not be reached.

    Args:
        status: the HTTP status; 0 if there was no answer.
        message: what was wrong, and what to do.
        reason: the reason code of a video that cannot be used.
    """

    def __init__(self, status: int, message: str, reason: str | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.reason = reason

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Answer:
    """What came with a video that was given sound.

    Attributes:
        seed: the seed that was used.
        seconds_by_step: time that each of the server's steps took.
    """

    seed: int
    seconds_by_step: dict[str, float]


def generate(
    http: httpx.Client,
    video: BinaryIO,
    name: str,
    output: Path,
    options: Mapping[str, float] | None = None,
) -> Answer:
    """Send a video, and write the answer.

    Args:
        http: a client whose base URL is the API's.
        video: the video, read piece by piece.
        name: its file name.
        output: where the mp4 with sound is written, whole or not at all.
        options: seed, steps and guidance, see docs/api.md.

    Raises:
        ApiError: if the API refuses it, or does not answer.
    """
    fields = {key: str(value) for key, value in (options or {}).items()}
    staged = output.with_name(f".{output.name}.part")
    try:
        with http.stream(
            "POST", "/v1/generations", files={"video": (name, video)}, data=fields
        ) as answer:
            if answer.status_code != httpx.codes.OK or SEED_HEADER not in answer.headers:
                answer.read()
                raise _refusal(answer)
            with staged.open("wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)
        staged.replace(output)
    except httpx.HTTPError as error:
        raise ApiError(
            0,
            f"{http.base_url}: no whole answer ({error or type(error).__name__}). Start the server "
            "with './s2s serve', or name another with --url",
        ) from error
    finally:
        staged.unlink(missing_ok=True)
    timing = _TIMING.findall(answer.headers.get("server-timing", ""))
    seconds = {step: float(value) / 1000 for step, value in timing}
    return Answer(int(answer.headers[SEED_HEADER]), seconds)


def open_client(url: str) -> httpx.Client:
    """A client for the API at an address; an answer may take as long as it takes."""
    timeout = httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S)
    return httpx.Client(base_url=url, timeout=timeout, trust_env=False)


def _refusal(answer: httpx.Response) -> ApiError:
    if answer.headers.get("content-type") != "application/problem+json":
        return ApiError(
            answer.status_code, f"{answer.url} answered with status {answer.status_code}"
        )
    problem = answer.json()
    message = f"{problem['title']}: {problem['detail']}"
    return ApiError(answer.status_code, message, problem.get("reason"))


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The video.", exists=True, dir_okay=False)],
    url: Annotated[
        str, typer.Option(envvar="S2S_URL", help="Where the API is.")
    ] = "http://127.0.0.1:8000",
    out: Annotated[
        Path | None, typer.Option(help="The mp4 to write; by default FILE_with_sound.mp4.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another sound.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Steps of the sampler.")] = None,
    guidance: Annotated[
        float | None, typer.Option(help="How closely the sound follows the picture.")
    ] = None,
) -> None:
    """Give a video generated sound."""
    output = out or file.with_name(f"{file.stem}_with_sound.mp4")
    chosen = {"seed": seed, "steps": steps, "guidance": guidance}
    options = {name: value for name, value in chosen.items() if value is not None}

    def work() -> int:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with (
            Progress(*columns, TimeElapsedColumn(), console=console) as progress,
            progress.open(file, "rb", description=f"sending {file.name}") as video,
            open_client(url) as http,
        ):
            answer = generate(http, video, file.name, output, options)
        steps_taken = ", ".join(f"{step} {s:.2f} s" for step, s in answer.seconds_by_step.items())
        console.print(f"{output} (seed {answer.seed}; {steps_taken})", markup=False, soft_wrap=True)
        return 0

    sys.exit(guarded(work))


if __name__ == "__main__":
    app()
