"""Mixtures that a model is measured on: fixed by the held-out clips and what is to be measured."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s2s.tasks.contract import Example, Material
from s2s.tasks.separation.data.clips import Talkers
from s2s.tasks.separation.data.mixing import Mixer, Mixture
from s2s.tasks.separation.data.noise import NoiseSource
from s2s.tasks.separation.data.plan import MixturePlan, plan_for
from s2s.tasks.separation.settings import Condition, SeparationRecipe

__all__ = ["HeldOutMixtures", "noise_folder"]


class HeldOutMixtures:
    """Mixtures that are made for held-out clips, each with others of the same split.

    Args:
        material: the clips.
    """

    def __init__(self, material: Material) -> None:
        recipe = material.recipe
        assert isinstance(recipe, SeparationRecipe)  # noqa: S101 - for the type checker
        self._evaluation, self._mixing = recipe.evaluation, recipe.training.mixing
        self._material = material
        self._spec = recipe.spec
        self._noise = NoiseSource(
            noise_folder(recipe, material.recipe_folder), recipe.spec.sample_rate_hz
        )
        self._mixers: dict[str, tuple[Mixer, dict[str, int]]] = {}
        self._last: tuple[str, Sequence[Mixture]] | None = None

    def plans(self, example: Example) -> Sequence[MixturePlan]:
        """The mixtures that are made for a clip, all of one condition."""
        mixer, places = self._mixer(example)
        condition = self._condition(example.index)
        return [
            plan_for(mixer.talkers, places[example.stored.clip_id], condition, number, self._mixing)
            for number in range(self._evaluation.mixtures)
        ]

    def of(self, example: Example) -> Sequence[Mixture]:
        """The same as sound; systems take turns on one clip, so it is mixed once."""
        if self._last is None or self._last[0] != example.stored.clip_id:
            mixer, _ = self._mixer(example)
            mixed = [mixer.mix(plan) for plan in self.plans(example)]
            self._last = example.stored.clip_id, mixed
        return self._last[1]

    def _condition(self, index: int) -> Condition:
        """Conditions take turns, in another order each time: speakers do as well."""
        conditions = self._evaluation.conditions
        turn, place = divmod(index, len(conditions))
        order = np.random.default_rng(turn).permutation(len(conditions))
        return conditions[int(order[place])]

    def _mixer(self, example: Example) -> tuple[Mixer, dict[str, int]]:
        """What mixes the clips of the example's split, and where each of them is among these."""
        split = example.listed.split
        if split not in self._mixers:
            clips = sorted(self._material.clips[split], key=lambda clip: clip.clip_id)
            mixer = Mixer(Talkers(clips), self._spec, self._noise)
            self._mixers[split] = mixer, {clip.clip_id: n for n, clip in enumerate(clips)}
        return self._mixers[split]


def noise_folder(recipe: SeparationRecipe, recipe_folder: Path) -> Path | None:
    """The folder that noise is cut from; None where it is generated."""
    name = recipe.training.mixing.noise_folder
    return recipe_folder / name if name else None
