"""What a clip must be to be of use, looked at once: the files are decoded to their ends."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from s2s.errors import MediaError
from s2s.layout import checks_prefix, processed_prefix
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Recipe, Settings
from s2s.stage import shared_bucket
from s2s.storage import Bucket
from s2s.workspace import folder_in
from validation.checks.picture import PictureFigures, measure_picture
from validation.checks.sound import SoundFigures, measure_sound
from validation.checksum import sha256_of_file

__all__ = ["CheckTask", "ClipCheck", "check_key", "read_checks"]

_READS_AT_A_TIME, _READ_AHEAD = 16, 1000


class ClipCheck(BaseModel):
    """What was found of a usable clip.

    Attributes:
        key: its mp4 in the bucket; `wav_key` its wav.
        size: bytes; `wav_size` those of the wav.
        crc32c: checksum in base64; `wav_crc32c` that of the wav.
        sha256: checksum in hexadecimal; `wav_sha256` that of the wav.
        picture: figures of the mp4's picture.
        sound: figures of the wav.
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
    picture: PictureFigures
    sound: SoundFigures


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
        """Work on one clip: each of its two files is decoded once.

        Raises:
            MediaError: `no_video`, `no_audio`, `corrupt`, or what `problems` finds first.
        """
        recipe = self.settings.recipe
        bucket = shared_bucket(self.settings.bucket_url)
        key = processed_prefix(recipe) + clip_id
        with folder_in(self.folder) as folder:
            video, sound = folder / f"{clip_id}.mp4", folder / f"{clip_id}.wav"
            mp4 = bucket.download(f"{key}.mp4", video)
            wav = bucket.download(f"{key}.wav", sound)
            heard = measure_sound(sound, recipe.spec.sample_rate_hz)
            check = ClipCheck(
                key=mp4.key,
                size=mp4.size,
                crc32c=mp4.crc32c,
                sha256=sha256_of_file(video),
                wav_key=wav.key,
                wav_size=wav.size,
                wav_crc32c=wav.crc32c,
                wav_sha256=sha256_of_file(sound),
                sound=heard,
                picture=measure_picture(video, [moment.at_s for moment in heard.moments]),
            )
        for reason, message in _problems(check, recipe):
            raise MediaError(reason, f"{clip_id}: {message}")
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


def read_checks(
    bucket: Bucket, recipe: Recipe, clip_ids: Sequence[str]
) -> Iterator[tuple[str, ClipCheck]]:
    """Read the checks of clips one after another, each with its clip id.

    Raises:
        ObjectNotFoundError: if a clip was not checked.
    """
    with ThreadPoolExecutor(_READS_AT_A_TIME) as pool:
        for start in range(0, len(clip_ids), _READ_AHEAD):
            names = clip_ids[start : start + _READ_AHEAD]
            found = pool.map(bucket.read, [check_key(recipe, name) for name in names])
            for name, data in zip(names, found, strict=True):
                yield name, ClipCheck.model_validate_json(data)


def _problems(check: ClipCheck, recipe: Recipe) -> Iterator[tuple[Reason, str]]:
    """What is wrong with a clip, the worst first."""
    shortest_s = recipe.preprocessing.min_duration_s - 1 / recipe.spec.fps
    for what, length_s in (
        ("picture", check.picture.duration_s),
        ("sound", check.sound.duration_s),
    ):
        if length_s < shortest_s:
            yield (
                Reason.TOO_SHORT,
                f"its {what} is {length_s:.2f} s long, at least "
                f"{recipe.preprocessing.min_duration_s:.2f} s are asked for "
                "(preprocessing.min_duration_s of the recipe)",
            )
    yield from _sound_problems(check.sound, recipe)
    yield from _picture_problems(check.picture, recipe)
    picture, most_s = check.picture, recipe.validation.checks.max_av_offset_s
    starts_apart_s = abs(picture.sound_starts_s - picture.starts_s)
    ends_apart_s = abs(picture.duration_s - check.sound.duration_s)
    if max(starts_apart_s, ends_apart_s) > most_s:
        yield (
            Reason.OUT_OF_STEP,
            f"picture and sound begin {starts_apart_s:.2f} s and end {ends_apart_s:.2f} s apart, "
            f"at most {most_s:.2f} s are allowed (validation.checks.max_av_offset_s of the recipe)",
        )


def _sound_problems(sound: SoundFigures, recipe: Recipe) -> Iterator[tuple[Reason, str]]:
    section = recipe.validation
    if sound.is_nothing and recipe.preprocessing.no_audio == "silent":
        return  # what preprocessing gives a clip whose source has no sound, as was asked for
    if sound.loudness_dbfs < section.min_loudness_dbfs:
        yield (
            Reason.SILENT,
            f"its loudest sample has {sound.loudness_dbfs:.1f} dBFS, at least "
            f"{section.min_loudness_dbfs:.1f} are asked for "
            "(validation.min_loudness_dbfs of the recipe)",
        )
    if sound.is_constant:
        yield (
            Reason.CONSTANT,
            f"its sound never moves from {sound.loudness_dbfs:.1f} dBFS at all",
        )
    most = section.checks.max_clipped_share
    if sound.clipped_share > most:
        yield (
            Reason.CLIPPED,
            f"{sound.clipped_share:.0%} of its samples are at full scale, at most {most:.0%} may "
            "be (validation.checks.max_clipped_share of the recipe)",
        )


def _picture_problems(picture: PictureFigures, recipe: Recipe) -> Iterator[tuple[Reason, str]]:
    limits, side_px = recipe.validation.checks, min(picture.width, picture.height)
    if picture.fps < limits.min_fps:
        yield (
            Reason.LOW_FRAME_RATE,
            f"{picture.fps:g} frames a second, at least {limits.min_fps:g} are asked for "
            "(validation.checks.min_fps of the recipe)",
        )
    if side_px < limits.min_side_px:
        yield (
            Reason.LOW_RESOLUTION,
            f"its shorter side has {side_px} pixels, at least {limits.min_side_px} are asked for "
            "(validation.checks.min_side_px of the recipe)",
        )
    if picture.brightness < limits.min_brightness:
        yield (
            Reason.BLACK,
            f"its brightest frame has {picture.brightness:.1f} of 255 on average, at least "
            f"{limits.min_brightness:g} are asked for "
            "(validation.checks.min_brightness of the recipe)",
        )
    if picture.motion <= limits.min_motion:
        yield (
            Reason.FROZEN,
            f"no pixel ever changes by more than {picture.motion:.1f} of 255, more than "
            f"{limits.min_motion:g} is asked for (validation.checks.min_motion of the recipe)",
        )
    elif picture.is_still and limits.min_motion >= 0:
        yield (
            Reason.FROZEN,
            "it shows a still picture: what changes is grain, a fade, a slow zoom or pan, or a "
            "drawn equaliser (validation.checks.min_motion: -1 in the recipe takes still pictures)",
        )
