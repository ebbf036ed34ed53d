"""The sounds that an evaluation measured, as files: to listen to, and for av-benchmark.

real/<clip_id>.wav      the clips' own sound
video/<clip_id>.mp4     their pictures
<system>/<clip_id>.wav  a system's sound
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from s2s.dataset import DatasetClip
from s2s.media import add_sound, write_wav
from s2s.storage import Bucket

__all__ = ["EXAMPLE_SYSTEMS", "TakeFiles"]

EXAMPLE_SYSTEMS = ("real", "real_mel", "model", "regression")


class TakeFiles:
    """Writes sounds, and picks examples out of them.

    Args:
        folder: where to.
        bucket: where the clips' videos are.
        sample_rate_hz: of the sounds.
    """

    def __init__(self, folder: Path, bucket: Bucket, sample_rate_hz: int) -> None:
        self.folder = folder
        self._bucket = bucket
        self.sample_rate_hz = sample_rate_hz

    def write(self, system: str, clip: DatasetClip, samples_N: np.ndarray) -> None:
        """Write a system's sound of a clip."""
        path = self._sound(system, clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, samples_N, self.sample_rate_hz)

    def fetch_videos(self, clips: Iterable[DatasetClip]) -> None:
        """Fetch the clips' pictures."""
        for clip in clips:
            self._bucket.fetch(clip.key, self._video(clip), clip.crc32c)

    def copy_example(self, clip: DatasetClip, output: Path) -> None:
        """Put a clip's video with the model's sound, and the sounds to compare, into a folder."""
        output.mkdir(parents=True, exist_ok=True)
        self.fetch_videos([clip])
        for system in EXAMPLE_SYSTEMS:
            name = f"{clip.clip_id}.{system}.wav"
            (output / name).write_bytes(self._sound(system, clip).read_bytes())
        add_sound(self._video(clip), self._sound("model", clip), output / f"{clip.clip_id}.mp4")

    def _sound(self, system: str, clip: DatasetClip) -> Path:
        return self.folder / system / f"{clip.clip_id}.wav"

    def _video(self, clip: DatasetClip) -> Path:
        return self.folder / "video" / f"{clip.clip_id}.mp4"
