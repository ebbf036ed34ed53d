"""Where windows of a long video meet: does the sound's level jump there more than elsewhere?

    python benchmarks/serving_seams.py MODEL_DIRECTORY CLIPS_FOLDER --clips 16 --seeds 3

The clips are seen one after the other as one long video, whose sound is drawn in overlapping
windows. Prints how many dB the level changes where windows begin and end, and at other instants:
over 200 ms, as one hears loudness, and over 10 ms, as one hears a click.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from s2s.media import read_frames
from s2s.tasks.generation.network.flow import windows
from s2s.tasks.generation.predictor.predictor import GenerationPredictor

SPANS_S = (0.2, 0.01)
MARGIN_S = 0.3
N_ELSEWHERE = 2000
SILENCE = 1e-8


def level_changes_db(samples: np.ndarray, places: list[int], size: int) -> np.ndarray:
    """How much louder or softer it is after each place than before."""
    powers = [
        [
            np.mean(np.square(part)) + SILENCE
            for part in (samples[at - size : at], samples[at:][:size])
        ]
        for at in places
    ]
    before, after = np.array(powers).T
    return np.abs(10 * np.log10(after / before))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--clips", dest="n_clips", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    predictor = GenerationPredictor.load(options.model)
    spec, window = predictor.config.spec, predictor.config.window_frames
    paths = sorted(options.clips.rglob("*.mp4"))[: options.n_clips]
    size = predictor.processor.frame_size
    seen = predictor.see(np.concatenate([read_frames(path, spec.fps, size) for path in paths]))
    starts = windows(len(seen), window)
    edges = {*starts[1:], *(start + window for start in starts[:-1])}
    rate, margin = spec.sample_rate_hz, round(MARGIN_S * spec.sample_rate_hz)
    end = spec.samples(len(seen)) - margin
    seams = [at for at in sorted(edge * spec.samples_per_frame for edge in edges) if at < end]
    elsewhere = np.random.default_rng(0).integers(margin, end, N_ELSEWHERE).tolist()
    sounds = [
        predictor.vocode(predictor.mel(seen, seed=seed)).astype(np.float64)
        for seed in range(options.seeds)
    ]
    print(f"{len(seen) / spec.fps:.0f} s, {len(starts)} windows, {options.seeds} seeds")
    print(f"{'dB':22} {'median':>7} {'p90':>7} {'most':>7}")
    for span_s in SPANS_S:
        for name, places in (("where windows meet", seams), ("elsewhere", elsewhere)):
            changes = np.concatenate(
                [level_changes_db(sound, places, round(span_s * rate)) for sound in sounds]
            )
            figures = np.median(changes), np.quantile(changes, 0.9), changes.max()
            row = " ".join(f"{figure:7.2f}" for figure in figures)
            print(f"{name:18} {1000 * span_s:.0f}".ljust(22), row)


if __name__ == "__main__":
    main()
