"""The images of the services: build, list, push and remove them. Docker does the work."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from s2s.cli import guarded
from s2s.errors import S2SError
from s2s.logs import console
from s2s.settings import STAGES

__all__ = ["images_app"]

ROOT = Path(__file__).parents[2]
DOCKERFILES = {stage: f"services/{stage}/Dockerfile" for stage in STAGES} | {
    "sample": "sample/Dockerfile",
    "bucket": "infra/fake_gcs/Dockerfile",
    "gateway": "infra/gateway/Dockerfile",
    "preprocessing-ray": "infra/ray/Dockerfile",
    "feature_extraction-ray": "infra/ray/Dockerfile",
}
"""Where each image's Dockerfile is, by the image's name without `s2s/`.

An image comes after the one that it is made from."""

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="IMAGE", help="Such as training; all by default.")
]
images_app = typer.Typer(no_args_is_help=True, help="The services' Docker images.")


class DockerError(S2SError):
    """Docker is not there, or does not do what it is asked for."""


@images_app.command()
def build(names: NamesArgument = None) -> None:
    """Build images; what has not changed is taken as it is."""

    def work() -> int:
        for name in _chosen(names):
            console.print(f"s2s/{name}", highlight=False)
            stage, _, with_ray = name.partition("-")
            args = ["--build-arg", f"STAGE={stage}"] if with_ray else []
            _docker("build", "--file", DOCKERFILES[name], *args, "--tag", f"s2s/{name}", ".")
        return 0

    sys.exit(guarded(work))


@images_app.command("list")
def list_images(names: NamesArgument = None) -> None:
    """Show which images there are, when they were built, and their sizes."""

    def work() -> int:
        chosen = _chosen(names)
        found = _docker("images", "--format", "{{.Repository}}\t{{.Size}}\t{{.CreatedSince}}")
        there = dict(line.split("\t", 1) for line in found.splitlines())
        for name in chosen:
            size, _, age = there.get(f"s2s/{name}", "not built\t").partition("\t")
            typer.echo(f"s2s/{name:<20}{size:>12}  {age}".rstrip())
        return 0

    sys.exit(guarded(work))


@images_app.command()
def push(
    registry: Annotated[
        str, typer.Argument(help="Where to: REGION-docker.pkg.dev/PROJECT/REPOSITORY.")
    ],
    names: NamesArgument = None,
    *,
    tag: Annotated[str, typer.Option(help="The images' tag there.")] = "latest",
) -> None:
    """Push images to a registry, which `docker login` or `gcloud auth configure-docker` opens."""

    def work() -> int:
        if registry in DOCKERFILES:
            raise DockerError(
                f"REGISTRY is missing before the image {registry}: name where to push to first, "
                "such as REGION-docker.pkg.dev/PROJECT/REPOSITORY"
            )
        for name in _built(_chosen(names), are_named=bool(names)):
            target = f"{registry.rstrip('/')}/{name}:{tag}"
            _push(name, target)
            console.print(target, highlight=False)
        return 0

    sys.exit(guarded(work))


@images_app.command()
def clean(names: NamesArgument = None) -> None:
    """Remove images; those of other projects, and all volumes, are left alone."""

    def work() -> int:
        built = [name for name in _chosen(names) if _is_built(name)]
        for name in built:
            _docker("rmi", f"s2s/{name}")
            console.print(f"removed s2s/{name}", highlight=False)
        for name in [name for name in names or () if name not in built]:
            console.print(f"s2s/{name} is not built: nothing to remove", highlight=False)
        if not names and not built:
            console.print("no image is built: nothing to remove", highlight=False)
        return 0

    sys.exit(guarded(work))


def _chosen(names: list[str] | None) -> list[str]:
    unknown = sorted(set(names or ()) - DOCKERFILES.keys())
    if unknown:
        named = ", ".join(map(repr, unknown))
        raise DockerError(f"no image {named}: there are {', '.join(DOCKERFILES)}")
    return list(names or DOCKERFILES)


def _is_built(name: str) -> bool:
    return bool(_docker("images", "--quiet", f"s2s/{name}"))


def _built(chosen: list[str], *, are_named: bool) -> list[str]:
    """Those of the images that are built; which are not is said.

    Raises:
        DockerError: if none is, or one is not that was named.
    """
    missing = [name for name in chosen if not _is_built(name)]
    if not missing:
        return chosen
    told = f"not built: {', '.join(missing)}: run './s2s images build {' '.join(missing)}'"
    if are_named or len(missing) == len(chosen):
        raise DockerError(told)
    console.print(told, highlight=False, markup=False)
    return [name for name in chosen if name not in missing]


def _push(name: str, target: str) -> None:
    """Push one image; here it keeps its own name alone, so that `clean` frees its room."""
    _docker("tag", f"s2s/{name}", target)
    try:
        _docker("push", target)
    except DockerError as error:
        host = target.partition("/")[0]
        raise DockerError(
            f"{error}; is the address right, and does 'docker login {host}' open it?"
        ) from error
    finally:
        _docker("rmi", "--no-prune", target)


def _docker(*args: str) -> str:
    """Run docker; what it prints. Builds and pushes show their progress.

    Raises:
        DockerError: if it is not installed, no engine answers, or it fails.
    """
    program = shutil.which("docker")
    if program is None:
        raise DockerError("docker is not installed: install Docker Engine 20.10 or later")
    done = subprocess.run(
        [program, *args],
        cwd=ROOT,
        stdout=None if args[0] in {"build", "push"} else subprocess.PIPE,
        stderr=None if args[0] == "build" else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in (done.stderr or "").splitlines() if line.strip()]
        said = lines[-1] if lines else "see above"
        raise DockerError(f"'docker {' '.join(args[:2])}' failed: {said}")
    return (done.stdout or "").rstrip("\n")
