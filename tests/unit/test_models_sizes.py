"""The sizes that recipes can ask for."""

import pytest
import torch

from s2s.spec import TimeSpec
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.settings import GenerationTrainingSettings

WEIGHT_FREE = {"motion": 128, "appearance": 96}


@pytest.mark.parametrize(
    ("size", "spec", "appearance", "millions"),
    [
        ("tiny", TimeSpec(), 96, 1.2),
        ("small", TimeSpec(), 96, 15),
        ("base", TimeSpec(sample_rate_hz=44_100, n_mels=128), 768, 84),
        ("large", TimeSpec(sample_rate_hz=44_100, n_mels=128), 1024, 460),
    ],
)
def test_a_size_has_as_many_parameters_as_it_says(
    size: str, spec: TimeSpec, appearance: int, millions: float
):
    settings = GenerationTrainingSettings.model_validate({"size": size})
    config = NetworkConfig(
        token_dim=spec.token_dim,
        streams={"motion": 128, "appearance": appearance},
        width=settings.width,
        depth=settings.depth,
        heads=settings.heads,
    )
    with torch.device("meta"):
        network = MelTransformer(config)
    count = sum(part.numel() for part in network.parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.15)


def test_what_is_set_goes_before_what_a_size_sets():
    settings = GenerationTrainingSettings.model_validate({"size": "base", "depth": 3})
    assert (settings.width, settings.depth, settings.heads) == (768, 3, 12)
