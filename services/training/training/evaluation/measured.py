"""The scores of every system on held-out clips."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from s2s.dataset import Split
from s2s.dataset.held_out import HeldOut, choose_held_out
from s2s.logs import counted, plural
from s2s.progress import Bars
from s2s.settings import EvaluationSettings
from s2s.tasks.contract import AnswerFiles, Example, Judge, Material, System

__all__ = ["Measured", "Measurement", "measure"]

_NAMED = 5


@dataclass(frozen=True)
class Measured:
    """The scores of every system on one clip.

    Attributes:
        example: the clip.
        groups: groups that figures are given of and that it belongs to.
        scores: of each system.
    """

    example: Example
    groups: tuple[str, ...]
    scores: Mapping[str, Any]


@dataclass(frozen=True)
class Measurement:
    """The scores of every system on all held-out clips.

    Attributes:
        split: of the clips; None if there are none.
        note: a sentence for people about the choice of clips.
        n_listed: clips of that split in the data set version.
        n_decoded: those of them that have features.
        titles: of the systems, by name.
        no_rivals: names of the systems that know the true answer, or are the model as a control.
        perfect_in: by name of a system, the groups in which its answer is the true one.
        costs: GFLOPs of a view, and views, of the systems of which they are known.
        rows: one for each clip.
        groups: groups that have clips, those of the recipe first, then the task's.
        classes: what answers choose among; empty where they choose nothing.
    """

    split: str | None
    note: str
    n_listed: int
    n_decoded: int
    titles: Mapping[str, str]
    no_rivals: Container[str]
    costs: Mapping[str, Mapping[str, float]]
    rows: Sequence[Measured]
    groups: Sequence[str]
    classes: Sequence[str] = ()
    perfect_in: Mapping[str, Container[str]] = field(default_factory=dict)

    def rivals(self, group: str) -> list[str]:
        """Systems that the model can be worse than, in a group of clips."""
        return [
            name
            for name in self.titles
            if name not in self.no_rivals and group not in self.perfect_in.get(name, ())
        ]

    def of_group(self, group: str) -> list[Measured]:
        """The clips of a group."""
        return [row for row in self.rows if group in row.groups]


def measure(
    material: Material,
    systems: Mapping[str, System],
    judge: Judge,
    count: int,
    files: AnswerFiles | None = None,
) -> Measurement:
    """Have every system answer held-out clips, and score the answers.

    Args:
        material: training clips and held-out clips.
        systems: by name.
        judge: compares answers with what is true.
        count: clips, at most.
        files: keeps answers for reports; None to keep none.
    """
    stored = {
        clip.clip_id: clip for split in ("test", "val") for clip in material.clips.get(split, ())
    }
    held_out = choose_held_out(material.version, count, stored)
    rows = []
    with Bars() as bars:
        for index, clip in enumerate(bars.track(held_out.clips, description="measuring clips")):
            example = Example(index, stored[clip.clip_id])
            scores = _scores(example, systems, judge, files)
            named = material.recipe.evaluation.group_of(clip.labels)
            groups = (*([named] if named else []), *judge.groups(example))
            rows.append(Measured(example, groups, scores))
    n_listed, n_decoded = _counts(material, held_out.split)
    decoding, classes = _said_of_decoding(n_listed, n_decoded), _said_of_classes(judge, held_out)
    return Measurement(
        split=held_out.split,
        note=" ".join(filter(None, (held_out.note, decoding, *classes, judge.note))),
        n_listed=n_listed,
        n_decoded=n_decoded,
        titles={name: system.title for name, system in systems.items()},
        no_rivals={
            name for name, system in systems.items() if system.is_ceiling or system.is_control
        },
        costs={
            name: {"gflops": round(system.gflops, 4), "views": system.views}
            for name, system in systems.items()
            if system.gflops is not None
        },
        rows=rows,
        groups=_groups_of(material.recipe.evaluation, rows),
        classes=tuple(judge.classes),
        perfect_in={name: system.perfect_in for name, system in systems.items()},
    )


def _groups_of(settings: EvaluationSettings, rows: Sequence[Measured]) -> list[str]:
    """Groups that have clips, always in one order."""
    named = [group for row in rows for group in row.groups]
    known = dict.fromkeys([*settings.groups, *settings.CONDITIONS, *named])
    return [group for group in known if group in named]


def _scores(
    example: Example, systems: Mapping[str, System], judge: Judge, files: AnswerFiles | None
) -> dict[str, Any]:
    """The score of each system's answer; the answers are kept where there are files for them."""
    scores = {}
    for name, system in systems.items():
        answer = system.answer(example)
        scores[name] = judge.score(example, answer)
        if files is not None:
            files.write(example, name, answer)
    return scores


def _counts(material: Material, split: Split | None) -> tuple[int, int]:
    """Clips of a split that the version lists, and those of them that have features."""
    if split is None:
        return 0, 0
    return len(material.version.split(split)), len(material.clips.get(split, ()))


def _said_of_decoding(n_listed: int, n_decoded: int) -> str:
    if not n_listed:
        return ""
    if n_decoded == n_listed:
        all_of_it = "The clip" if n_listed == 1 else f"All {n_listed:,} clips"
        return f"{all_of_it} of the split could be decoded."
    return f"Of {counted(n_listed, 'clip')} of the split {n_decoded:,} could be decoded."


def _said_of_classes(judge: Judge, held_out: HeldOut) -> Iterator[str]:
    """What figures cannot show: classes without a clip, and clips without a class."""
    classes = judge.classes
    if not classes or not held_out.clips:
        return
    labels = {label for clip in held_out.clips for label in clip.labels}
    if missing := [name for name in classes if name not in labels]:
        named = ", ".join(missing[:_NAMED])
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        is_part = len(held_out.clips) < len(held_out.all_clips)
        place = f"among the {len(held_out.clips):,} that were asked about" if is_part else "there"
        have = plural(len(missing), "has", "have")
        yield f"{len(missing)} of {len(classes)} classes {have} no clip {place}: {named}{more}."
    if strange := sum(set(classes).isdisjoint(clip.labels) for clip in held_out.clips):
        what = plural(strange, "clip is", "clips are")
        yield f"{strange} {what} of no class of the model, so that any answer is wrong."
