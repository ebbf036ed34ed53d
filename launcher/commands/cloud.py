"""`./s2s cloud`: train on Vertex AI; follow and cancel trainings."""

import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zlib import crc32

import typer

from launcher.cloud.job import JobState, TrainingJob
from launcher.cloud.place import DEFAULT_PLACES, Place
from s2s.cli import FAILURE_STATUS, RecipeArgument, guarded
from s2s.errors import SettingsError
from s2s.layout import recipe_copy_key
from s2s.logs import console
from s2s.settings import Recipe
from s2s.stage import shared_bucket
from s2s.storage import Bucket
from s2s.tasks.recipes import load_recipe

if TYPE_CHECKING:
    from launcher.cloud.following import Follower

__all__ = ["cloud_app"]

cloud_app = typer.Typer(
    no_args_is_help=True, help="Train on Vertex AI; infra/terraform makes what it needs."
)

_SWITCHES = "Switches"
_PLACES = f"""A PLACE is REGION:MACHINE[:ACCELERATOR[:COUNT]].

By default these are tried:

{chr(10).join(f"- {place}" for place in DEFAULT_PLACES)}
"""

ProjectOption = Annotated[
    str | None, typer.Option(help="Google Cloud project; the credentials' own unless named.")
]
PollOption = Annotated[float, typer.Option(help="Seconds from one look to the next.", min=0.01)]
GoogleBucketOption = Annotated[str, typer.Option(envvar="S2S_BUCKET", help="gs://NAME.")]
ImageOption = Annotated[
    str,
    typer.Option(envvar="S2S_TRAINING_IMAGE", help="The training image, with its tag or digest."),
]
PlaceOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PLACE",
        help="Where it runs, see below; may be given several times: the next is tried where there "
        "is no quota or no machine.",
    ),
]
AccountOption = Annotated[
    str | None,
    typer.Option(help="Service account that it runs as; by default the project's s2s-training."),
]
SpotOption = Annotated[
    bool,
    typer.Option(
        help="On machines that may be taken away: cheaper; it then goes on.",
        rich_help_panel=_SWITCHES,
    ),
]
TimeoutOption = Annotated[float, typer.Option(help="It is stopped after so long.", min=0.1)]
WaitOption = Annotated[
    float, typer.Option(help="A place that has found no machine is left after so long.", min=0)
]
WandbOption = Annotated[
    str | None,
    typer.Option(
        help="Secret Manager's secret that has the key of W&B, such as s2s-wandb: the training is "
        "followed there, too, if the recipe says so."
    ),
]
FollowOption = Annotated[
    bool, typer.Option(help="Show its log and wait for its end.", rich_help_panel=_SWITCHES)
]
JobArgument = Annotated[
    str, typer.Argument(help="projects/PROJECT/locations/REGION/customJobs/ID, as train prints it.")
]


@cloud_app.command(epilog=_PLACES)
def train(  # noqa: PLR0913 - these are the options of the command line
    recipe: RecipeArgument,
    *,
    bucket: GoogleBucketOption,
    image: ImageOption,
    place: PlaceOption = None,
    project: ProjectOption = None,
    service_account: AccountOption = None,
    spot: SpotOption = True,
    timeout_hours: TimeoutOption = 48,
    wait_minutes: WaitOption = 30,
    wandb_secret: WandbOption = None,
    follow: FollowOption = True,
    poll: PollOption = 10.0,
) -> None:
    """Train a recipe's model on Vertex AI, where there is a machine, and follow its log."""
    from launcher.cloud.following import Follower  # noqa: PLC0415 - Google's client is slow
    from launcher.cloud.vertex import Vertex  # noqa: PLC0415

    def work() -> int:
        places = [Place.parse(text) for text in place or DEFAULT_PLACES]
        loaded = load_recipe(recipe)
        store = _google_bucket(bucket)
        vertex = Vertex(project)
        vertex.check_image(image)
        account = service_account or f"s2s-training@{vertex.project}.iam.gserviceaccount.com"
        job = TrainingJob(
            name=f"s2s training {loaded.name}",
            run=secrets.token_hex(8),
            image=image,
            args=(f"{bucket}/{_store_recipe(store, loaded, recipe)}",),
            service_account=account,
            timeout_s=round(timeout_hours * 3600),
            environment={"S2S_BUCKET": bucket} | _wandb(wandb_secret, vertex.project),
            is_spot=spot,
            nodes=loaded.training.nodes,
        )
        follower = Follower(vertex, _show, poll, wait_s=wait_minutes * 60)
        return _train(job, places, follower, is_followed=follow)

    sys.exit(guarded(work))


@cloud_app.command("follow")
def follow_command(
    job: JobArgument, *, project: ProjectOption = None, poll: PollOption = 10
) -> None:
    """Show a training's log, from its start, and wait for its end."""
    from launcher.cloud.following import Follower  # noqa: PLC0415
    from launcher.cloud.vertex import Vertex  # noqa: PLC0415

    def work() -> int:
        vertex = Vertex(project or _project_of(job))
        return _followed(job, lambda: Follower(vertex, _show, poll).follow(vertex.state(job)))

    sys.exit(guarded(work))


@cloud_app.command()
def cancel(job: JobArgument, *, project: ProjectOption = None) -> None:
    """Stop a training; what it has saved stays, and the next one goes on from there."""
    from launcher.cloud.vertex import Vertex  # noqa: PLC0415

    def work() -> int:
        Vertex(project or _project_of(job)).cancel(job)
        console.print("It is being stopped. The same training, started again, goes on from there.")
        return 0

    sys.exit(guarded(work))


def _wandb(secret: str | None, project: str) -> dict[str, str]:
    """Variables of a training that gets its key of W&B by itself: Vertex AI mounts no secrets."""
    if secret is None:
        return {}
    name = secret if "/" in secret else f"projects/{project}/secrets/{secret}"
    return {"WANDB_MODE": "online", "WANDB_API_KEY_SECRET": name}


def _store_recipe(store: Bucket, recipe: Recipe, path: Path) -> str:
    """Store a copy of a recipe for the job; its key."""
    text = path.read_bytes()
    key = recipe_copy_key(recipe, f"{crc32(text):08x}")
    store.write(key, text)
    return key


def _google_bucket(url: str) -> Bucket:
    if not url.startswith("gs://"):
        raise SettingsError(f"bucket {url!r}: Vertex AI reaches none but gs://NAME: name one")
    store = shared_bucket(url)
    store.check()
    return store


def _train(
    job: TrainingJob, places: Sequence[Place], follower: "Follower", *, is_followed: bool
) -> int:
    accepted = ""

    def on_start(state: JobState) -> bool:
        nonlocal accepted
        accepted = state.name
        _show(f"-- {state.name}")
        return is_followed

    def start() -> JobState:
        from launcher.cloud.following import train_somewhere  # noqa: PLC0415

        return train_somewhere(job, places, follower, on_start)

    if is_followed:
        return _followed(lambda: accepted, start)
    start()
    _show(f"-- follow it: ./s2s cloud follow {accepted}")
    return 0


def _followed(name: str | Callable[[], str], work: Callable[[], JobState]) -> int:
    try:
        state = work()
    except KeyboardInterrupt:
        if job := name if isinstance(name, str) else name():
            _show(f"-- it goes on: ./s2s cloud follow {job}")
            _show(f"-- to stop it: ./s2s cloud cancel {job}")
        raise
    _show(f"-- {state.state.lower()}" + (f": {state.message}" if state.message else ""))
    return 0 if state.state == "SUCCEEDED" else FAILURE_STATUS


def _project_of(job: str) -> str | None:
    parts = job.split("/")
    return parts[1] if len(parts) > 1 else None


def _show(line: str) -> None:
    print(line, flush=True)
