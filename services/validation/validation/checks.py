"""What a clip must be to be of use, looked at once: the files are decoded to their ends."""

import hashlib
import math
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from s2s.errors import MediaError
from s2s.layout import checks_prefix, processed_prefix
from s2s.media import open_guarded, read_audio
from s2s.records import Outcome, Reason, Status
from s2s.settings import Recipe, Settings
from s2s.stage import shared_bucket
from s2s.storage import Bucket

__all__ = ["CheckTask", "ClipCheck", "check_key", "measure_picture", "measure_sound", "read_checks"]

_READS_AT_A_TIME = 16


class ClipCheck(BaseModel):
    """What was found of a usable clip.

    Attributes:
        key: its mp4 in the bucket; `wav_key` its wav.
        size: bytes; `wav_size` those of the wav.
        crc32c: checksum in base64; `wav_crc32c` that of the wav.
        sha256: checksum in hexadecimal; `wav_sha256` that of the wav.
        duration_s: length of the picture, decoded.
        sound_s: length of the sound, decoded.
        loudness_dbfs: the loudest sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    size: int
    crc32c: str
    sha256: str
    wav_key: str
    wav_size: int
    wav_crc32c: str
    wav_sha256: str
    duration_s: float
    sound_s: float
    loudness_dbfs: float


@dataclass(frozen=True)
class CheckTask:
    """Checks one clip and stores what it found.

    Attributes:
        settings: the run's settings.
        folder: the run's directory for temporary files.
    """

    settings: Settings
    folder: Path

    def __call__(self, clip_id: str) -> Outcome:
        """Work on one clip.

        Raises:
            MediaError: `no_video`, `no_audio`, `corrupt`, `too_short` or `silent`.
        """
        recipe = self.settings.recipe
        bucket = shared_bucket(self.settings.bucket_url)
        key = processed_prefix(recipe) + clip_id
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            video, sound = Path(folder, f"{clip_id}.mp4"), Path(folder, f"{clip_id}.wav")
            mp4 = bucket.download(f"{key}.mp4", video)
            wav = bucket.download(f"{key}.wav", sound)
            loudness_dbfs, sound_s = measure_sound(sound, recipe.spec.sample_rate_hz)
            check = ClipCheck(
                key=mp4.key,
                size=mp4.size,
                crc32c=mp4.crc32c,
                sha256=_sha256(video),
                wav_key=wav.key,
                wav_size=wav.size,
                wav_crc32c=wav.crc32c,
                wav_sha256=_sha256(sound),
                duration_s=measure_picture(video),
                sound_s=sound_s,
                loudness_dbfs=loudness_dbfs,
            )
        _judge(clip_id, check, recipe)
        bucket.write(check_key(recipe, clip_id), check.model_dump_json().encode())
        return Outcome(
            clip_id=clip_id,
            status=Status.OK,
            key=mp4.key,
            crc32c=mp4.crc32c,
            size=mp4.size + wav.size,
        )


def check_key(recipe: Recipe, clip_id: str) -> str:
    """Where a clip's check is."""
    return f"{checks_prefix(recipe)}{clip_id}.json"


def read_checks(bucket: Bucket, recipe: Recipe, clip_ids: Iterable[str]) -> dict[str, ClipCheck]:
    """Read the checks of clips, by clip id.

    Raises:
        ObjectNotFoundError: if a clip was not checked.
    """
    names = list(clip_ids)
    keys = [check_key(recipe, name) for name in names]
    with ThreadPoolExecutor(_READS_AT_A_TIME) as pool:
        checks = [ClipCheck.model_validate_json(data) for data in pool.map(bucket.read, keys)]
    return dict(zip(names, checks, strict=True))


def measure_picture(path: Path) -> float:
    """Decode a clip's picture from its first frame to its last; its length in seconds.

    Raises:
        MediaError: `no_video` without a picture, `corrupt` if a frame is damaged or missing.
    """
    with open_guarded(path) as file:
        if not file.streams.video:
            raise MediaError(Reason.NO_VIDEO, f"{path.name}: has no picture")
        stream = file.streams.video[0]
        step_s = float(1 / stream.average_rate) if stream.average_rate else 0.0
        n_frames, end_s = 0, 0.0
        for frame in file.decode(stream):
            if frame.is_corrupt:
                raise MediaError(
                    Reason.CORRUPT, f"{path.name}: frame {n_frames} of its picture is damaged"
                )
            n_frames += 1
            end_s = max(end_s, (frame.time or 0.0) + step_s)
        if not n_frames or n_frames < stream.frames:
            raise MediaError(
                Reason.CORRUPT,
                f"{path.name}: {n_frames} of the {stream.frames} frames of its picture are there",
            )
        return round(end_s, 6)


def measure_sound(path: Path, sample_rate_hz: int) -> tuple[float, float]:
    """Decode a clip's sound; its loudest sample in dBFS, and its length in seconds.

    Raises:
        MediaError: `no_audio` without sound, `corrupt` if it cannot be decoded.
    """
    samples = read_audio(path, sample_rate_hz)
    peak = max(float(np.abs(samples).max()), 1e-10)
    return round(20 * math.log10(peak), 2), round(len(samples) / sample_rate_hz, 6)


def _judge(clip_id: str, check: ClipCheck, recipe: Recipe) -> None:
    shortest_s = recipe.preprocessing.min_duration_s - 1 / recipe.spec.fps
    for what, length_s in (("picture", check.duration_s), ("sound", check.sound_s)):
        if length_s < shortest_s:
            raise MediaError(
                Reason.TOO_SHORT,
                f"{clip_id}: its {what} is {length_s:.2f} s long, at least "
                f"{recipe.preprocessing.min_duration_s:.2f} s are asked for "
                "(preprocessing.min_duration_s of the recipe)",
            )
    quietest_dbfs = recipe.validation.min_loudness_dbfs
    if check.loudness_dbfs < quietest_dbfs:
        raise MediaError(
            Reason.SILENT,
            f"{clip_id}: its loudest sample has {check.loudness_dbfs:.1f} dBFS, at least "
            f"{quietest_dbfs:.1f} are asked for (validation.min_loudness_dbfs of the recipe)",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
