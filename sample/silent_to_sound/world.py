"""What happens in a source: bodies of one material fall, bounce and are struck.

Everything is in metres, seconds and SI speeds, and exact in time: pictures and sound are both
made from the same instants. All motion is made of pieces of constant acceleration.
"""

import base64
import hashlib
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sample.silent_to_sound.materials import MATERIALS, Material

__all__ = [
    "VIEW_HEIGHT_M",
    "WORLD_VERSION",
    "Body",
    "Impact",
    "Motion",
    "Scene",
    "build_scene",
    "hashed_id",
    "source_id",
]

GRAVITY_M_S2 = 9.81
VIEW_HEIGHT_M = 1.35
"""From the floor to the upper edge of the picture."""
MALLET_AWAY_M = 1.6
"""Height of the mallet over a body when it is out of sight."""
MALLET_RESTITUTION = 0.6
SLOWEST_REBOUND_M_S = 1.25
"""A body that would leave the floor more slowly stays on it: bounces are more than 250 ms apart, so
that a sound that is 200 ms late is heard to be late."""
WORLD_VERSION = 5
"""Part of every source id: raise it when the same seed gives another film."""

_DURATIONS_S = (20, 60)
_RADII_M = (0.11, 0.19)
_DROPS_M = (0.46, 0.85)
_PLACES_M = (0.55, 1.05)
_QUIET_END_S = 0.05
_STRIKE_SPEEDS_M_S = (1.8, 4.0)


@dataclass(frozen=True)
class Motion:
    """One coordinate over time, in pieces of constant acceleration.

    Attributes:
        pieces: float64 (P, 4): start in s, position in m, velocity in m/s, acceleration in m/s²
            of each piece; starts ascend.
    """

    pieces: NDArray[np.float64]

    def at(self, time_s: ArrayLike) -> NDArray[np.float64]:
        """Position in metres at each time; the first piece reaches back for ever."""
        times = np.asarray(time_s, dtype=np.float64)
        index = np.searchsorted(self.pieces[:, 0], times, side="right") - 1
        start, position, velocity, acceleration = self.pieces[np.maximum(index, 0)].T
        passed = times - start
        return position + velocity * passed + 0.5 * acceleration * passed**2


@dataclass(frozen=True)
class Impact:
    """A hit.

    Attributes:
        time_s: when, exactly.
        speed_m_s: how fast the two met.
        kind: a bounce off the floor, or a strike by the mallet.
        radius_m: size of the body that sounds.
    """

    time_s: float
    speed_m_s: float
    kind: Literal["bounce", "strike"]
    radius_m: float


@dataclass(frozen=True)
class Body:
    """A thing that hangs on a thread, is let go, and is pulled up again.

    Attributes:
        x_m: where it falls, from the left edge of the picture.
        radius_m: half its height.
        enter_s: when it comes into view.
        release_s: when the thread lets it go.
        lift_s: when the thread pulls it up.
        leave_s: when it is out of view.
    """

    x_m: float
    radius_m: float
    enter_s: float
    release_s: float
    lift_s: float
    leave_s: float


@dataclass(frozen=True)
class Scene:
    """All that happens in one source.

    Attributes:
        source_id: the source's name.
        seed: what the scene, its picture and its sound are drawn from.
        material: what its bodies are made of.
        duration_s: its length.
        bodies: one after the other.
        height: clearance between the floor and the body.
        mallet: clearance between the body's top and the mallet.
        impacts: every hit, in order.
    """

    source_id: str
    seed: tuple[int, int]
    material: Material
    duration_s: float
    bodies: tuple[Body, ...]
    height: Motion
    mallet: Motion
    impacts: tuple[Impact, ...]

    @property
    def label(self) -> str:
        """What the catalog calls its clips."""
        return self.material.label

    @property
    def round(self) -> int:
        """Which source of its material it is."""
        return self.seed[1] // len(MATERIALS)

    def shortened(self, duration_s: float) -> "Scene":
        """The scene's first seconds."""
        impacts = tuple(hit for hit in self.impacts if hit.time_s < duration_s - _QUIET_END_S)
        return replace(self, duration_s=duration_s, impacts=impacts)


def source_id(seed: int, index: int) -> str:
    """Name a source as YouTube would, by 11 letters, digits, "-" and "_".

    The second source of every seed starts with a dash, which command lines must survive.
    """
    name = hashed_id(f"{seed}/{index}")
    return f"-{name[1:]}" if index == 1 else name


def hashed_id(name: str) -> str:
    """Eleven letters, digits, "-" and "_" that stand for a name in this version of the world."""
    digest = hashlib.sha256(f"{WORLD_VERSION}/{name}".encode()).digest()
    return base64.urlsafe_b64encode(digest)[:11].decode()


def build_scene(seed: int, index: int) -> Scene:
    """Make up what happens in one source; the same arguments give the same scene."""
    rng = np.random.default_rng([WORLD_VERSION, seed, index])
    material = MATERIALS[index % len(MATERIALS)]
    duration_s = float(rng.integers(_DURATIONS_S[0], _DURATIONS_S[1], endpoint=True))
    script = _Script(material, rng)
    while script.now_s < duration_s:
        script.play_body()
    scene = Scene(
        source_id=source_id(seed, index),
        seed=(seed, index),
        material=material,
        duration_s=duration_s,
        bodies=tuple(script.bodies),
        height=Motion(np.array(script.height)),
        mallet=Motion(np.array(script.mallet)),
        impacts=tuple(script.impacts),
    )
    return scene.shortened(duration_s)


class _Script:
    """Writes a scene body by body; `now_s` is where it has come to."""

    def __init__(self, material: Material, rng: np.random.Generator) -> None:
        self.material = material
        self.rng = rng
        self.now_s = float(rng.uniform(0.0, 0.3))
        self.bodies: list[Body] = []
        self.impacts: list[Impact] = []
        self.height: list[tuple[float, float, float, float]] = []
        self.mallet: list[tuple[float, float, float, float]] = [(0.0, MALLET_AWAY_M, 0.0, 0.0)]

    def play_body(self) -> None:
        """One body from entering to leaving."""
        radius_m = float(self.rng.uniform(*_RADII_M))
        drop_m = float(self.rng.uniform(*_DROPS_M))
        enter_s = self.now_s
        self._lower(drop_m)
        release_s = self.now_s
        self._drop(drop_m, radius_m)
        self.now_s += float(self.rng.uniform(0.1, 0.25))
        strikes = int(self.rng.choice(5, p=(0.1, 0.2, 0.25, 0.25, 0.2)))
        if strikes:
            self._strike(strikes, radius_m)
        lift_s = self.now_s
        self._lift()
        self.bodies.append(
            Body(
                x_m=float(self.rng.uniform(*_PLACES_M)),
                radius_m=radius_m,
                enter_s=enter_s,
                release_s=release_s,
                lift_s=lift_s,
                leave_s=self.now_s,
            )
        )

    def _lower(self, drop_m: float) -> None:
        self.now_s = _glide(self.height, self.now_s, (VIEW_HEIGHT_M, drop_m), 0.35)
        self.height.append((self.now_s, drop_m, 0.0, 0.0))
        self.now_s += float(self.rng.uniform(0.05, 0.2))

    def _drop(self, drop_m: float, radius_m: float) -> None:
        self.height.append((self.now_s, drop_m, 0.0, -GRAVITY_M_S2))
        speed_m_s = math.sqrt(2 * GRAVITY_M_S2 * drop_m)
        self.now_s += speed_m_s / GRAVITY_M_S2
        self.impacts.append(Impact(self.now_s, speed_m_s, "bounce", radius_m))
        while (speed_m_s := speed_m_s * self.material.restitution) >= SLOWEST_REBOUND_M_S:
            self.height.append((self.now_s, 0.0, speed_m_s, -GRAVITY_M_S2))
            self.now_s += 2 * speed_m_s / GRAVITY_M_S2
            self.impacts.append(Impact(self.now_s, speed_m_s, "bounce", radius_m))
        self.height.append((self.now_s, 0.0, 0.0, 0.0))

    def _strike(self, strikes: int, radius_m: float) -> None:
        raised_m = float(self.rng.uniform(0.35, 0.5))
        self.now_s = _glide(self.mallet, self.now_s, (MALLET_AWAY_M, raised_m), 0.3)
        for _ in range(strikes):
            self.mallet.append((self.now_s, raised_m, 0.0, 0.0))
            self.now_s += float(self.rng.uniform(0.0, 0.25))
            speed_m_s = float(self.rng.uniform(*_STRIKE_SPEEDS_M_S))
            self.mallet.append((self.now_s, raised_m, 0.0, -(speed_m_s**2) / (2 * raised_m)))
            self.now_s += 2 * raised_m / speed_m_s
            self.impacts.append(Impact(self.now_s, speed_m_s, "strike", radius_m))
            rebound_m_s = MALLET_RESTITUTION * speed_m_s
            slowing_m_s2 = -(rebound_m_s**2) / (2 * raised_m)
            self.mallet.append((self.now_s, 0.0, rebound_m_s, slowing_m_s2))
            self.now_s += 2 * raised_m / rebound_m_s
        self.now_s = _leave(self.mallet, self.now_s, (raised_m, MALLET_AWAY_M), 0.35)

    def _lift(self) -> None:
        self.now_s = _leave(self.height, self.now_s, (0.0, VIEW_HEIGHT_M), 0.45)


def _glide(
    pieces: list[tuple[float, float, float, float]],
    start_s: float,
    way_m: tuple[float, float],
    seconds: float,
) -> float:
    """Move and come to rest at the end; returns when that is."""
    length_m = way_m[1] - way_m[0]
    pieces.append((start_s, way_m[0], 2 * length_m / seconds, -2 * length_m / seconds**2))
    return start_s + seconds


def _leave(
    pieces: list[tuple[float, float, float, float]],
    start_s: float,
    way_m: tuple[float, float],
    seconds: float,
) -> float:
    """Start from rest, and stay where the way ends; returns when it is reached."""
    pieces.append((start_s, way_m[0], 0.0, 2 * (way_m[1] - way_m[0]) / seconds**2))
    pieces.append((start_s + seconds, way_m[1], 0.0, 0.0))
    return start_s + seconds
