"""Memory of drawing long sound: peak of a process for 1 and for 10 minutes of features.

python benchmarks/generation_memory.py

An untrained `tiny` network draws a spectrogram for random features, in windows, and nothing else;
each length has a process of its own. What grows are the features, the spectrogram and the path
between them: what those take for 9 minutes is printed too.
"""

import argparse
import resource
import subprocess
import sys

import torch

from s2s.spec import TimeSpec
from s2s.tasks.generation.network.flow import Sampling, Scene, sample_flows
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig

_SPEC, _WINDOW_S = TimeSpec(), 8.0


def draw(minutes: int) -> float:
    """Draw, and say the peak of this process in MiB."""
    torch.set_num_threads(1)
    config = NetworkConfig(token_dim=_SPEC.token_dim, streams={"motion": 128, "appearance": 96})
    network = MelTransformer(config).eval()
    condition_TC = torch.randn(max(1, _SPEC.frames(60.0 * minutes)), config.condition_dim)
    sampling = Sampling(steps=2)
    sample_flows(network, [Scene(condition_TC)], _SPEC.frames(_WINDOW_S), sampling)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Compare lengths."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.minutes is not None:
        print(draw(args.minutes))
        return
    peaks = {}
    for minutes in (1, 10):
        command = [sys.executable, __file__, "--minutes", str(minutes)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks[minutes] = float(done.stdout)
        print(f"{minutes:3} min: {peaks[minutes]:.0f} MiB at the most")
    data = 4 * _SPEC.frames(540.0) * (2 * _SPEC.token_dim + 224) / 2**20
    print(
        f"grown by {peaks[10] - peaks[1]:.0f} MiB; 9 min of features, noise and mel: {data:.0f} MiB"
    )


if __name__ == "__main__":
    main()
