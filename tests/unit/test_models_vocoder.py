"""Griffin-Lim: the sound of a mel is as long as it says, and has that mel."""

import numpy as np
import pytest
import torch

from s2s.spec import TimeSpec
from s2s.tasks.common.mel import FLOOR, LogMel
from s2s.tasks.generation.network.vocoder import GriffinLim

SPEC = TimeSpec()


def tones(n_samples: int) -> torch.Tensor:
    times = torch.arange(n_samples) / SPEC.sample_rate_hz
    decay = torch.exp(-(times % 0.25) / 0.05)
    return 0.3 * decay * (torch.sin(2 * torch.pi * 440 * times) + torch.sin(9000 * times))


@pytest.mark.parametrize("frames", [1, 2, 25])
def test_the_sound_is_as_long_as_the_mel(frames: int):
    mel = LogMel(SPEC).of_samples(tones(SPEC.samples(frames)))
    assert GriffinLim(SPEC, iterations=2)(mel).shape == (SPEC.samples(frames),)


def test_the_sound_has_the_mel():
    mel = LogMel(SPEC).of_samples(tones(SPEC.samples(50)))
    again = LogMel(SPEC).of_samples(GriffinLim(SPEC)(mel))
    loud = mel > mel.max() - 4
    assert (again - mel)[loud].abs().mean() < 0.5


def test_quiet_bands_are_as_quiet_as_the_mel_says():
    """Noise of a few bands beside silence: what lies between must not be filled up."""
    noise = torch.randn(SPEC.samples(50), generator=torch.Generator().manual_seed(0))
    spectrum = torch.fft.rfft(0.1 * noise)
    hertz = torch.fft.rfftfreq(len(noise), 1 / SPEC.sample_rate_hz)
    spectrum[(hertz > 1500) & (hertz < 3000)] *= 0.01
    mel = LogMel(SPEC).of_samples(torch.fft.irfft(spectrum))
    again = LogMel(SPEC).of_samples(GriffinLim(SPEC)(mel))
    assert (again - mel).mean(dim=0).abs().max() < 0.3, "no band is louder or softer on the whole"


def test_long_sound_has_no_seam(monkeypatch: pytest.MonkeyPatch):
    mel = LogMel(SPEC).of_samples(tones(SPEC.samples(100)))
    monkeypatch.setattr("s2s.tasks.generation.network.vocoder._PIECE_FRAMES", 130)
    sound = GriffinLim(SPEC)(mel)
    assert sound.shape == (SPEC.samples(100),)
    again = LogMel(SPEC).of_samples(sound)
    loud = mel > mel.max() - 4
    error = torch.where(loud, (again - mel).abs(), 0).sum(dim=1) / loud.sum(dim=1).clamp_min(1)
    seams = [error[seam - 20 : seam + 4].mean() for seam in (130, 260, 390)]
    assert max(seams) < 3 * error.mean()


def test_the_same_mel_gives_the_same_sound():
    mel = LogMel(SPEC).of_samples(tones(SPEC.samples(10)))
    vocoder = GriffinLim(SPEC, iterations=4)
    first = vocoder(mel)
    torch.rand(10)
    torch.testing.assert_close(first, vocoder(mel), rtol=0, atol=0)


def test_silence_stays_silent():
    mel = torch.full((100, SPEC.n_mels), float(np.log(FLOOR)))
    assert GriffinLim(SPEC)(mel).abs().max() < 1e-3
