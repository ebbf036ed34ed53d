"""The generation predictor: one by one or in a batch, short or long, the same sound."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from s2s.errors import ModelError
from s2s.tasks.generation.extractors.motion import FRAME_SIZE
from s2s.tasks.generation.network.flow import windows
from s2s.tasks.generation.predictor.predictor import Draw, GenerationPredictor

LEVEL_S = 0.2


@pytest.fixture(scope="module")
def predictor(untrained_model: Path) -> GenerationPredictor:
    torch.set_num_threads(1)
    return GenerationPredictor.load(untrained_model)


def motion(predictor: GenerationPredictor, frames: int, seed: int = 0) -> np.ndarray:
    """Features of a video in which the same goes on all the time."""
    rng = np.random.default_rng(seed)
    dim = predictor.config.network.condition_dim
    return 2 * (rng.random(dim) + 0.05 * rng.random((frames, dim))).astype(np.float32)


def test_a_batch_gives_what_each_gives_alone(predictor: GenerationPredictor):
    draws = [
        Draw(motion(predictor, 60, 1), seed=1, steps=2),
        Draw(motion(predictor, 200, 2), seed=2, steps=2),
        Draw(motion(predictor, 80, 3), seed=3, steps=3, guidance=1.5),
        Draw(motion(predictor, 90, 4), seed=4, steps=2),
    ]
    together = predictor.mels(draws)
    for draw, mel_MB in zip(draws, together, strict=True):
        assert mel_MB.shape == (4 * len(draw.condition_TC), 80)
        alone = predictor.mels([draw])[0]
        assert torch.allclose(mel_MB, alone, atol=1e-3)


def test_a_batch_takes_fewer_calls_of_the_network(predictor: GenerationPredictor):
    calls = []
    handle = predictor._network.register_forward_hook(lambda *_: calls.append(1))
    predictor.mels([Draw(motion(predictor, 50, k), seed=k, steps=2) for k in range(4)])
    handle.remove()
    assert len(calls) == 2


def test_features_in_pieces_are_those_of_the_whole(predictor: GenerationPredictor):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (600, *FRAME_SIZE, 3), dtype=np.uint8)
    pieces = predictor.see(frames)
    for start in (200, 256, 500):
        part = predictor.see(frames[start - 1 : start + 60])[1:]
        assert np.allclose(pieces[start : start + 60], part, atol=1e-6)


def test_a_picture_is_not_a_video_in_which_nothing_moves(predictor: GenerationPredictor):
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (120, 90, 3), dtype=np.uint8)
    sound = predictor.picture(frame, 2.0, seed=3, steps=2)
    assert sound.shape == (predictor.config.spec.samples(50),)
    assert np.array_equal(sound, predictor.picture(frame, 2.0, seed=3, steps=2))
    assert not np.allclose(sound, predictor.picture(frame, 2.0, seed=4, steps=2), atol=1e-3)
    frozen = predictor.sound(np.repeat(frame[None], 50, axis=0), seed=3, steps=2)
    assert frozen.shape == sound.shape
    assert not np.allclose(sound, frozen, atol=1e-3)


def test_features_that_do_not_fit_are_told(predictor: GenerationPredictor):
    for shape in ((10, 7), (0, predictor.config.network.condition_dim), (10,)):
        with pytest.raises(ModelError, match="feature settings of the model's config"):
            predictor.mel(np.zeros(shape, np.float32))


def level_jumps_db(samples: np.ndarray, rate_hz: int, instants_s: list[float]) -> np.ndarray:
    """How much louder or softer it is for 0.2 s after each instant than before."""
    size = round(LEVEL_S * rate_hz)
    jumps = []
    for at in (round(instant * rate_hz) for instant in instants_s):
        before, after = samples[at - size : at], samples[at : at + size]
        jumps.append(10 * np.log10(np.mean(np.square(after)) / np.mean(np.square(before))))
    return np.abs(jumps)


def test_nobody_hears_where_windows_meet(predictor: GenerationPredictor):
    spec, window = predictor.config.spec, predictor.config.window_frames
    seen = motion(predictor, 6 * window)
    starts = windows(len(seen), window)
    edges = [start / spec.fps for start in starts[1:]]
    edges += [(start + window) / spec.fps for start in starts[:-1]]
    sound = predictor.vocode(predictor.mel(seen, seed=0, steps=4))
    elsewhere = [at / 10 for at in range(2, len(seen) * 10 // spec.fps - 2)]
    usual = level_jumps_db(sound, spec.sample_rate_hz, elsewhere)
    assert level_jumps_db(sound, spec.sample_rate_hz, edges).mean() < 1.25 * usual.mean()

    # The same measure notices windows that are cut hard, every other one 3 dB softer.
    hop = window * spec.samples_per_frame
    for start in range(0, len(sound), 2 * hop):
        sound[start : start + hop] *= 0.7
    seams = [start / spec.sample_rate_hz for start in range(hop, len(sound), hop)]
    assert level_jumps_db(sound, spec.sample_rate_hz, seams).mean() > 2 * usual.mean()


def test_a_model_of_other_features_is_told(untrained_model: Path, tmp_path: Path):
    for path in untrained_model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["config"]["features"]["motion_grid"] = 4
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="the feature settings give"):
        GenerationPredictor.load(tmp_path)
