"""Side by side: one video of three panels, each with its spectrogram and a playhead."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from moviepy import AudioFileClip, VideoClip, VideoFileClip, concatenate_audioclips
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from s2s.media import probe

__all__ = ["MontagePanel", "compose_montage"]

PANEL_PX = 192
STRIP_PX = 72
_MARGIN_PX = 12
_TITLE_PX = 30
_VIDEO_TOP_PX = _MARGIN_PX + _TITLE_PX
_STRIP_TOP_PX = _VIDEO_TOP_PX + PANEL_PX + 6
_HEIGHT_PX = _STRIP_TOP_PX + STRIP_PX + _MARGIN_PX
_GROUND = (24, 26, 30)
_QUIET_INK = (168, 172, 178)
_LOUD_INK = (255, 196, 84)
_PLAYHEAD = 255

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class MontagePanel:
    """One panel.

    Attributes:
        title: stands over it.
        video: what it shows.
        spectrogram: stands under it.
        is_heard: whether the video is played once with this panel's sound.
    """

    title: str
    video: Path
    spectrogram: Image.Image
    is_heard: bool


def compose_montage(panels: Sequence[MontagePanel], output: Path, fps: int) -> None:
    """Show all panels at once, as often as there are sounds: each time another one is heard.

    The panel that is heard has its title and frame in colour.

    Args:
        panels: from left to right; at least one is heard.
        output: the mp4, replaced when it is there.
        fps: frames a second.
    """
    own = f".{os.getpid()}.part"  # a name of this process's own
    staged = output.with_suffix(f"{own}.mp4")
    with ExitStack() as stack:
        videos = [
            stack.enter_context(
                VideoFileClip(str(panel.video), audio=False, target_resolution=_fit(panel.video))
            )
            for panel in panels
        ]
        heard = [n for n, panel in enumerate(panels) if panel.is_heard]
        sounds = [stack.enter_context(AudioFileClip(str(panels[n].video))) for n in heard]
        duration_s = min(clip.duration for clip in (*videos, *sounds))
        sounds = [sound.subclipped(0, duration_s) for sound in sounds]
        grounds = [_ground(panels, n) for n in heard]
        picture = VideoClip(
            lambda t: _frame(videos, grounds, t, duration_s), duration=len(heard) * duration_s
        )
        picture.with_audio(concatenate_audioclips(sounds)).write_videofile(
            str(staged),
            fps=fps,
            codec="libx264",
            preset="veryfast",
            audio_codec="aac",
            temp_audiofile=str(output.with_suffix(f"{own}.m4a")),
            pixel_format="yuv420p",
            ffmpeg_params=["-movflags", "+faststart"],
            threads=1,
            logger=None,
        )
    staged.replace(output)


def _frame(
    videos: Sequence[VideoFileClip], grounds: Sequence[Frame], time_s: float, duration_s: float
) -> Frame:
    """One frame of the montage, (H, W, 3); every turn is `duration_s` long and has its ground."""
    turn = min(int(time_s / duration_s), len(grounds) - 1)
    within_s = time_s - turn * duration_s
    frame = grounds[turn].copy()
    for n, video in enumerate(videos):
        left, image = _left(n), np.asarray(video.get_frame(within_s))
        height, width, _ = image.shape
        top, inset = _VIDEO_TOP_PX + (PANEL_PX - height) // 2, left + (PANEL_PX - width) // 2
        frame[top : top + height, inset : inset + width] = image
        playhead = left + int((PANEL_PX - 2) * within_s / duration_s)
        frame[_STRIP_TOP_PX : _STRIP_TOP_PX + STRIP_PX, playhead : playhead + 2] = _PLAYHEAD
    return frame


def _ground(panels: Sequence[MontagePanel], heard: int) -> Frame:
    """Titles, frames and spectrograms, fixed while one panel plays: (H, W, 3)."""
    width = _left(len(panels))
    ground = Image.new("RGB", (width + width % 2, _HEIGHT_PX), _GROUND)
    draw = ImageDraw.Draw(ground)
    font = ImageFont.load_default(15)
    for n, panel in enumerate(panels):
        left = _left(n)
        ink = _LOUD_INK if n == heard else _QUIET_INK
        title = f"{panel.title} (you hear this)" if n == heard else panel.title
        draw.text((left, _MARGIN_PX), title, fill=ink, font=font)
        frame = (left - 3, _VIDEO_TOP_PX - 3, left + PANEL_PX + 2, _STRIP_TOP_PX + STRIP_PX + 2)
        draw.rectangle(frame, outline=ink if n == heard else _GROUND, width=2)
        ground.paste(panel.spectrogram.resize((PANEL_PX, STRIP_PX)), (left, _STRIP_TOP_PX))
    return np.asarray(ground)


def _fit(video: Path) -> tuple[int, int]:
    """The largest even width and height in a panel that keep the video's shape."""
    shape = probe(video)
    scale = PANEL_PX / max(shape.width, shape.height)
    return max(2, round(shape.width * scale / 2) * 2), max(2, round(shape.height * scale / 2) * 2)


def _left(n: int) -> int:
    return _MARGIN_PX + n * (PANEL_PX + _MARGIN_PX)
