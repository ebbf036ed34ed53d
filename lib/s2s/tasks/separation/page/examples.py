"""Mixtures that an evaluation chose: what was heard, and each face's voice, found and true.

An evaluation stores, for the held-out clip that a mixture is made for (`AnswerFiles.show`):

<clip_id>.json                 `condition`; `faces`, a list: `clip_id` whose face it is, `is_heard`,
                               `before_db` and `after_db`: its voice's SI-SDR in the mixture and in
                               what was found, or, of one that is not heard, `left_db`: the energy
                               that was found against the mixture's
<clip_id>.mixture.wav
<clip_id>.<n>.model.wav        what was found for face n, counted from 0
<clip_id>.<n>.truth.wav        its voice, where it is heard
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from s2s.dataset import read_version
from s2s.layout import evaluation_prefix
from s2s.media import read_audio, read_frames
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.common.html import render
from s2s.tasks.common.pictures import jpeg_of
from s2s.tasks.common.spectrogram import draw_spectrogram
from s2s.tasks.separation.page.published import LIPS_ALONE, OTHERS
from s2s.tasks.separation.settings import SeparationRecipe
from s2s.workspace import scratch

__all__ = ["CONDITION_TITLES", "show_examples"]

_TEMPLATE = Path(__file__).with_name("examples.html.jinja")
_ALONE_DB = 50.0
"""A mixture that is nearer to a voice than this is nothing but that voice."""
CONDITION_TITLES = {
    "different_voices": "Two speakers",
    "same_voice": "The same speaker twice",
    "three_voices": "Three speakers",
    "noise": "A speaker and noise",
    "silent_face": "A speaker beside a face at rest",
    "muted_face": "A speaker beside a face whose lips move without a sound",
}


@dataclass(frozen=True)
class _Sound:
    title: str
    wav: bytes
    spectrogram: bytes


@dataclass(frozen=True)
class _Face:
    picture: bytes | None
    verdict: str
    sounds: tuple[_Sound, ...]


@dataclass(frozen=True)
class _Mixture:
    clip_id: str
    title: str
    why: str
    mixture: _Sound
    faces: tuple[_Face, ...]


def show_examples(bucket: Bucket, recipe: Recipe, content: Mapping[str, Any]) -> str:
    """HTML of the mixtures that an evaluation chose, and of others' figures on other data.

    Args:
        bucket: where clips and answers are.
        recipe: whose model was evaluated.
        content: what `evaluation.json` says.

    Raises:
        VersionError: if there is no such data set version.
        MediaError: if a sound or a clip cannot be read.
        BucketUnavailableError: if the bucket does not answer.
    """
    version = read_version(bucket, recipe, content["version"])
    keys = {clip.clip_id: clip.key for clips in version.clips.values() for clip in clips}
    prefix = f"{evaluation_prefix(recipe, version.name)}examples/"
    assert isinstance(recipe, SeparationRecipe)  # noqa: S101 - for the type checker
    are_filmed = recipe.feature_extraction.faces != "simulated"
    files = _Files(bucket, prefix, recipe.spec.sample_rate_hz, keys if are_filmed else {})
    mixtures = [_mixture(files, row) for row in content["examples"]]
    return render(
        _TEMPLATE,
        mixtures=mixtures,
        made=recipe.evaluation.mixtures,
        others=OTHERS,
        lips_alone=LIPS_ALONE,
        are_filmed=are_filmed,
    )


@dataclass(frozen=True)
class _Files:
    """What an evaluation stored of its examples, and the films of those clips that have one."""

    bucket: Bucket
    prefix: str
    sample_rate_hz: int
    films: Mapping[str, str]

    def document(self, clip_id: str) -> Mapping[str, Any]:
        return json.loads(self.bucket.read(f"{self.prefix}{clip_id}.json"))

    def sound(self, title: str, name: str) -> _Sound:
        wav = self.bucket.read(f"{self.prefix}{name}.wav")
        with scratch() as folder:
            path = folder / "sound.wav"
            path.write_bytes(wav)
            samples_N = read_audio(path, self.sample_rate_hz)
        return _Sound(title, wav, draw_spectrogram(samples_N, self.sample_rate_hz))

    def picture(self, clip_id: str) -> bytes | None:
        """The first frame of a clip; none of one that nobody filmed."""
        if clip_id not in self.films:
            return None
        with scratch() as folder:
            path = folder / "clip.mp4"
            self.bucket.download(self.films[clip_id], path)
            return jpeg_of(Image.fromarray(read_frames(path, fps=1)[0]))


def _mixture(files: _Files, row: Mapping[str, Any]) -> _Mixture:
    clip_id = row["clip_id"]
    document = files.document(clip_id)
    faces = tuple(
        _Face(files.picture(face["clip_id"]), _verdict(face), _sounds(files, clip_id, n, face))
        for n, face in enumerate(document["faces"])
    )
    return _Mixture(
        clip_id=clip_id,
        title=CONDITION_TITLES.get(document["condition"], str(document["condition"])),
        why=row["why"],
        mixture=files.sound("the mixture, as it is heard", f"{clip_id}.mixture"),
        faces=faces,
    )


def _sounds(files: _Files, clip_id: str, n: int, face: Mapping[str, Any]) -> tuple[_Sound, ...]:
    found = files.sound("found for this face", f"{clip_id}.{n}.model")
    if not face["is_heard"]:
        return (found,)
    return (found, files.sound("its true voice", f"{clip_id}.{n}.truth"))


def _verdict(face: Mapping[str, Any]) -> str:
    """Such as `from −0.4 to 7.1 dB SI-SDR: 7.5 dB better`."""
    if not face["is_heard"]:
        return f"says nothing: {_signed(face['left_db'])} dB of the mixture are left"
    before_db, after_db = face["before_db"], face["after_db"]
    if before_db > _ALONE_DB:
        return f"all that is heard: {after_db:.1f} dB SI-SDR"
    change = f"{abs(after_db - before_db):.1f} dB {'better' if after_db >= before_db else 'worse'}"
    return f"from {_signed(before_db)} to {_signed(after_db)} dB SI-SDR: {change}"


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
