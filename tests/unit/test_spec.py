"""Every length is derived from one spec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from s2s.spec import TimeSpec


def test_the_default_grid():
    spec = TimeSpec()
    assert (spec.hop, spec.samples_per_frame, spec.mel_rate_hz) == (160, 640, 100)
    assert (spec.token_dim, spec.n_fft) == (320, 1024)
    assert spec.frames() == 250
    assert spec.mel_frames(250) == 1000
    assert spec.samples(250) == 160_000


@given(st.sampled_from([16_000, 22_100, 24_000, 44_100, 48_000]), st.floats(0.01, 100))
def test_picture_mel_and_sound_have_the_same_length(sample_rate_hz: int, duration_s: float):
    spec = TimeSpec(sample_rate_hz=sample_rate_hz)
    frames = spec.frames(duration_s)
    assert frames >= 1
    assert (
        abs(frames / spec.fps - duration_s) <= max(0.5 / spec.fps, 1 / spec.fps - duration_s) + 1e-9
    )
    assert spec.mel_frames(frames) * spec.hop == spec.samples(frames)


def test_rates_that_do_not_fit_are_refused():
    with pytest.raises(ValidationError, match="multiple of 100"):
        TimeSpec(sample_rate_hz=22_050)
