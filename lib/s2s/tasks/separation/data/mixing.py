"""From a plan to a mixture.

Legend: S faces, T pictures, N samples, D lip values.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import resample

from s2s.features.stored import StoredClip
from s2s.spec import TimeSpec
from s2s.tasks.separation.data.clips import Stretch, Talkers, level_of, read_stretch
from s2s.tasks.separation.data.disguise import disguised
from s2s.tasks.separation.data.noise import NoiseSource
from s2s.tasks.separation.data.plan import FacePlan, MixturePlan
from s2s.tasks.separation.data.rooms import in_room
from s2s.tasks.separation.extractors.simulated import HeardVoice, draw_lips, hear_voice

__all__ = ["Mixer", "Mixture"]

LEVEL = 0.05
"""Root mean square that a voice of 0 dB is brought to: -26 dBFS."""
_QUIETEST = 1e-3
_REST_S = 0.2
_AT_REST = 0.1
"""Share of what lips do in speech that they do at rest."""
_FADE_S = 0.02


@dataclass(frozen=True)
class Mixture:
    """What is heard and seen at once, and what each face says.

    Attributes:
        mixture_N: float32: all voices and the noise.
        voices_SN: what is to be found for each face; zeros where it says nothing.
        lips_STD: float32, every face's lip stream.
        seen_ST: bool, where each face was seen.
        is_heard_S: which faces say anything.
    """

    mixture_N: np.ndarray
    voices_SN: np.ndarray
    lips_STD: np.ndarray
    seen_ST: np.ndarray
    is_heard_S: np.ndarray


class Mixer:
    """Makes mixtures.

    Args:
        talkers: clips that plans name.
        spec: rates.
        noise: where noise is from.
    """

    def __init__(self, talkers: Talkers, spec: TimeSpec, noise: NoiseSource) -> None:
        self.talkers = talkers
        self.spec = spec
        self._noise = noise
        self._heard: dict[str, HeardVoice] = {}

    def mix(self, plan: MixturePlan, window: int | None = None) -> Mixture:
        """The mixture of a plan.

        Args:
            plan: what it is made of.
            window: pictures; None for as many as the longest clip that speaks has.
        """
        if window is None:
            spoken = (face for face in plan.faces if face.face == "speaks")
            window = max(self.talkers.clip(face.clip_id).length("lips") for face in spoken)
        gain = 10 ** (plan.gain_db / 20)
        parts = [self._face(face, window, gain) for face in plan.faces]
        heard_N = np.sum([heard for heard, _, _ in parts], axis=0)
        if plan.noise is not None:
            heard_N = heard_N + self._noise_beside(heard_N, plan)
        return Mixture(
            heard_N.astype(np.float32),
            np.stack([wanted for _, wanted, _ in parts]),
            np.stack([stretch.lips_TD for _, _, stretch in parts]),
            np.stack([stretch.seen_T for _, _, stretch in parts]),
            np.array([face.face == "speaks" for face in plan.faces]),
        )

    def _face(
        self, plan: FacePlan, window: int, gain: float
    ) -> tuple[np.ndarray, np.ndarray, Stretch]:
        """What is heard of a face, what is to be found, and what is seen of it."""
        clip = self.talkers.clip(plan.clip_id)
        stretch = read_stretch(clip, plan.start, _source_length(plan, window))
        if plan.lips is not None:
            stretch = self._with_new_lips(clip, plan, stretch)
        stretch = _at_speed(self._with_pause(plan, stretch), window)
        if plan.face != "speaks":
            silence_N = np.zeros(self.spec.samples(window), np.float32)
            is_at_rest = plan.face == "rests"
            return silence_N, silence_N, self._at_rest(clip, stretch) if is_at_rest else stretch
        loudness = gain * LEVEL * 10 ** (plan.gain_db / 20) / max(level_of(clip), _QUIETEST)
        voice_N = loudness * self._fitted(stretch.voice_N, window)
        if plan.disguise is not None:
            voice_N = disguised(voice_N, self.spec.sample_rate_hz, plan.disguise)
        if plan.room is None:
            return voice_N, voice_N, stretch
        heard_N, wanted_N = in_room(voice_N, self.spec.sample_rate_hz, plan.room)
        return heard_N, wanted_N, stretch

    def _with_new_lips(self, clip: StoredClip, plan: FacePlan, stretch: Stretch) -> Stretch:
        """The same with other lips: a network cannot tell a clip by how its lips move."""
        if clip.clip_id not in self._heard:
            whole = read_stretch(clip, 0, clip.length("lips"))
            heard = hear_voice(whole.voice_N, self.spec.sample_rate_hz, self.spec.fps)
            self._heard[clip.clip_id] = heard
        rng = np.random.default_rng(plan.lips)
        heard = self._heard[clip.clip_id]
        if plan.pause is not None:
            heard = heard.silent(*plan.pause)
        lips_TD, seen_T = draw_lips(heard, self.spec.fps, rng)
        length = len(stretch.seen_T)
        lips_TD = lips_TD[plan.start : plan.start + length].astype(np.float32)
        seen_T = seen_T[plan.start : plan.start + length]
        missing = length - len(seen_T)
        return Stretch(
            stretch.voice_N, np.pad(lips_TD, ((0, missing), (0, 0))), np.pad(seen_T, (0, missing))
        )

    def _with_pause(self, plan: FacePlan, stretch: Stretch) -> Stretch:
        """The same, silent for a while where that is planned."""
        if plan.pause is None:
            return stretch
        first, stop = (self.spec.samples(max(0, at - plan.start)) for at in plan.pause)
        open_N = np.ones(len(stretch.voice_N), np.float32)
        open_N[first:stop] = 0
        width = round(_FADE_S * self.spec.sample_rate_hz)
        faded_N = np.convolve(np.pad(open_N, width // 2, mode="edge"), np.ones(width) / width)
        open_N = faded_N[width - 1 : width - 1 + len(open_N)].astype(np.float32)
        return replace(stretch, voice_N=stretch.voice_N * open_N)

    def _fitted(self, voice_N: np.ndarray, window: int) -> np.ndarray:
        """A voice as long as the pictures."""
        length = self.spec.samples(window)
        return voice_N if len(voice_N) == length else resample(voice_N, length).astype(np.float32)

    def _noise_beside(self, voices_N: np.ndarray, plan: MixturePlan) -> np.ndarray:
        assert plan.noise is not None  # noqa: S101 - see mix
        level = float(np.sqrt(np.mean(voices_N * voices_N)))
        loudness = level * 10 ** (-plan.noise.snr_db / 20)
        return loudness * self._noise.draw(plan.noise.seed, len(voices_N))

    def _at_rest(self, clip: StoredClip, stretch: Stretch) -> Stretch:
        """Lips about as they are where the clip is most quiet; they hardly move."""
        width = max(1, round(_REST_S * self.spec.fps))
        whole = read_stretch(clip, 0, clip.length("lips"))
        samples = self.spec.samples_per_frame
        power_T = np.square(whole.voice_N).reshape(-1, samples).mean(axis=1)
        kernel = np.full(min(width, len(power_T)), 1.0)
        quiet_T = np.convolve(power_T, kernel, "same")
        quiet_T[~whole.seen_T] = np.inf
        rest_D = whole.lips_TD[int(quiet_T.argmin())]
        moved_TD = stretch.lips_TD - stretch.lips_TD.mean(axis=0)
        lips_TD = np.where(stretch.seen_T[:, None], rest_D + _AT_REST * moved_TD, 0)
        return Stretch(stretch.voice_N, lips_TD.astype(np.float32), stretch.seen_T)


def _source_length(plan: FacePlan, window: int) -> int:
    """Pictures of a clip that a window takes at a speed."""
    return max(1, round(window * plan.speed))


def _at_speed(stretch: Stretch, window: int) -> Stretch:
    """What is seen, in so many pictures; the voice is left as it is."""
    length = len(stretch.seen_T)
    if length == window:
        return stretch
    at_T = np.linspace(0, length - 1, window)
    before = np.floor(at_T).astype(int)
    after = np.minimum(before + 1, length - 1)
    share = (at_T - before)[:, None]
    lips_TD = (1 - share) * stretch.lips_TD[before] + share * stretch.lips_TD[after]
    return Stretch(stretch.voice_N, lips_TD.astype(np.float32), stretch.seen_T[before])
