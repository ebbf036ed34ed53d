"""Still pictures as videos, of which a few seconds are encoded and repeated."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from s2s.media import make_still_video, read_frames


@pytest.mark.parametrize(("duration_s", "n_frames"), [(0.5, 13), (5.0, 125), (11.08, 277)])
def test_it_lasts_as_long_as_asked_and_shows_the_picture(
    tmp_path: Path, duration_s: float, n_frames: int
):
    picture, video = tmp_path / "picture.png", tmp_path / "still.mp4"
    Image.new("RGB", (64, 48), (200, 40, 90)).save(picture)
    make_still_video(picture, video, 25, duration_s)
    with av.open(str(video)) as file:
        packets = [packet for packet in file.demux(file.streams.video[0]) if packet.size]
    times = [float((packet.pts or 0) * packet.time_base) for packet in packets]
    assert np.allclose(times, np.arange(n_frames) / 25, atol=1e-3)
    frames = read_frames(video, 25)
    assert len(frames) == n_frames
    assert np.abs(frames.astype(int) - (200, 40, 90)).max() < 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["picture.png", "still.mp4"]
