"""The stage: proof that the pipeline's model serves, by held-out clips sent through the API."""

import mimetypes
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx

from s2s.dataset import DatasetClip, read_version
from s2s.dataset.held_out import HeldOut, answered_clips, choose_held_out
from s2s.errors import MediaError, StageError
from s2s.layout import held_out_prefix
from s2s.logs import console
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, Work, fan_out, finish, shared_bucket
from s2s.storage import Bucket, DirectoryBucket
from s2s.tasks.loading import load_task
from serving.client import ApiError, open_client, send_file
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.models.stored import StoredModel, fetch_model, find_model, model_of_folder

__all__ = ["run"]


def run(settings: Settings) -> StageReport:
    """Send held-out clips through the API, and store what comes back.

    Raises:
        ModelError: if there is no model, or it cannot be loaded.
        StageError: if the API stops answering.
        BucketUnavailableError: if the bucket does not answer.
    """
    started = time.monotonic()
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    model = find_model(bucket, recipe)
    version = read_version(bucket, recipe, model.version)
    prefix = held_out_prefix(recipe, model.version)
    held_out = choose_held_out(version, recipe.serving.show_clips)
    clips = {clip.clip_id: clip for clip in held_out.clips}
    done = clips.keys() & answered_clips(bucket, recipe, model.version)
    if recipe.why_not_shown:
        console.print(f"serving: no clip is sent: {recipe.why_not_shown}")
        skipped = [_not_shown(clip_id) for clip_id in clips]
        return finish(settings, "serving", skipped, started, {"model": model.prefix})
    # On this machine, whatever the engine is: the API listens on loopback only.
    local = settings.model_copy(update={"engine": "local"})
    with (
        _api(settings, bucket, model) if clips.keys() - done else nullcontext("") as url,
        open_client(url) as http,
    ):
        show = _Show(settings, http, held_out, prefix)
        outcomes = fan_out(local, Work("serving", prefix, clips, done, show, True, workers=1))
    outputs = {
        "model": model.prefix,
        "version": model.version,
        "held_out": prefix,
        "median_seconds": round(statistics.median(show.seconds), 3) if show.seconds else None,
    }
    return finish(settings, "serving", outcomes.values(), started, outputs)


def _not_shown(clip_id: str) -> Outcome:
    return Outcome(clip_id=clip_id, status=Status.SKIPPED, reason=Reason.LEFT_OUT)


@contextmanager
def _api(settings: Settings, bucket: Bucket, model: StoredModel) -> Iterator[str]:
    """A server for this stage alone, beside one that may run already; its address."""
    folder = fetch_model(bucket, model, settings.work_dir)
    served = model_of_folder(folder, model.name, settings.recipe)
    limits = Limits.of(settings.recipe.serving)
    with tempfile.TemporaryDirectory(prefix="serving-", dir=settings.work_dir) as own:
        # Answers are stored as the stage's own: their copies go with its folder.
        results = DirectoryBucket(Path(own) / "results")
        with Server(create_app([served], limits, Path(own), results)).running() as url:
            yield url


class _Show:
    """Sends what the task proves itself by, made of a clip, through the API; stores the answer.

    Attributes:
        seconds: how long the API took for each clip.
    """

    def __init__(
        self, settings: Settings, http: httpx.Client, held_out: HeldOut, prefix: str
    ) -> None:
        self.seconds: list[float] = []
        self._settings = settings
        self._bucket = shared_bucket(settings.bucket_url)
        self._http = http
        self._held_out = held_out
        self._prefix = prefix
        self._task = load_task(settings.recipe.task)

    def __call__(self, clip: DatasetClip) -> Outcome:
        check, recipe = self._task.proof.check, self._settings.recipe
        with tempfile.TemporaryDirectory(prefix="show-", dir=self._settings.work_dir) as folder:
            answer = Path(folder) / "answer"
            sent = self._make_upload(clip, Path(folder))
            suffix = self._send(sent, answer)
            message = "" if check is None else check(recipe, sent, answer)
            key = f"{self._prefix}{clip.clip_id}{suffix}"
            info = self._bucket.upload(answer, key, overwrite=True)
        return Outcome(
            clip_id=clip.clip_id,
            status=Status.OK,
            message=message,
            key=key,
            crc32c=info.crc32c,
            size=info.size,
        )

    def _make_upload(self, clip: DatasetClip, folder: Path) -> Path:
        """Download a clip, and make what is sent of it."""
        stored, sent, proof = folder / "clip.mp4", folder / "upload.mp4", self._task.proof
        self._bucket.download(clip.key, stored)
        if proof.make_pair is not None:
            beside = folder / "other.mp4"
            self._bucket.download(self._held_out.other(clip).key, beside)
            proof.make_pair(stored, beside, sent)
        elif proof.make_upload is not None:
            proof.make_upload(stored, sent)
        else:
            return stored
        return sent

    def _send(self, video: Path, output: Path) -> str:
        """Have a file worked on; the extension of what comes back."""
        started, offer = time.monotonic(), self._task.offer
        has_seed = "seed" in offer.options.model_fields
        # The one that metrics are of.
        options = {"seed": self._settings.recipe.seed} if has_seed else {}
        try:
            with video.open("rb") as file:
                answer = send_file(
                    self._http, offer.route, file, video.name, output, options=options
                )
        except ApiError as error:
            if not error.status:
                raise StageError(f"the API does not answer: {error}") from error
            raise MediaError(error.reason or Reason.UNKNOWN, str(error)) from error
        self.seconds.append(time.monotonic() - started)
        return mimetypes.guess_extension(answer.media_type) or ".bin"
