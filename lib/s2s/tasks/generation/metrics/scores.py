"""How one sound of one clip did, beside the clip's real sound.

Legend: N samples, M mel frames, F bands, T video frames, K classes, W windows, E embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from s2s.tasks.common.mel import LogMel
from s2s.tasks.generation.metrics.classifier import Hearing, SoundClassifier
from s2s.tasks.generation.metrics.onsets import OnsetScore, find_onsets, score_onsets
from s2s.tasks.generation.metrics.spectra import loudness_lufs, mel_distance, stft_distance
from s2s.tasks.generation.metrics.sync import SyncProbe

__all__ = ["ClipScore", "Judge", "Listened", "Take"]

LOOSE_TOLERANCE_S = 0.1


@dataclass(frozen=True)
class Take:
    """One system's sound of a clip.

    Attributes:
        samples_N: float32, as long as the real sound.
        delay_s: by how much the system was shown the video too late: its sound is right when it
            is as late.
        others: sounds for the same video by other seeds.
    """

    samples_N: np.ndarray
    delay_s: float = 0.0
    others: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class ClipScore:
    """How one system did on one clip.

    Attributes:
        onsets: agreement with the real sound's onsets, within 50 ms, as late as was asked for.
        loose_onsets: within 100 ms.
        undelayed_onsets: within 50 ms of the real sound's onsets, whatever was asked for.
        mel_l1: mean absolute difference to the real log-mel, in nepers.
        stft: multi-resolution STFT distance.
        loudness_lu: absolute difference in loudness, in LU.
        hearing: what the classifier hears; None without a classifier.
        real_hearing: what it hears in the real sound.
        is_right: whether the class that it hears is one of the clip's.
        late_s: by how much the sound is late to the ear of the sync probe; None where it cannot
            tell.
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
class Listened:
    """A sound, and what was heard of it.

    Attributes:
        samples_N: the sound.
        mel_MF: its log-mel.
        onsets_s: when something begins to sound.
        loudness_lufs: how loud it is.
        hearing: what the classifier hears; None without a classifier.
    """

    samples_N: np.ndarray
    mel_MF: np.ndarray
    onsets_s: np.ndarray
    loudness_lufs: float
    hearing: Hearing | None


class Judge:
    """Compares sounds with the real one.

    Args:
        log_mel: what spectrograms are made by.
        classifier: hears classes; None where there are no two.
        probe: hears what is late; None where clips are too short for one.
    """

    def __init__(
        self, log_mel: LogMel, classifier: SoundClassifier | None, probe: SyncProbe | None = None
    ) -> None:
        self._log_mel = log_mel
        self._classifier = classifier
        self._probe = probe
        self._rate_hz = log_mel.spec.sample_rate_hz

    def listen(self, samples_N: np.ndarray) -> Listened:
        """Hear a sound, float32 (N,)."""
        mel_MF = self._mel(samples_N)
        return Listened(
            samples_N=samples_N,
            mel_MF=mel_MF,
            onsets_s=find_onsets(samples_N, self._rate_hz),
            loudness_lufs=loudness_lufs(samples_N, self._rate_hz),
            hearing=self._classifier.listen(mel_MF) if self._classifier else None,
        )

    def score(
        self, real: Listened, take: Take, labels: Sequence[str], condition_TC: np.ndarray
    ) -> ClipScore:
        """How a take does.

        Args:
            real: the clip's own sound.
            take: another one of the same length.
            labels: the clip's classes.
            condition_TC: what is seen of it.
        """
        heard = real if take.samples_N is real.samples_N else self.listen(take.samples_N)
        due_s = real.onsets_s + take.delay_s
        due_s = due_s[due_s < len(real.samples_N) / self._rate_hz]
        hearing = heard.hearing
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
            late_s=self._lateness_s(condition_TC, heard.mel_MF),
            diversity=self._diversity(heard.mel_MF, take),
        )

    def _mel(self, samples_N: np.ndarray) -> np.ndarray:
        return self._log_mel.of_samples(torch.from_numpy(samples_N)).numpy()

    def _lateness_s(self, condition_TC: np.ndarray, mel_MF: np.ndarray) -> float | None:
        if self._probe is None:
            return None
        late = self._probe.offset(condition_TC, mel_MF.reshape(len(condition_TC), -1))
        return None if late is None else late / self._log_mel.spec.fps

    def _diversity(self, mel_MF: np.ndarray, take: Take) -> float | None:
        if not take.others:
            return None
        return float(np.mean([mel_distance(mel_MF, self._mel(other)) for other in take.others]))
