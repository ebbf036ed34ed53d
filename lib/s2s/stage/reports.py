"""Reports of stages, and how they are stored."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from s2s.errors import StageError
from s2s.layout import manifest_key, report_key
from s2s.logs import console, counted
from s2s.manifest import read_manifest, write_manifest
from s2s.memory_limit import count_memory_kills, memory_limit_bytes
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage.buckets import shared_bucket

__all__ = ["StageReport", "check_came_through", "finish"]

_SHOWN_REASONS = 3
_MEMORY_KILLS_BEFORE = count_memory_kills()


class StageReport(BaseModel):
    """The report of a stage's run.

    Attributes:
        stage: the stage's name.
        recipe: the recipe's name.
        counts: clips by `ok`, `skipped:<reason>` and `failed:<reason>`.
        seconds: time that the run took.
        bytes_written: bytes of the objects that this run wrote.
        outputs: what else it made, such as a data set version or a model's key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    recipe: str
    counts: dict[str, int]
    seconds: float
    bytes_written: int
    outputs: dict[str, Any] = {}

    @property
    def n_failed(self) -> int:
        """Clips that failed."""
        return sum(self.by_reason(Status.FAILED).values())

    def by_reason(self, status: str) -> dict[str, int]:
        """Clips that were skipped, or failed, by their reasons."""
        return {
            name.partition(":")[2]: n for name, n in self.counts.items() if name.startswith(status)
        }


def finish(
    settings: Settings,
    stage: str,
    outcomes: Iterable[Outcome],
    started: float,
    outputs: dict[str, Any] | None = None,
    more_counts: Mapping[str, int] | None = None,
) -> StageReport:
    """Store the stage's manifest and report; the report also in `settings.report_dir`.

    There its results are beside it once more, without what differs from run to run.

    Args:
        settings: the run's settings.
        stage: the stage's name.
        outcomes: one for every clip of the stage.
        started: `time.monotonic()` at the start of the run.
        outputs: what else the stage made.
        more_counts: numbers of clips that are in no outcome, by what counts them.
    """
    rows = list(outcomes)
    # Clips may share an object, such as their source: it was written once.
    written = {row.key or row.clip_id: row.size for row in rows if row.status is Status.OK}
    counts = Counter(map(_count_name, rows))
    counts.update({name: n for name, n in (more_counts or {}).items() if n})
    report = StageReport(
        stage=stage,
        recipe=settings.recipe.name,
        counts=dict(sorted(counts.items())),
        seconds=round(time.monotonic() - started, 3),
        bytes_written=sum(written.values()),
        outputs=(outputs or {}) | _said_of_memory(),
    )
    bucket = shared_bucket(settings.bucket_url)
    write_manifest(bucket, manifest_key(settings.recipe, stage), rows)
    text = report.model_dump_json(indent=1) + "\n"
    bucket.write(report_key(settings.recipe, stage), text.encode(), overwrite=True)
    if settings.report_dir is not None:
        path = settings.report_dir / report.recipe / f"{stage}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        results = json.dumps(
            _results({"counts": report.counts, "outputs": report.outputs}), indent=1
        )
        path.with_suffix(".results.json").write_text(results + "\n", encoding="utf-8")
    return report


def check_came_through(settings: Settings, report: StageReport) -> None:
    """Make sure that a run was of use: a clip came through, or had before.

    A run that had nothing to do, as its clips are another machine's part, is well too.

    Raises:
        StageError: if none of its clips did, with the first reasons; or if it had no clip at all.
    """
    if not report.counts:
        raise StageError(
            f"{report.stage}: there was no clip to work on: look at the recipe's catalog and at "
            f"what it selects with './s2s catalog {settings.recipe_path}'"
        )
    left_out = f"{Status.SKIPPED}:{Reason.LEFT_OUT}"
    of_use = {str(Status.OK), f"{Status.SKIPPED}:{Reason.ALREADY_DONE}"}
    passed_over = {left_out}
    if settings.retry_reasons is not None:  # clips that an earlier stage still has to bring
        waiting = (Reason.UPSTREAM_FAILED, Reason.NO_SOURCE)
        passed_over |= {f"{status}:{reason}" for status in Status for reason in waiting}
    worked_on = {name: n for name, n in report.counts.items() if name not in passed_over and n}
    if not worked_on or of_use & worked_on.keys():
        return
    rows = read_manifest(
        shared_bucket(settings.bucket_url), manifest_key(settings.recipe, report.stage)
    )
    first: dict[str, str] = {}
    for row in rows:
        if row.reason is not Reason.LEFT_OUT:
            first.setdefault(str(row.reason), row.message or row.clip_id)
    told = [
        f"{n} {reason} ({first[reason]})" if reason in first else f"{n} {reason}"
        for n, reason in _by_number(worked_on)[:_SHOWN_REASONS]
    ]
    raise StageError(
        f"{report.stage}: none of {counted(sum(worked_on.values()), 'clip')} came through: "
        f"{'; '.join(told)}. './s2s status {settings.recipe_path}' tells more"
    )


def _by_number(counts: Mapping[str, int]) -> list[tuple[int, str]]:
    named = [(n, name.partition(":")[2]) for name, n in counts.items()]
    return sorted(named, key=lambda one: (-one[0], one[1]))


def _results(value: Any) -> Any:
    """A report's content without times, rates and texts: what two runs may be compared by."""
    if not isinstance(value, Mapping):
        return value
    return {
        name: _results(inner)
        for name, inner in value.items()
        if name not in {"memory", "minutes"}
        and not name.endswith(("seconds", "_per_s", "_minutes"))
        and isinstance(inner, Mapping | int | float)
    }


def _said_of_memory() -> dict[str, str]:
    """A sentence that says how often this container reached its memory limit; empty if never."""
    kills, limit = count_memory_kills() - _MEMORY_KILLS_BEFORE, memory_limit_bytes()
    if kills <= 0 or limit is None:
        return {}
    said = (
        f"{counted(kills, 'process was', 'processes were')} ended because this "
        f"container reached its memory limit of "
        f"{limit / (1 << 20):.0f} MiB: give it more (mem_limit, S2S_MEMORY with compose), or work "
        "on fewer at a time (--workers)"
    )
    console.print(f"[yellow]memory[/]: {said}")
    return {"memory": said}


def _count_name(outcome: Outcome) -> str:
    if outcome.status is Status.OK:
        return outcome.status
    return f"{outcome.status}:{outcome.reason or Reason.UNKNOWN}"
