"""Figures: what is said of a system's voices over many mixtures."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from s2s.tasks.contract import Figure
from s2s.tasks.separation.metrics.judge import MixtureScores
from s2s.tasks.separation.metrics.scores import FaceScore

__all__ = ["FIGURES"]

Scores = Sequence[MixtureScores]


def _faces(scores: Scores) -> Iterable[FaceScore]:
    return (face for mixtures in scores for faces in mixtures for face in faces)


def _mean(of: Callable[[FaceScore], float | None]) -> Callable[[Scores], float | None]:
    """The mean over all faces of which it can be said."""

    def mean(scores: Scores) -> float | None:
        values = [value for face in _faces(scores) if (value := of(face)) is not None]
        return float(np.mean(values)) if values else None

    return mean


def _sdr_improvement_db(face: FaceScore) -> float | None:
    if face.sdr_before_db is None or face.sdr_after_db is None or face.improvement_db is None:
        return None
    return face.sdr_after_db - face.sdr_before_db


FIGURES = (
    Figure(
        "si_sdri",
        "SI-SDR improvement, dB",
        _mean(lambda face: face.improvement_db),
        more_is_better=True,
        after_training=True,
        finds_worst=True,
    ),
    Figure(
        "right_speaker",
        "right speaker",
        _mean(lambda face: face.is_right),
        more_is_better=True,
        after_training=True,
    ),
    Figure(
        "silence_db",
        "left of a silent face, dB",
        _mean(lambda face: face.left_db),
        after_training=True,
        finds_worst=True,
    ),
    Figure("alike", "outputs alike", _mean(lambda face: face.alike), after_training=True),
    Figure("sdri", "SDR improvement, dB", _mean(_sdr_improvement_db), more_is_better=True),
    Figure("estoi", "ESTOI", _mean(lambda face: face.estoi), more_is_better=True),
    Figure("dnsmos", "DNSMOS", _mean(lambda face: face.dnsmos), more_is_better=True),
    Figure(
        "real_time_factor",
        "real-time factor, one core",
        _mean(lambda face: face.real_time_factor),
        after_training=True,
    ),
)
