"""Clips of a data set version to look at: picture strip, spectrogram, player."""

import base64
import hashlib
import html
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from s2s.dataset import SPLITS, DatasetClip, DatasetVersion
from s2s.media import read_audio, read_frames
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.common.pictures import jpeg_of
from s2s.tasks.common.spectrogram import spectrogram_image
from s2s.workspace import scratch

__all__ = ["Example", "Examples", "show_examples"]

_FRAMES = 6
_FRAME_HEIGHT_PX = 90
_SPECTROGRAM_WH = (540, 72)
_MOST_EXAMPLES = 12
_MOST_VIDEO_BYTES = 2_800_000


@dataclass(frozen=True)
class Example:
    """A clip to look at.

    Attributes:
        clip: its row.
        strip: frames at equal steps, a JPEG.
        spectrogram: of its sound, a JPEG.
        video: the mp4; empty where the page would become too large.
    """

    clip: DatasetClip
    strip: bytes
    spectrogram: bytes
    video: bytes


@dataclass(frozen=True)
class Examples:
    """Clips to look at; a notebook shows them as they are."""

    examples: list[Example]

    def _repr_html_(self) -> str:
        return "".join(_html(example) for example in self.examples)


def show_examples(
    bucket: Bucket,
    recipe: Recipe,
    version: DatasetVersion,
    per_label: int = 2,
    most: int = _MOST_EXAMPLES,
) -> Examples:
    """Choose clips of a version and look into them, always the same.

    Args:
        bucket: where they are.
        recipe: gives the sample rate.
        version: whose clips.
        per_label: clips of each label, the labels with most clips first; one of each split at
            least.
        most: clips in all.

    Raises:
        MediaError: if one cannot be read.
    """
    examples, video_bytes = [], 0
    with scratch() as folder:
        for clip in _chosen(version, per_label, most):
            path = folder / "clip.mp4"
            bucket.download(clip.key, path)
            frames_THWC = read_frames(path, fps=1)
            keep = video_bytes + clip.size <= _MOST_VIDEO_BYTES
            video_bytes += clip.size if keep else 0
            wav = Path(folder, "clip.wav")
            bucket.download(clip.wav_key, wav)
            samples = read_audio(wav, recipe.spec.sample_rate_hz)
            sound = spectrogram_image(samples, recipe.spec.sample_rate_hz)
            examples.append(
                Example(
                    clip=clip,
                    strip=jpeg_of(_strip(frames_THWC)),
                    spectrogram=jpeg_of(sound.resize(_SPECTROGRAM_WH)),
                    video=path.read_bytes() if keep else b"",
                )
            )
    return Examples(examples)


def _chosen(version: DatasetVersion, per_label: int, most: int) -> list[DatasetClip]:
    of_label: defaultdict[str, list[DatasetClip]] = defaultdict(list)
    for split in SPLITS:
        for clip in version.split(split):
            for label in clip.labels or ("",):
                of_label[label].append(clip)
    chosen: dict[str, DatasetClip] = {}
    turns = sorted(of_label, key=lambda label: (-len(of_label[label]), label))
    for n, split in enumerate(SPLITS):  # each split first, as far as there are clips
        of_split = sorted(version.split(split), key=_rank)
        wanted = turns[n % len(turns)] if turns else ""
        best = [clip for clip in of_split if wanted in clip.labels] or of_split
        if best and len(chosen) < most:
            chosen.setdefault(best[0].clip_id, best[0])
    shown = Counter(clip.split for clip in chosen.values())
    for turn in range(per_label):
        for label in turns:
            taken = sum(clip.clip_id in chosen for clip in of_label[label])
            rest = [clip for clip in of_label[label] if clip.clip_id not in chosen]
            if rest and taken <= turn and len(chosen) < most:
                # Splits take turns: those for testing are looked at as much as those for training.
                clip = min(rest, key=lambda clip: (shown[clip.split], _rank(clip)))
                chosen[clip.clip_id] = clip
                shown[clip.split] += 1
    return sorted(
        chosen.values(), key=lambda clip: (SPLITS.index(clip.split), clip.labels, clip.clip_id)
    )


def _rank(clip: DatasetClip) -> str:
    return hashlib.sha256(clip.clip_id.encode()).hexdigest()


def _strip(frames_THWC: np.ndarray) -> Image.Image:
    places = np.linspace(0, len(frames_THWC) - 1, _FRAMES).round().astype(int)
    height, width = frames_THWC.shape[1:3]
    size = (round(width * _FRAME_HEIGHT_PX / height), _FRAME_HEIGHT_PX)
    strip = Image.new("RGB", (size[0] * _FRAMES, size[1]))
    for n, place in enumerate(places):
        strip.paste(Image.fromarray(frames_THWC[place]).resize(size), (n * size[0], 0))
    return strip


def _html(example: Example) -> str:
    clip = example.clip
    title = html.escape(f"{', '.join(clip.labels) or 'no label'} ({clip.split}, {clip.clip_id})")
    images = "".join(
        f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}"><br>'
        for data in (example.strip, example.spectrogram)
    )
    video = base64.b64encode(example.video).decode()
    player = f'<video controls src="data:video/mp4;base64,{video}"></video>' if video else ""
    return f"<figure><figcaption>{title}</figcaption>{images}{player}</figure>"
