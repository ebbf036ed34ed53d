"""The sections `evaluation` and `comparison`: settings of the commands `evaluate` and `compare`."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from s2s.errors import what_is_meant
from s2s.settings.section import Section

__all__ = ["ALL_CLIPS", "ComparisonSettings", "EvaluationSettings", "Target"]

ALL_CLIPS = "all"


class Target(Section):
    """A bound that a figure must keep. Reports show the figure, and whether it does.

    Attributes:
        figure: such as `onset_f1`.
        must_be: which side of the bound.
        bound: a value of the figure, or a share of it where `of` names another system.
        of: whose figure the bound is a share of.
        group: of clips; `all` for all.
        system: whose figure must keep the bound.
    """

    figure: str
    must_be: Literal["at_least", "at_most", "below"]
    bound: float
    of: str | None = None
    group: str = ALL_CLIPS
    system: str = "model"

    def sentence(self, titles: Mapping[str, str]) -> str:
        """The target in words.

        Args:
            titles: of the figures, by name.
        """
        other = f" × that of {self.of}" if self.of else ""
        must_be = self.must_be.replace("_", " ")
        title = titles.get(self.figure, self.figure)
        return f"{self.system}, {self.group}: {title} {must_be} {self.bound:g}{other}"

    def is_met(self, value: float, reference: float = 1.0) -> bool:
        """Whether a figure is what was asked for.

        Args:
            value: the figure.
            reference: the figure of the system that the bound is a share of.
        """
        bound = self.bound * reference
        if self.must_be == "at_least":
            return value >= bound
        return value <= bound if self.must_be == "at_most" else value < bound


def _check(what: str, name: str, known: Sequence[str]) -> None:
    if known and name not in known:
        raise ValueError(f"targets: there is no {what} {name!r}; {what_is_meant(name, known)}")


class EvaluationSettings(Section):
    """Settings of the command `evaluate`; none of them changes the model.

    Attributes:
        clips: held-out clips that are measured on, at most.
        intervals: bootstrap samples of sources that intervals are computed from.
        examples: clips that the page shows beside the worst.
        worst: clips that the page shows for being the worst.
        groups: patterns of labels of each group of clips that figures are given of as well.
        targets: bounds that figures must keep.
    """

    CONDITIONS: ClassVar[tuple[str, ...]] = ()
    """Groups that the task's judge makes of clips, whatever their labels."""
    FIGURES: ClassVar[tuple[str, ...]] = ()
    """Names of the task's figures, so that targets are checked before anything is measured; where
    there are none, `evaluate` checks them."""
    SYSTEMS: ClassVar[tuple[str, ...]] = ()
    """Names of all systems that the task may make, for the same reason."""

    clips: int = Field(default=200, ge=1)
    intervals: int = Field(default=200, ge=2)
    examples: int = Field(default=4, ge=0)
    worst: int = Field(default=4, ge=0)
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    targets: tuple[Target, ...] = ()

    @property
    def left_out(self) -> Mapping[str, str]:
        """Systems and groups that are not measured by these settings, with the remedy of each.

        What depends on the model is known to `evaluate` only: comparisons have several.
        """
        return {}

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        taken = {ALL_CLIPS, *self.CONDITIONS} & self.groups.keys()
        if taken:
            raise ValueError(f"a group cannot be called {min(taken)!r}: there is one already")
        return self

    @model_validator(mode="after")
    def _check_targets(self) -> Self:
        groups = (ALL_CLIPS, *self.groups, *self.CONDITIONS)
        for target in self.targets:
            _check("figure", target.figure, self.FIGURES)
            _check("system", target.system, self.SYSTEMS)
            _check("system", target.of or target.system, self.SYSTEMS)
            _check("group", target.group, groups)
            for name in (target.system, target.of or target.system, target.group):
                if name in self.left_out:
                    remedy = self.left_out[name]
                    raise ValueError(f"targets: {name!r} is not measured: {remedy}")
        return self

    def group_of(self, labels: Iterable[str]) -> str:
        """The first group that one of the labels belongs to; empty if none."""
        for group, patterns in self.groups.items():
            if any(fnmatchcase(label, pattern) for label in labels for pattern in patterns):
                return group
        return ""


class ComparisonSettings(Section):
    """Approaches to one task, trained alike; none of it changes the recipe's own model.

    Attributes:
        approaches: by name, the settings of `training` that an approach has of its own; those that
            the task knows where there are none.
        seeds: how often each is trained, with the recipe's seed and the following ones.
    """

    approaches: dict[str, dict[str, Any]] = Field(default_factory=dict)
    seeds: int = Field(default=3, ge=1, le=100)

    @field_validator("approaches", mode="before")
    @classmethod
    def _check_form(cls, given: Any) -> Any:
        if isinstance(given, dict) and all(isinstance(of, dict) for of in given.values()):
            return given
        raise ValueError(
            "name settings of training for each approach, such as {slow: {learning_rate: 0.0001}, "
            "fast: {learning_rate: 0.001}}; to compare some of the usual ones, leave it out, and "
            "name them by --only"
        )
