"""A scene as a film: what happens in it, drawn and sounded."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sample.canvas import FPS
from sample.silent_to_sound.catalog import AnyScene, build_source, catalog_text
from sample.silent_to_sound.picture import frames
from sample.silent_to_sound.sound import SAMPLE_RATE_HZ, synthesize
from sample.silent_to_sound.world import Scene

__all__ = ["SceneFilm", "film", "list_clips"]


class SceneFilm:
    """A film of a scene; see `sample.film.Film`."""

    fps = FPS
    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, scene: AnyScene) -> None:
        self.scene = scene
        self.source_id = scene.source_id
        self.duration_s = scene.duration_s

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Its pictures."""
        return frames(self.scene)

    def samples(self) -> NDArray[np.float32]:
        """Its sound."""
        return synthesize(self.scene)

    def truth(self) -> dict[str, Any]:
        """Every impact, or how strong it was when."""
        scene = self.scene
        content: dict[str, Any] = {"source_id": scene.source_id, "duration_s": scene.duration_s}
        if isinstance(scene, Scene):
            content["material"] = scene.material.name
            content["impacts"] = [
                {"time_s": hit.time_s, "speed_m_s": hit.speed_m_s, "kind": hit.kind}
                for hit in scene.impacts
            ]
        else:
            content["texture"] = scene.texture.name
            content["strengths"] = scene.knots.tolist()
        return content


def film(seed: int, index: int) -> SceneFilm:
    """Make up a film."""
    return SceneFilm(build_source(seed, index))


def list_clips(films: Sequence[SceneFilm]) -> str:
    """The catalog of some films."""
    return catalog_text(film.scene for film in films)
