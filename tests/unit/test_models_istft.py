"""The vocoder's network: lengths at every rate, gradients, and pieces that equal the whole."""

import pytest
import torch

from s2s.spec import TimeSpec
from s2s.tasks.common.mel import FLOOR, LogMel
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork, IstftVocoder

SPECS = [
    TimeSpec(sample_rate_hz=16_000),
    TimeSpec(sample_rate_hz=22_050, mel_per_frame=6),
    TimeSpec(sample_rate_hz=24_000, n_mels=100),
    TimeSpec(sample_rate_hz=44_100, n_mels=128),
]


def make_network(spec: TimeSpec, *, from_mel: bool = True) -> IstftNetwork:
    torch.manual_seed(0)
    config = IstftConfig(spec=spec, width=16, hidden=24, depth=2, from_mel=from_mel)
    network = IstftNetwork(config)
    torch.nn.init.normal_(network.head.weight, std=0.3)  # phases that differ
    return network


def chirp(spec: TimeSpec, frames: int) -> torch.Tensor:
    times = torch.arange(spec.samples(frames)) / spec.sample_rate_hz
    return 0.3 * torch.exp(-(times % 0.2) / 0.05) * torch.sin(3000 * times * (1 + times))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.sample_rate_hz))
@pytest.mark.parametrize("frames", [1, 2, 25])
def test_the_sound_is_as_long_as_the_mel(spec: TimeSpec, frames: int):
    mel = LogMel(spec).of_samples(chirp(spec, frames))
    sound = IstftVocoder(make_network(spec))(mel)
    assert sound.shape == (spec.samples(frames),)
    assert sound.isfinite().all()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.sample_rate_hz))
def test_pieces_equal_the_whole(spec: TimeSpec, monkeypatch: pytest.MonkeyPatch):
    mel = LogMel(spec).of_samples(chirp(spec, 50))
    network = make_network(spec)
    whole = network(mel[None])[0].detach()
    for frames in (1, 37, 100):
        monkeypatch.setattr("s2s.tasks.generation.network.istft._PIECE_FRAMES", frames)
        torch.testing.assert_close(IstftVocoder(network)(mel), whole, rtol=0, atol=1e-5)


def test_what_is_out_of_reach_has_no_part():
    mel = LogMel(SPECS[0]).of_samples(chirp(SPECS[0], 25))
    network = make_network(SPECS[0])
    changed = mel.clone()
    changed[60:] += 1
    difference = (network(mel[None]) - network(changed[None]))[0].abs()
    first = (60 - network.config.reach) * SPECS[0].hop
    assert difference[:first].max() < 1e-6
    assert difference[first:].max() > 1e-3


@pytest.mark.parametrize("from_mel", [True, False])
def test_gradients_reach_every_weight(from_mel: bool):
    network = make_network(SPECS[0], from_mel=from_mel)
    network(LogMel(SPECS[0]).of_samples(chirp(SPECS[0], 10))[None]).square().mean().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_silence_stays_silent_and_nothing_is_too_loud():
    network = make_network(SPECS[0])
    silence = torch.full((1, 50, 80), FLOOR).log()
    assert network(silence).abs().max() < 1e-2
    assert network(silence + 100).abs().max() < 1e3


def test_a_time_step_in_the_mel_is_one_in_the_sound():
    vocoder, spec = IstftVocoder(make_network(SPECS[0])), SPECS[0]
    mel = LogMel(spec).of_samples(chirp(spec, 50))
    later = vocoder(mel.roll(40, dims=0))[80 * spec.hop : 160 * spec.hop]
    torch.testing.assert_close(later, vocoder(mel)[40 * spec.hop : 120 * spec.hop])


def test_long_sound_is_made_in_pieces_of_one_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("s2s.tasks.generation.network.istft._PIECE_FRAMES", 50)
    network, seen = make_network(SPECS[0]), []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[1]))
    sound = IstftVocoder(network)(torch.randn(1001, 80) - 6)
    assert sound.shape == (1001 * SPECS[0].hop,)
    assert len(seen) == 21
    assert max(seen) == 50 + 2 * network.config.reach
