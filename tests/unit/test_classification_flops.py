"""Operations of a classifier, held to torchvision's own tables and to sums by hand."""

import pytest
import torch
from torch import nn
from torchvision.models import get_model_weights

from s2s.tasks.classification.network import ClassifierConfig, make_classifier
from s2s.tasks.classification.network.shape import count_gflops


def config_of(kind: str, backbone: str, frames: int, crop_px: int) -> ClassifierConfig:
    content = {"kind": kind, "classes": 400, "backbone": backbone}
    return ClassifierConfig.model_validate({**content, "frames": frames, "crop_px": crop_px})


@pytest.mark.parametrize(
    ("name", "frames", "crop_px"), [("r3d_18", 16, 112), ("mvit_v2_s", 16, 224)]
)
def test_video_networks_cost_what_torchvision_says(name: str, frames: int, crop_px: int):
    kind = "video_transformer" if "mvit" in name else "cnn_3d"
    config = config_of(kind, f"torchvision/{name}", frames, crop_px)
    with torch.device("meta"):
        network = make_classifier(config)
    wanted = get_model_weights(name)["DEFAULT"].meta["_ops"]
    assert count_gflops(network, config) == pytest.approx(wanted, rel=0.02)


def test_every_frame_of_a_2d_network_and_every_step_of_an_lstm_counts():
    config = config_of("cnn_lstm", "timm/resnet18", 8, 224)
    network = make_classifier(config)
    lstm = 8 * 4 * 128 * (512 + 128)
    wanted = 8 * 1.814 + (lstm + 128 * 400) / 1e9
    assert count_gflops(network, config) == pytest.approx(wanted, rel=0.01)


class Plain(nn.Module):
    """One layer over the mean frame."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 5, batch_first=True)
        self.layer = nn.Linear(5, 2)

    def forward(self, inputs):
        frames, _ = inputs.frames()
        return self.layer(self.lstm(frames.mean(dim=(3, 4)))[0][:, -1])


def test_a_sum_by_hand():
    config = config_of("cnn_lstm", "tiny", 7, 16)
    by_hand = 7 * 4 * 5 * (3 + 5) + 5 * 2
    assert count_gflops(Plain(), config) == pytest.approx(by_hand / 1e9)
