"""Two talkers in one film."""

from pathlib import Path

import numpy as np

from s2s.media import add_sound, probe, read_audio, read_frames, write_wav
from s2s.tasks.separation.predictor.pair import compose_pair

_RATE_HZ = 16_000


def test_both_are_seen_and_heard(make_video, tmp_path: Path):
    clips = []
    for number, (size, pitch_hz) in enumerate([("64x48", 300), ("96x96", 1300)]):
        times_s = np.arange(2 * _RATE_HZ) / _RATE_HZ
        tone = (0.2 * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.float32)
        write_wav(tmp_path / f"{number}.wav", tone, _RATE_HZ)
        silent = make_video(f"silent{number}.mp4", size=size)
        clips.append(tmp_path / f"clip{number}.mp4")
        add_sound(silent, tmp_path / f"{number}.wav", clips[-1])

    compose_pair(clips[0], clips[1], tmp_path / "pair.mp4")

    made = probe(tmp_path / "pair.mp4")
    assert (made.width, made.height) == (64 + 48, 48)
    left = read_frames(clips[0], 5)[:5].astype(float)
    shown = read_frames(tmp_path / "pair.mp4", 5)[:5, :, :64].astype(float)
    assert np.abs(shown - left).mean() < 8
    spectrum = np.abs(np.fft.rfft(read_audio(tmp_path / "pair.mp4", _RATE_HZ)[:_RATE_HZ]))
    assert set(np.argsort(spectrum)[-2:]) == {300, 1300}
    assert np.sort(spectrum)[-2] > 0.8 * np.sort(spectrum)[-1]
