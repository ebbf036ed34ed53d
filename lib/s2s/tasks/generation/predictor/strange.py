"""What is unlike all that models are trained on: pictures of nothing, sounds that cannot be."""

import numpy as np

__all__ = ["PLAIN", "TOO_LOUD", "turn_down"]

PLAIN = (
    "The picture is of one colour: there is nothing in it to go by, and its sound means nothing."
)
TOO_LOUD = (
    "The model has drawn a sound louder than any can be: what it was trained on looks otherwise. "
    "The sound is turned down, and means nothing."
)
# Of what clips of the training's kind come to, a handful of samples at an impact are beyond.
_MOST_BEYOND = 0.02
_TURNED_DOWN = 0.1  # root mean square, -20 dB of full scale


def turn_down(samples_N: np.ndarray) -> tuple[np.ndarray, bool]:
    """Sound in -1..1, and whether it was turned down: clipped, it would be the loudest noise.

    Args:
        samples_N: float32 (N,), of any size; what is beyond in a few places is clipped.
    """
    samples_N = np.nan_to_num(samples_N.astype(np.float64))
    beyond = np.abs(samples_N) > 1
    if not len(samples_N) or beyond.mean() <= _MOST_BEYOND:
        return np.clip(samples_N, -1, 1).astype(np.float32), False
    # Of sound whose loudest place is a million times as loud as the rest, one would hear a click.
    levelled_N = np.tanh(samples_N / np.median(np.abs(samples_N[beyond])))
    loudness = float(np.sqrt(np.mean(np.square(levelled_N))))
    return (levelled_N * min(1.0, _TURNED_DOWN / loudness)).astype(np.float32), True
