"""What bodies are made of: how each material looks, bounces and sounds."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["MATERIALS", "REFERENCE_RADIUS_M", "Material"]

REFERENCE_RADIUS_M = 0.15


@dataclass(frozen=True)
class Material:
    """One material.

    Attributes:
        name: one word.
        label: what the catalog calls a clip of it.
        restitution: speed after a bounce over speed before it.
        softness: how much a body is squashed by a hit, 0..1.
        shape: outline.
        colour: red, green, blue in 0..255.
        opacity: 1 hides what is behind.
        gloss: strength of the highlight, 0..1.
        pitch_hz: lowest mode of a body of REFERENCE_RADIUS_M; smaller bodies sound higher.
        ratios: frequencies of the modes over the lowest.
        decay_s: time in which the lowest mode falls to 1/e; higher modes fall faster.
        click: loudness of the noise burst of a hit over that of the modes.
    """

    name: str
    label: str
    restitution: float
    softness: float
    shape: Literal["ball", "block", "boulder"]
    colour: tuple[int, int, int]
    opacity: float
    gloss: float
    pitch_hz: float
    ratios: tuple[float, ...]
    decay_s: float
    click: float


MATERIALS = (
    Material(
        name="wood",
        label="wooden block knocking",
        restitution=0.5,
        softness=0.1,
        shape="block",
        colour=(158, 100, 50),
        opacity=1.0,
        gloss=0.1,
        pitch_hz=420.0,
        ratios=(1.0, 2.57, 4.2, 6.3),
        decay_s=0.05,
        click=0.5,
    ),
    Material(
        name="metal",
        label="metal ball clanging",
        restitution=0.6,
        softness=0.0,
        shape="ball",
        colour=(88, 122, 175),
        opacity=1.0,
        gloss=0.9,
        pitch_hz=760.0,
        ratios=(1.0, 1.51, 2.31, 2.98, 4.1, 5.6),
        decay_s=0.22,
        click=0.3,
    ),
    Material(
        name="glass",
        label="glass ball clinking",
        restitution=0.55,
        softness=0.0,
        shape="ball",
        colour=(130, 235, 225),
        opacity=0.55,
        gloss=1.0,
        pitch_hz=2000.0,
        ratios=(1.0, 1.7, 2.32, 3.1),
        decay_s=0.12,
        click=0.25,
    ),
    Material(
        name="rubber",
        label="rubber ball bouncing",
        restitution=0.74,
        softness=0.6,
        shape="ball",
        colour=(205, 40, 48),
        opacity=1.0,
        gloss=0.15,
        pitch_hz=150.0,
        ratios=(1.0, 1.6, 2.4, 3.7),
        decay_s=0.06,
        click=0.15,
    ),
    Material(
        name="stone",
        label="stone thudding",
        restitution=0.42,
        softness=0.0,
        shape="boulder",
        colour=(80, 77, 74),
        opacity=1.0,
        gloss=0.0,
        pitch_hz=1050.0,
        ratios=(1.0, 1.37, 1.9, 2.6, 3.3),
        decay_s=0.018,
        click=1.2,
    ),
    Material(
        name="plastic",
        label="plastic block clattering",
        restitution=0.62,
        softness=0.25,
        shape="block",
        colour=(240, 200, 30),
        opacity=1.0,
        gloss=0.6,
        pitch_hz=820.0,
        ratios=(1.0, 1.9, 3.1, 4.4),
        decay_s=0.03,
        click=0.4,
    ),
)
