"""Drawn talkers take the way of real ones: the same detector finds them, the same mesh follows."""

from itertools import islice

import numpy as np
import pytest

from s2s.features.arrays import ClipMedia
from s2s.spec import TimeSpec
from s2s.tasks.separation.extractors import LIP_NAMES
from s2s.tasks.separation.extractors.faces import MeshFaces
from s2s.tasks.separation.settings import SeparationFeatureSettings
from sample.cocktail_party.film import TalkerFilm
from sample.cocktail_party.talkers import make_talker
from sample.cocktail_party.voice import SAMPLE_RATE_HZ

_SECONDS = 2
_SPEC = TimeSpec(fps=25, sample_rate_hz=SAMPLE_RATE_HZ, duration_s=_SECONDS)


@pytest.mark.parametrize("index", [1, 6, 16])
def test_the_mesh_follows_drawn_lips(index: int):
    film = TalkerFilm(make_talker(0, index))
    frames = np.stack(list(islice(film.frames(), _SECONDS * _SPEC.fps)))
    clip = ClipMedia(frames, film.samples()[: _SECONDS * SAMPLE_RATE_HZ])

    # With the check that somebody speaks: it is speech to silero-vad too.
    found = MeshFaces(_SPEC, SeparationFeatureSettings())(clip)

    assert np.all(found["seen"])
    opening = np.asarray(found["lips"])[:, LIP_NAMES.index("opening")].astype(float)
    drawn = np.array([lips.opening for lips in film.lips()[: len(opening)]])
    assert np.corrcoef(opening, drawn)[0, 1] > 0.85
    assert opening.std() > 0.1
