"""Validation: every clip looked at, the usable ones split and released as a data set version."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from s2s.catalog import stored_catalog
from s2s.dataset import SPLITS, DatasetClip, read_version, version_names
from s2s.errors import StageError
from s2s.layout import FAILED, checks_prefix, processed_prefix
from s2s.logs import counted
from s2s.manifest import read_failures
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord, Outcome
from s2s.settings import Recipe, Settings
from s2s.stage import StageReport, Work, fan_out, finish, shared_bucket
from s2s.storage import Bucket
from s2s.workspace import workspace
from validation.alike.duplicates import AlikePair
from validation.checks.clip_checks import CheckTask
from validation.checks.fix import fix_clips
from validation.release.contents import arrange, count_sources, remarks
from validation.release.dvc_config import dvc_config
from validation.release.releasing import Releases
from validation.release.remote import remote_mode

__all__ = ["run"]

STAGE = "validation"
_PLOTTED_LABELS = 50
log = logging.getLogger(__name__)


def run(settings: Settings) -> StageReport:
    """Check the clips of the recipe's catalog, and make a data set version of the usable ones.

    A version that would be the same as the newest is not made again.

    Raises:
        CatalogError: if collection has not run yet.
        VersionError: if git or DVC fails.
        BucketUnavailableError: if the bucket does not answer or is full.
        StageError: if no clip is usable, or this machine's disk is full.
    """
    started = time.monotonic()
    bucket = shared_bucket(settings.bucket_url)
    bucket.check()
    bucket.prepare()
    # Refused before, not after, work.
    dvc_config(bucket, remote_mode(bucket, settings.recipe.validation.remote_mode))
    clips = {clip.clip_id: clip for clip in stored_catalog(bucket, settings.recipe).clips}
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        outcomes = _check(settings, clips, folder)
        checked = _rate(outcomes, time.monotonic() - started)
        if not any(map(_is_usable, outcomes.values())):
            finish(settings, STAGE, outcomes.values(), started)
            raise StageError(_nothing_usable(settings.recipe, outcomes))
        outputs = _release(settings, clips, outcomes, folder)
        outputs |= {"fixed": _fix(settings, outcomes, folder), "checked": checked}
    return finish(settings, STAGE, outcomes.values(), started, outputs)


def _check(settings: Settings, clips: Mapping[str, ClipRecord], folder: Path) -> dict[str, Outcome]:
    """Look at every clip that was not looked at before; an outcome for each of the catalog."""
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    prefix = processed_prefix(recipe)
    cut = clips.keys() & _names(bucket, prefix, ".mp4") & _names(bucket, prefix, ".wav")
    unknown = _unknown_labels(recipe, [clips[name] for name in cut])
    work = Work(
        stage=STAGE,
        prefix=checks_prefix(recipe),
        items={clip_id: clip_id for clip_id in sorted(cut - unknown.keys())},
        done=_names(bucket, checks_prefix(recipe), ".json"),
        function=CheckTask(settings, folder),
    )
    not_cut = _not_cut(bucket, recipe, clips.keys() - cut)
    return fan_out(settings, work) | unknown | not_cut


def _rate(outcomes: Mapping[str, Outcome], seconds: float) -> dict[str, float]:
    """How many clips were decoded, and how many a second."""
    number = sum(outcome.seconds > 0 for outcome in outcomes.values())
    return {"clips": number, "clips_per_s": round(number / seconds, 2)}


def _release(
    settings: Settings,
    clips: Mapping[str, ClipRecord],
    outcomes: dict[str, Outcome],
    folder: Path,
) -> dict[str, Any]:
    """Make a version of the usable clips, unless the newest is just that; the stage's outputs.

    Clips that the version leaves out because others are like them get outcomes that say so.
    """
    recipe = settings.recipe
    usable = [clip for name, clip in clips.items() if _is_usable(outcomes[name])]
    just_checked = [name for name, outcome in outcomes.items() if outcome.status is Status.OK]
    releases = Releases(settings, folder)
    bucket = shared_bucket(settings.bucket_url)
    mode = remote_mode(bucket, recipe.validation.remote_mode)
    with releases.one_run_at_a_time():
        newest = releases.newest()
        contents = arrange(bucket, recipe, usable, releases.past(newest), just_checked)
        content = contents.clips
        reused = newest is not None and newest.clips == content
        version = newest if newest is not None and reused else releases.make(content, newest, mode)
        releases.bring_back(version, mode)
        releases.push(version)
    outcomes |= {name: _left_out(name, pair) for name, pair in contents.left_out.items()}
    notes = remarks(recipe, contents)
    for note in notes:
        log.warning("%s", note)
    outputs = {
        "version": version.name,
        "reused": reused,
        "splits": {split: len(content[split]) for split in SPLITS},
        "sources": count_sources(content),
        "alike": dict(Counter(pair.reason for pair in contents.pairs)),
        "contradicting_labels": len(contents.contradicting),
        "left_out": len(contents.left_out),
        "by_label": _by_label(content),
        "bundle": version.bundle,
        "remote": mode.meaning,
        "notes": notes,
    }
    # DVC draws no plot from a report in which a list is empty.
    return {name: value for name, value in outputs.items() if value != []}


def _by_label(content: Mapping[str, Iterable[DatasetClip]]) -> list[dict[str, str | int]]:
    """Clips of the largest labels by split, as DVC's plots take them."""
    counts = {
        split: Counter(name for row in content[split] for name in row.labels) for split in SPLITS
    }
    largest = sum(counts.values(), Counter[str]()).most_common(_PLOTTED_LABELS)
    return [
        {"label": label, "split": split, "clips": counts[split][label]}
        for label, _ in sorted(largest)
        for split in SPLITS
    ]


def _fix(settings: Settings, outcomes: Mapping[str, Outcome], folder: Path) -> int:
    """Do what `validation.checks.fix` says with clips that are of no use; how many there were."""
    recipe = settings.recipe
    if recipe.validation.fix == "none":
        return 0
    bucket = shared_bucket(settings.bucket_url)
    named = {
        clip.clip_id
        for version in version_names(bucket, recipe)
        for clips in read_version(bucket, recipe, version).clips.values()
        for clip in clips
    }
    unusable = [
        outcome
        for name, outcome in outcomes.items()
        if name not in named and not _is_usable(outcome) and _is_permanent(outcome)
    ]
    return fix_clips(bucket, recipe, unusable, folder)


def _is_permanent(outcome: Outcome) -> bool:
    """Whether the clip itself is the reason, and will be tomorrow."""
    reason = outcome.reason
    return reason not in {None, Reason.UPSTREAM_FAILED} and not (reason and reason.is_transient)


def _left_out(name: str, pair: AlikePair) -> Outcome:
    other = pair.second if name == pair.first else pair.first
    return Outcome(
        clip_id=name,
        status=Status.SKIPPED,
        reason=pair.reason,
        message=f"it is like {other}, which is in the data set, in another split, or was in one",
    )


def _unknown_labels(recipe: Recipe, clips: Iterable[ClipRecord]) -> dict[str, Outcome]:
    """Clips with a label that the recipe does not know, failed."""
    known = set(recipe.validation.known_labels)
    if not known:
        return {}
    strange = {clip.clip_id: set(clip.labels) - known for clip in clips}
    return {
        name: Outcome(
            clip_id=name,
            status=Status.FAILED,
            reason=Reason.UNKNOWN_LABEL,
            message=f"{name}: {', '.join(sorted(labels))}: not one of validation.known_labels of "
            "the recipe",
        )
        for name, labels in strange.items()
        if labels
    }


def _is_usable(outcome: Outcome) -> bool:
    return outcome.status is Status.OK or outcome.reason is Reason.ALREADY_DONE


def _not_cut(bucket: Bucket, recipe: Recipe, names: set[str]) -> dict[str, Outcome]:
    failures = read_failures(bucket, processed_prefix(recipe)) if names else {}
    messages = {
        name: f"preprocessing failed: {failures[name].message}"
        if name in failures
        else "there is no cut clip: its source could not be collected, or preprocessing has not "
        "run since it was"
        for name in names
    }
    return {
        name: Outcome(
            clip_id=name,
            status=Status.SKIPPED,
            reason=Reason.UPSTREAM_FAILED,
            message=message,
        )
        for name, message in messages.items()
    }


def _names(bucket: Bucket, prefix: str, suffix: str) -> set[str]:
    """Names of the objects right under a prefix that end so, without their ends."""
    return {
        key.removeprefix(prefix).removesuffix(suffix)
        for key in bucket.keys(prefix)
        if key.endswith(suffix) and not key.startswith(prefix + FAILED)
    }


def _nothing_usable(recipe: Recipe, outcomes: Mapping[str, Outcome]) -> str:
    reasons = Counter(outcome.reason for outcome in outcomes.values())
    if reasons.keys() == {Reason.UPSTREAM_FAILED}:
        return f"recipe {recipe.name}: no clip is cut yet: run its preprocessing stage first"
    told = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common())
    return (
        f"recipe {recipe.name}: none of its {counted(len(outcomes), 'clip')} is usable ({told}), "
        "so there is no data set version. './s2s status' tells more; 'validation' in the recipe "
        "sets the limits"
    )
