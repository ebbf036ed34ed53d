"""Held-out clips that serving answered: silent, generated and original, alone and side by side."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.layout import held_out_prefix
from s2s.media import drop_sound, read_audio, read_frames
from s2s.settings import Recipe
from s2s.spec import TimeSpec
from s2s.storage import Bucket
from s2s.tasks.common.html import render
from s2s.tasks.common.pictures import jpeg_of
from s2s.tasks.common.spectrogram import draw_spectrogram, spectrogram_image
from s2s.tasks.generation.page.montage import MontagePanel, compose_montage

__all__ = ["show_answers"]

_TEMPLATE = Path(__file__).with_name("answers.html.jinja")


@dataclass(frozen=True)
class _Panel:
    """One way to see a clip.

    Attributes:
        title: silent, generated or original.
        caption: where its sound is from.
        video: the mp4.
        spectrogram: a PNG of its sound.
    """

    title: str
    caption: str
    video: bytes
    spectrogram: bytes


@dataclass(frozen=True)
class _Answered:
    """A clip that the model was not trained on, and what the model made of it.

    Attributes:
        clip_id: the clip.
        labels: what the catalog says of it.
        start_s: where it starts in its source, in seconds.
        end_s: where it ends.
        panels: silent, generated, original.
        poster: a JPEG to show until a panel is played.
        montage: the mp4 that shows them side by side.
        montage_poster: a JPEG to show until it is played.
        verdict: how the model did, in words; empty where that was not measured.
    """

    clip_id: str
    labels: tuple[str, ...]
    start_s: float
    end_s: float
    panels: tuple[_Panel, ...]
    poster: bytes
    montage: bytes
    montage_poster: bytes
    verdict: str


@dataclass(frozen=True)
class _View:
    title: str
    caption: str
    video: Path
    samples: NDArray[np.float32]
    is_heard: bool = True

    def panel(self, rate_hz: int) -> _Panel:
        drawing = draw_spectrogram(self.samples, rate_hz)
        return _Panel(self.title, self.caption, self.video.read_bytes(), drawing)

    def montage_panel(self, rate_hz: int) -> MontagePanel:
        image = spectrogram_image(self.samples, rate_hz)
        return MontagePanel(self.title, self.video, image, self.is_heard)


def show_answers(
    bucket: Bucket,
    recipe: Recipe,
    version: DatasetVersion,
    rows: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> str:
    """HTML of the clips that serving answered; composes what is not composed yet.

    Args:
        bucket: where the clips and the answers are.
        recipe: whose they are.
        version: the data set version that the model was trained on.
        rows: what was measured of the model's answer to a clip, by clip.
        folder: keeps the videos; made when missing.

    Returns:
        nothing where there are none.

    Raises:
        MediaError: if a stored clip cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    prefix = held_out_prefix(recipe, version.name)
    answers = {key.removeprefix(prefix): key for key in bucket.keys(prefix)}
    clips = []
    for clip in (clip for split in version.clips.values() for clip in split):
        if answer := answers.get(f"{clip.clip_id}.mp4"):
            views = _fetch(bucket, (clip.key, answer), folder / clip.clip_id, recipe.spec)
            verdict = _verdict(rows.get(clip.clip_id, {}))
            clips.append(_compose(clip, views, verdict, (folder, recipe.spec)))
    return render(_TEMPLATE, clips=clips) if clips else ""


def _verdict(row: Mapping[str, Any]) -> str:
    if "onset_f1" not in row:
        return ""
    heard = f", the classifier hears “{row['heard']}”" if row.get("heard") else ""
    return f"onset F1 {row['onset_f1']:.2f}{heard}"


def _fetch(bucket: Bucket, keys: tuple[str, str], stem: Path, spec: TimeSpec) -> list[_View]:
    """The clip as it was sent, as it came back and as it was recorded."""
    silent, generated, original = (
        stem.with_name(f"{stem.name}.{title}.mp4") for title in ("silent", "generated", "original")
    )
    bucket.download(keys[0], original)
    bucket.download(keys[1], generated)
    drop_sound(original, silent)
    recorded = read_audio(original, spec.sample_rate_hz)
    made = read_audio(generated, spec.sample_rate_hz)
    return [
        _View("silent", "what the model was given", silent, np.zeros_like(recorded), False),
        _View("generated", "the model's sound", generated, made),
        _View("original", "the sound as recorded", original, recorded),
    ]


def _compose(
    clip: DatasetClip, views: list[_View], verdict: str, where: tuple[Path, TimeSpec]
) -> _Answered:
    folder, spec = where
    panels = tuple(view.panel(spec.sample_rate_hz) for view in views)
    # Named by what is in it, so that it is composed again only for another sound.
    digest = hashlib.sha256(b"".join(panel.video for panel in panels)).hexdigest()[:12]
    montage = folder / f"{clip.clip_id}.montage-{digest}.mp4"
    if not montage.exists():
        shown = [view.montage_panel(spec.sample_rate_hz) for view in views]
        compose_montage(shown, montage, spec.fps)
    poster, montage_poster = _stills(views[0].video, montage)
    return _Answered(
        clip_id=clip.clip_id,
        labels=clip.labels,
        start_s=clip.start_s,
        end_s=clip.end_s,
        panels=panels,
        poster=poster,
        montage=montage.read_bytes(),
        montage_poster=montage_poster,
        verdict=verdict,
    )


def _stills(video: Path, montage: Path) -> tuple[bytes, bytes]:
    """Both at the second whose picture differs most from the usual one, as JPEG."""
    frames_THWC = read_frames(video, fps=1)
    usual_HWC = np.median(frames_THWC, axis=0)
    telling = np.abs(frames_THWC - usual_HWC).mean(axis=(1, 2, 3)).argmax()
    shown = frames_THWC[telling], read_frames(montage, fps=1)[telling]
    return jpeg_of(Image.fromarray(shown[0])), jpeg_of(Image.fromarray(shown[1]))
