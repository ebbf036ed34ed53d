"""Checkpoints of Vocos: the published package and `load_vocos` make the same sound of them.

    pip install --no-deps --target .s2s/vocos vocos==0.1.0 encodec==0.1.1 einops
    PYTHONPATH=.s2s/vocos python benchmarks/vocoder_vocos.py

Weights are random, at the published size, on this project's mel. `--write FOLDER` writes a small
checkpoint and what the package makes of it, for tests.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file

from s2s.spec import TimeSpec
from s2s.tasks.common.mel import mel_filters
from s2s.tasks.generation.network.istft import IstftVocoder
from s2s.tasks.generation.network.vocos import load_vocos

PUBLISHED = (TimeSpec(sample_rate_hz=24_000, n_mels=100), {"dim": 512, "num_layers": 8})
SMALL = (
    TimeSpec(fps=100, mel_per_frame=10, sample_rate_hz=8000, n_mels=8),
    {"dim": 8, "num_layers": 2},
)


def vocos_config(spec: TimeSpec, shape: dict[str, int]) -> dict[str, object]:
    """What `config.yaml` says."""
    mel = {"sample_rate": spec.sample_rate_hz, "n_fft": spec.n_fft, "hop_length": spec.hop}
    backbone = shape | {"input_channels": spec.n_mels, "intermediate_dim": 3 * shape["dim"]}
    head = {"dim": shape["dim"], "n_fft": spec.n_fft, "hop_length": spec.hop}
    parts = {
        "feature_extractor": (
            "feature_extractors.MelSpectrogramFeatures",
            mel | {"n_mels": spec.n_mels, "padding": "center"},
        ),
        "backbone": ("models.VocosBackbone", backbone),
        "head": ("heads.ISTFTHead", head | {"padding": "center"}),
    }
    return {
        name: {"class_path": f"vocos.{path}", "init_args": values}
        for name, (path, values) in parts.items()
    }


def write_checkpoint(folder: Path, spec: TimeSpec, shape: dict[str, int]) -> Any:
    """Write a checkpoint with random weights, as the package would; returns its model."""
    try:
        vocos = importlib.import_module("vocos")
    except ImportError as error:
        sys.exit(f"{error}: install the package as the top of {__file__} says")
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(vocos_config(spec, shape)), encoding="utf-8")
    torch.manual_seed(0)
    model = vocos.Vocos.from_hparams(str(config)).eval()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.2 if weight.ndim > 1 else 0.05)
    model.feature_extractor.mel_spec.mel_scale.fb.copy_(mel_filters(spec))
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return model


@torch.inference_mode()
def main() -> None:
    """Compare at the published size, or write the small one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    folder = parser.parse_args().write
    spec, shape = SMALL if folder else PUBLISHED
    mel_MK = torch.randn(50, spec.n_mels, generator=torch.Generator().manual_seed(1)) - 4
    with tempfile.TemporaryDirectory() as temporary:
        model = write_checkpoint(folder or Path(temporary), spec, shape)
        theirs_N = model.decode(mel_MK.T[None])[0]
        ours_N = IstftVocoder(load_vocos(folder or Path(temporary), spec))(mel_MK)
    if folder:
        save_file({"mel": mel_MK, "sound": theirs_N}, folder / "expected.safetensors")
    # Theirs ends with the last frame's centre, ours a hop later.
    difference = (ours_N[: len(theirs_N)] - theirs_N).abs().max() / theirs_N.abs().max()
    print(f"largest difference: {difference:.1e} of the loudest sample")
    if difference > 1e-4:
        sys.exit("the two do not make the same sound")


if __name__ == "__main__":
    main()
