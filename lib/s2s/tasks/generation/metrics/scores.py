"""The score of one sound of one clip against the clip's real sound.

Legend: N samples, M mel frames, F bands, T video frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from s2s.tasks.common.mel import LogMel
from s2s.tasks.contract import Example, Judge
from s2s.tasks.generation.data import condition_of
from s2s.tasks.generation.metrics.classifier import Hearing, SoundClassifier
from s2s.tasks.generation.metrics.onsets import OnsetScore, find_onsets, score_onsets
from s2s.tasks.generation.metrics.spectra import loudness_lufs, mel_distance, stft_distance
from s2s.tasks.generation.metrics.sync import SyncProbe
from s2s.tasks.generation.systems.answer import SoundAnswer
from s2s.tasks.generation.systems.recorded import RecordedSounds

__all__ = ["ClipScore", "SoundJudge"]

LOOSE_TOLERANCE_S = 0.1
_DIGITS = 4


@dataclass(frozen=True)
class ClipScore:
    """The score of one system on one clip.

    Attributes:
        onsets: agreement with the real sound's onsets, within 50 ms, as late as was asked for.
        loose_onsets: within 100 ms.
        undelayed_onsets: within 50 ms of the real sound's onsets, whatever was asked for.
        mel_l1: mean absolute difference to the real log-mel, in nepers.
        stft: multi-resolution STFT distance.
        loudness_lu: absolute difference in loudness, in LU.
        hearing: the classifier's output; None without a classifier.
        real_hearing: its output for the real sound.
        is_right: whether the most likely class is one of the clip's labels.
        late_s: by how much the sound is late according to the synchrony probe, in seconds; None
            where the probe gives no answer.
        diversity: mel distance between two seeds; None where there is one.
    """

    onsets: OnsetScore = field(default_factory=OnsetScore)
    loose_onsets: OnsetScore = field(default_factory=OnsetScore)
    undelayed_onsets: OnsetScore = field(default_factory=OnsetScore)
    mel_l1: float = 0.0
    stft: float = 0.0
    loudness_lu: float = 0.0
    hearing: Hearing | None = None
    real_hearing: Hearing | None = None
    is_right: bool | None = None
    late_s: float | None = None
    diversity: float | None = None


@dataclass(frozen=True)
class _Heard:
    """A sound with everything that was computed from it."""

    samples_N: np.ndarray
    mel_MF: np.ndarray
    onsets_s: np.ndarray
    loudness_lufs: float
    hearing: Hearing | None


class SoundJudge(Judge):
    """Compares sounds with the real one.

    Args:
        sounds: the real sound.
        log_mel: computes spectrograms.
        classifier: tells classes; None where the data have less than two labels.
        probe: measures audio-visual offsets; None to leave them out.
    """

    def __init__(
        self,
        sounds: RecordedSounds,
        log_mel: LogMel,
        classifier: SoundClassifier | None,
        probe: SyncProbe | None = None,
    ) -> None:
        self.note = ""
        if classifier is None:
            self.note = "The training clips have less than two labels: no class accuracy."
        self._sounds = sounds
        self._log_mel = log_mel
        self._classifier = classifier
        self._probe = probe
        self._rate_hz = log_mel.spec.sample_rate_hz
        self._last: tuple[Example, _Heard] | None = None

    def score(self, example: Example, answer: SoundAnswer) -> ClipScore:
        """Score a sound that is as long as the real one."""
        real = self._real(example)
        is_real = np.array_equal(answer.samples_N, real.samples_N)
        heard = real if is_real else self._listen(answer.samples_N)
        due_s = real.onsets_s + answer.delay_s
        due_s = due_s[due_s < len(real.samples_N) / self._rate_hz]
        hearing, labels = heard.hearing, example.listed.labels
        return ClipScore(
            onsets=score_onsets(due_s, heard.onsets_s),
            loose_onsets=score_onsets(due_s, heard.onsets_s, LOOSE_TOLERANCE_S),
            undelayed_onsets=score_onsets(real.onsets_s, heard.onsets_s),
            mel_l1=mel_distance(heard.mel_MF, real.mel_MF),
            stft=stft_distance(real.samples_N, heard.samples_N, self._rate_hz),
            loudness_lu=abs(real.loudness_lufs - heard.loudness_lufs),
            hearing=hearing,
            real_hearing=real.hearing,
            is_right=hearing.label in labels if hearing and labels else None,
            late_s=self._lateness_s(example, heard.mel_MF),
            diversity=self._diversity(heard.mel_MF, answer),
        )

    def row(self, score: ClipScore) -> Mapping[str, Any]:
        """The part of a score that is stored for each clip."""
        return {
            "onset_f1": round(score.onsets.f1, _DIGITS),
            "onsets": score.onsets.estimated,
            "mel_l1": round(score.mel_l1, _DIGITS),
            "heard": score.hearing.label if score.hearing else None,
            "late_s": score.late_s,
        }

    def _real(self, example: Example) -> _Heard:
        """Analyse the clip's own sound, once for all systems."""
        if self._last is None or self._last[0] is not example:
            self._last = example, self._listen(self._sounds.of(example))
        return self._last[1]

    def _listen(self, samples_N: np.ndarray) -> _Heard:
        mel_MF = self._mel(samples_N)
        return _Heard(
            samples_N=samples_N,
            mel_MF=mel_MF,
            onsets_s=find_onsets(samples_N, self._rate_hz),
            loudness_lufs=loudness_lufs(samples_N, self._rate_hz),
            hearing=self._classifier.listen(mel_MF) if self._classifier else None,
        )

    def _mel(self, samples_N: np.ndarray) -> np.ndarray:
        return self._log_mel.of_samples(torch.from_numpy(samples_N)).numpy()

    def _lateness_s(self, example: Example, mel_MF: np.ndarray) -> float | None:
        if self._probe is None:
            return None
        condition_TC = condition_of(example.stored)
        late = self._probe.offset(condition_TC, mel_MF.reshape(len(condition_TC), -1))
        return None if late is None else late / self._log_mel.spec.fps

    def _diversity(self, mel_MF: np.ndarray, answer: SoundAnswer) -> float | None:
        if not answer.others:
            return None
        return float(np.mean([mel_distance(mel_MF, self._mel(other)) for other in answer.others]))
