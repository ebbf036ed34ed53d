"""Separators: shapes, what does not matter to them, and what they cost."""

from pathlib import Path

import pytest
import torch
from torch import nn

from s2s.errors import ModelError
from s2s.model_directory import WEIGHTS_FILE, ModelDescription, save_model
from s2s.spec import TimeSpec
from s2s.tasks.separation.network import SeparatorConfig, make_separator, shape_of
from s2s.tasks.separation.network.audio_only import AudioOnly
from s2s.tasks.separation.network.audio_visual import AudioVisual
from s2s.tasks.separation.network.config import BlockShape, Kind, PaperShape
from s2s.tasks.separation.network.cost import cost_of
from s2s.tasks.separation.network.directory import ModelConfig, load_model
from s2s.tasks.separation.network.spectrum import Spectrum

LIPS, FPS, RATE_HZ = 6, 25, 8000
SMALL = BlockShape(width=16, hidden=24, sound_blocks=2, face_blocks=1, lip_width=8)
PAPER = PaperShape(sound_filters=2, sound_outputs=1, lip_filters=4, lstm_units=8, dense_units=8)
KINDS: tuple[Kind, ...] = ("audio_visual", "audio_only", "looking_to_listen")


def config_of(kind: Kind, **changes: object) -> SeparatorConfig:
    shape = PAPER if kind == "looking_to_listen" else SMALL
    content = {"kind": kind, "sample_rate_hz": RATE_HZ, "fps": FPS, "lips": LIPS, "speakers": 2}
    return SeparatorConfig.model_validate({**content, "shape": shape, **changes})


def made(kind: Kind, **changes: object) -> nn.Module:
    torch.manual_seed(0)
    return make_separator(config_of(kind, **changes)).eval()


def given(n_faces: int, pictures: int = 20) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    mixture = 0.05 * torch.randn(2, pictures * RATE_HZ // FPS)
    lips = torch.randn(2, n_faces, pictures, LIPS)
    return mixture, lips, torch.ones(2, n_faces, pictures, dtype=torch.bool)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_faces", [1, 2, 5])
def test_there_is_a_voice_for_every_face(kind: Kind, n_faces: int):
    mixture, lips, seen = given(n_faces)
    voices = made(kind)(mixture, lips, seen)
    assert voices.shape == (2, n_faces, mixture.shape[1])
    assert torch.isfinite(voices).all()


def test_faces_are_treated_alike():
    mixture, lips, seen = given(3)
    network = made("audio_visual")
    order = [2, 0, 1]
    voices, moved = network(mixture, lips, seen), network(mixture, lips[:, order], seen)
    torch.testing.assert_close(moved, voices[:, order], atol=1e-6, rtol=1e-4)
    assert not torch.allclose(voices[:, 0], voices[:, 1], atol=1e-6)


def test_audio_only_does_not_look():
    mixture, lips, seen = given(2)
    network = made("audio_only")
    assert (network(mixture, lips, seen) == network(mixture, 5 * lips, ~seen)).all()
    energy = network(mixture, lips, seen).square().sum(dim=-1)
    assert (energy[:, 0] >= energy[:, 1]).all()


@pytest.mark.parametrize("kind", ["audio_visual", "audio_only"])
def test_a_louder_mixture_has_louder_voices(kind: Kind):
    mixture, lips, seen = given(2)
    network = made(kind)
    voices, louder = network(mixture, lips, seen), network(10 * mixture, lips, seen)
    torch.testing.assert_close(louder, 10 * voices, atol=1e-3, rtol=0.02)


def test_what_lips_do_where_they_are_not_seen_does_not_matter():
    mixture, lips, seen = given(2)
    seen[:, 0, 5:12] = False
    other = lips.clone()
    other[:, 0, 5:12] = 3.0
    for kind in ("audio_visual", "looking_to_listen"):
        network = made(kind)
        assert (network(mixture, lips, seen) == network(mixture, other, seen)).all()


@pytest.mark.parametrize("fps", [12, 30])
def test_lips_may_come_at_any_rate(fps: int):
    mixture, _, _ = given(2)
    lips, seen = torch.randn(2, 2, fps, LIPS), torch.ones(2, 2, fps, dtype=torch.bool)
    for kind in KINDS:
        assert torch.isfinite(made(kind, fps=fps)(mixture, lips, seen)).all()


def test_silence_stays_silence():
    mixture, lips, seen = given(2)
    for kind in KINDS:
        voices = made(kind)(0 * mixture, lips, seen)
        assert torch.isfinite(voices).all()
        assert float(voices.abs().max()) < 1e-4


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_a_spectrogram_leads_back_to_the_sound(rate_hz: int):
    sound = torch.randn(2, rate_hz // 2 + 17)
    for spectrum in (Spectrum(rate_hz), Spectrum(rate_hz, 0.025), Spectrum(rate_hz, hop_s=0.016)):
        back = spectrum.synthesise(spectrum.analyse(sound), sound.shape[1])
        torch.testing.assert_close(back, sound, atol=1e-4, rtol=1e-3)


def test_without_refining_a_face_has_what_it_chose():
    network = made("audio_visual", refine=False)
    assert isinstance(network, AudioVisual)
    mixture, lips, seen = given(2)
    found = network.separate(mixture, lips, seen)
    assert found.choice_BSK.shape == (2, 2, 3)
    # Every moment of a voice is a mixture of what was heard by sound alone.
    assert float(found.voices_BSN.abs().max()) <= 1.01 * float(found.heard_BKN.abs().sum(1).max())


def test_tiny_networks_are_as_small_as_they_are_said_to_be():
    cases: tuple[tuple[Kind, int], ...] = (
        ("audio_visual", 2),
        ("audio_visual", 3),
        ("audio_only", 3),
    )
    for kind, speakers in cases:
        config = config_of(kind, lips=14, speakers=speakers, shape=shape_of(kind, "tiny"))
        cost = cost_of(make_separator(config), config)
        assert cost.parameters <= 1_300_000
        assert cost.macs < 0.3e9
        assert 0 <= cost.lip_parameters < 0.1 * cost.parameters
        assert ("without the lip encoder" in str(cost)) or kind == "audio_only"


@pytest.mark.parametrize(
    ("kind", "size", "rate_hz", "costs"),
    [
        ("audio_visual", "tiny", 8000, (1.25, 0.168, 1.20, 0.166)),
        ("audio_visual", "medium", 8000, (1.35, 0.125, 1.30, 0.122)),
        ("audio_visual", "small", 16_000, (10.90, 1.467, 10.69, 1.457)),
        ("audio_only", "tiny", 8000, (1.02, 0.101, 1.02, 0.101)),
        ("audio_only", "medium", 8000, (1.12, 0.069, 1.12, 0.069)),
        ("audio_only", "small", 16_000, (9.97, 1.000, 9.97, 1.000)),
        ("looking_to_listen", "tiny", 8000, (0.73, 0.543, 0.62, 0.537)),
        ("looking_to_listen", "paper", 16_000, (10.52, 73.738, 8.85, 73.655)),
    ],
)
def test_networks_cost_what_their_page_says(
    kind: Kind, size: str, rate_hz: int, costs: tuple[float, float, float, float]
):
    shape = shape_of(kind, size)
    config = config_of(kind, lips=14, speakers=2, shape=shape, sample_rate_hz=rate_hz, fps=25)
    cost = cost_of(make_separator(config), config)
    parameters, macs, parameters_without_lips, macs_without_lips = costs
    assert cost.parameters / 1e6 == pytest.approx(parameters, abs=0.0051)
    assert cost.macs / 1e9 == pytest.approx(macs, abs=0.0006)
    without = (cost.parameters - cost.lip_parameters) / 1e6
    assert without == pytest.approx(parameters_without_lips, abs=0.0051)
    assert (cost.macs - cost.lip_macs) / 1e9 == pytest.approx(macs_without_lips, abs=0.0006)


def test_macs_are_counted_as_by_hand():
    class Line(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lips = nn.Linear(LIPS, 3)

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.lips(inputs[1])

    cost = cost_of(Line(), config_of("audio_visual"))
    assert cost.macs == cost.lip_macs == 2 * FPS * LIPS * 3
    assert cost.parameters == cost.lip_parameters == LIPS * 3 + 3


def test_the_paper_s_network_has_its_layers():
    shape = shape_of("looking_to_listen", "paper")
    config = config_of("looking_to_listen", sample_rate_hz=16000, shape=shape)
    network: nn.Module = make_separator(config)
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [96] * 14 + [8]
    assert [layer.kernel_size for layer in convolutions[:3]] == [(1, 7), (7, 1), (5, 5)]
    assert convolutions[7].dilation == (32, 1)
    assert convolutions[13].dilation == (32, 32)
    looks = [layer for layer in network.modules() if isinstance(layer, nn.Conv1d)]
    assert [layer.dilation for layer in looks] == [(1,), (1,), (2,), (4,), (8,), (16,)]
    spectrum = network.spectrum
    assert isinstance(spectrum, Spectrum)
    assert (spectrum.n_fft, spectrum.hop, spectrum.length) == (512, 160, 400)
    assert spectrum.analyse(torch.zeros(1, 48_000)).shape[-1] == 257


def test_a_model_directory_gives_the_same_voices(tmp_path: Path):
    network = made("audio_visual")
    config = ModelConfig(network=config_of("audio_visual"), processor={}, window_s=2.0)
    spec = TimeSpec(sample_rate_hz=RATE_HZ)
    description = ModelDescription(
        task="separation", recipe="r", version="dataset_v1", spec=spec, config=config.model_dump()
    )
    save_model(tmp_path, network, description)
    loaded, found, _ = load_model(tmp_path)
    assert found == config
    mixture, lips, seen = given(2)
    assert (loaded(mixture, lips, seen) == network(mixture, lips, seen)).all()
    (tmp_path / WEIGHTS_FILE).write_bytes(b"no weights")
    with pytest.raises(ModelError, match="not the weights"):
        load_model(tmp_path)


def test_sound_alone_is_part_of_sound_and_sight():
    network = made("audio_visual")
    assert isinstance(network, AudioVisual)
    assert isinstance(network.sound, AudioOnly)
    mixture, lips, seen = given(2)
    heard = network.separate(mixture, lips, seen).heard_BKN
    torch.testing.assert_close(network.sound.voices(mixture), heard)
