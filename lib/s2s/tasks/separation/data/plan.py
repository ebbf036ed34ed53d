"""What a mixture is made of, in words that JSON can hold: the same plan makes the same mixture."""

import hashlib
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from s2s.features.stored import StoredClip
from s2s.tasks.separation.data.clips import Talkers
from s2s.tasks.separation.settings import Condition, MixingSettings

__all__ = ["FacePlan", "MixturePlan", "NoisePlan", "draw_plan", "plan_for"]

Face = Literal["speaks", "rests", "muted"]
_SPEECH_SHARE = 0.5


class FacePlan(BaseModel):
    """One face of a mixture.

    Attributes:
        clip_id: whose face it is.
        start: the clip's first picture that is taken.
        gain_db: how loud its voice is made, above the level that all clips are brought to.
        face: whether it speaks, is at rest, or moves its lips without being heard.
        speed: factor that its time runs by.
        room: seed of its place in a room; None for none.
        lips: seed by which its lips are made anew from its voice; None for those that are stored.
        disguise: seed of the speaker that its voice is made; None for its own.
        pause: first of the clip's pictures in which it is silent, and the first in which it is not
            any more; None for no such pause.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip_id: str
    start: int = 0
    gain_db: float = 0.0
    face: Face = "speaks"
    speed: float = 1.0
    room: int | None = None
    lips: int | None = None
    disguise: int | None = None
    pause: tuple[int, int] | None = None


class NoisePlan(BaseModel):
    """The noise of a mixture.

    Attributes:
        seed: of which file and stretch it is, or of how it is generated.
        snr_db: by how much all voices are louder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    snr_db: float


class MixturePlan(BaseModel):
    """One mixture.

    Attributes:
        condition: what is hard about it.
        faces: those in view; one at least speaks.
        noise: None for none.
        gain_db: of the whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    condition: Condition
    faces: tuple[FacePlan, ...]
    noise: NoisePlan | None = None
    gain_db: float = 0.0


def draw_plan(
    talkers: Talkers,
    first: int,
    n_faces: int,
    window: int,
    settings: MixingSettings,
    rng: np.random.Generator,
) -> MixturePlan:
    """A mixture for training.

    Args:
        talkers: the clips.
        first: place of the clip whose voice is heard in any case.
        n_faces: how many faces are in view.
        window: pictures.
        settings: what mixtures are made of.
        rng: source of chance.
    """
    silent = rng.uniform() < settings.silent_face
    places = _choose(talkers, first, n_faces, settings.same_voice, rng)
    kinds: list[Face] = ["speaks"] * len(places)
    if silent and len(places) > 1:
        kinds[-1] = "rests" if rng.uniform() < _SPEECH_SHARE else "muted"
    is_reverberant = rng.uniform() < settings.reverb
    faces = [
        _draw_face(talkers.clips[place], kind, window, settings, rng)
        for place, kind in zip(places, kinds, strict=True)
    ]
    faces[0] = faces[0].model_copy(update={"gain_db": 0.0})
    if not is_reverberant:
        faces = [face.model_copy(update={"room": None}) for face in faces]
    if settings.disguise:
        faces = [_disguised(face, settings.disguise, rng) for face in faces]
    order = rng.permutation(len(faces))
    noise = None
    if rng.uniform() < settings.noise or kinds.count("speaks") == len(faces) == 1:
        snr_db = float(rng.uniform(*settings.snr_db))
        noise = NoisePlan(seed=int(rng.integers(2**31)), snr_db=snr_db)
    return MixturePlan(
        condition=_condition(talkers, places, kinds),
        faces=tuple(faces[n] for n in order),
        noise=noise,
        gain_db=float(rng.uniform(*settings.gain_db)),
    )


def _draw_face(
    clip: StoredClip, face: Face, window: int, settings: MixingSettings, rng: np.random.Generator
) -> FacePlan:
    """Some time of a clip, at some speed, loudness and place in a room."""
    speed = float(rng.uniform(*settings.speed))
    there = clip.length("lips") - int(np.ceil(window * speed))
    return FacePlan(
        clip_id=clip.clip_id,
        start=int(rng.integers(max(0, there) + 1)),
        gain_db=-float(rng.uniform(*settings.sir_db)),
        face=face,
        speed=speed,
        room=int(rng.integers(2**31)),
    )


def _disguised(face: FacePlan, share: float, rng: np.random.Generator) -> FacePlan:
    """The same, or with another speaker's voice."""
    if rng.uniform() >= share:
        return face
    return face.model_copy(update={"disguise": int(rng.integers(2**31))})


def plan_for(
    talkers: Talkers, first: int, condition: Condition, number: int, settings: MixingSettings
) -> MixturePlan:
    """A mixture to measure on: whole clips, voices as loud as each other, no room.

    It follows from the clips and the condition alone. What cannot be had of these clips, such as
    one voice twice of speakers with one clip, becomes what is nearest.

    Args:
        talkers: the clips.
        first: place of the clip that it is made for.
        condition: what is wanted.
        number: which of several for this clip: the others in it differ.
        settings: range of noise.
    """
    rng = np.random.default_rng((_seed_of(talkers.clips[first].clip_id), number))
    wanted = {"noise": 1, "three_voices": 3}.get(condition, 2)
    places = [first]
    if condition == "same_voice" and (same := talkers.same(first)):
        places.append(same[number % len(same)])
    for _ in range(wanted - len(places)):
        if names := talkers.others(places):
            # Speakers in turn: as many mixtures as there are others have them all.
            name = names[(number + _offset(talkers, first, len(names))) % len(names)]
            places.append(int(rng.choice(talkers.of_speaker(name))))
    kinds: list[Face] = ["speaks"] * len(places)
    if condition in {"silent_face", "muted_face"} and len(places) > 1:
        kinds[-1] = "rests" if condition == "silent_face" else "muted"
    noise = None
    if len(places) == 1:
        noise = NoisePlan(
            seed=int(rng.integers(2**31)), snr_db=float(rng.uniform(*settings.snr_db))
        )
    faces = [
        FacePlan(clip_id=talkers.clips[place].clip_id, face=kind)
        for place, kind in zip(places, kinds, strict=True)
    ]
    return MixturePlan(
        condition=_condition(talkers, places, kinds), faces=tuple(faces), noise=noise
    )


def _choose(
    talkers: Talkers, first: int, count: int, same_voice: float, rng: np.random.Generator
) -> list[int]:
    """Places of so many clips, or fewer where there are not as many."""
    places = [first]
    if count > 1 and rng.uniform() < same_voice and (same := talkers.same(first)):
        places.append(int(rng.choice(same)))
    while len(places) < count:
        names = talkers.others(places)
        if names:
            places.append(int(rng.choice(talkers.of_speaker(str(rng.choice(names))))))
            continue
        left = [place for place in talkers.same(first) if place not in places]
        if not left:
            break
        places.append(int(rng.choice(left)))
    return places


def _condition(talkers: Talkers, places: list[int], kinds: list[Face]) -> Condition:
    if "rests" in kinds:
        return "silent_face"
    if "muted" in kinds:
        return "muted_face"
    if len(places) == 1:
        return "noise"
    speakers = {talkers.speaker(place) for place in places}
    if len(speakers) < len(places):
        return "same_voice"
    return "three_voices" if len(places) > 2 else "different_voices"


def _seed_of(clip_id: str) -> int:
    return int.from_bytes(hashlib.sha256(clip_id.encode()).digest()[:7], "big")


def _offset(talkers: Talkers, place: int, count: int) -> int:
    """Where a clip begins to take others from, so that all speakers are met as often."""
    return _seed_of(talkers.clips[place].clip_id) % count
