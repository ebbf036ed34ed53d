"""What every stage does: list what is pending, map one function over it, report by outcome."""

import errno
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from s2s.engine import WorkerDiedError, make_engine
from s2s.errors import (
    BucketUnavailableError,
    MediaError,
    SettingsError,
    StageError,
    StorageError,
)
from s2s.layout import failure_key, manifest_key, report_key
from s2s.logs import console
from s2s.manifest import read_failures, write_manifest
from s2s.memory_limit import count_memory_kills, memory_limit_bytes
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Part, Recipe, Settings
from s2s.storage import Bucket, open_bucket

__all__ = ["StageReport", "Work", "fan_out", "finish", "left_alone", "read_report", "shared_bucket"]

log = logging.getLogger(__name__)
ItemT = TypeVar("ItemT")
_Batch = list[tuple[str, Any]]
_MEMORY_KILLS_BEFORE = count_memory_kills()


class StageReport(BaseModel):
    """What a stage did.

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


@dataclass(frozen=True)
class Work(Generic[ItemT]):
    """One stage's fan-out.

    Attributes:
        stage: the stage's name.
        prefix: where its outputs, and the failures beside them, live.
        items: what to work on, by name (a clip id, a source id, a shard's name).
        done: names whose output is in the bucket already.
        function: works on one item; returns its outcome, or raises `MediaError` for a failed one.
        threads: the function waits more than it computes.
        workers: items at a time; None for the settings' number.
        together: items for which it gives the same value are worked on together: the function gets
            them as a list, and returns an outcome, or the exception that stands for one, for each.
        sessions: processes, each with so many threads, where threads will do.
        divisible: machines may share it out among themselves; the stage makes nothing of all items.
    """

    stage: str
    prefix: str
    items: Mapping[str, ItemT]
    done: frozenset[str] | set[str]
    function: Callable[[ItemT], Outcome] | Callable[[list[ItemT]], Sequence[Outcome | Exception]]
    threads: bool = False
    workers: int | None = None
    together: Callable[[ItemT], Hashable] | None = None
    sessions: int = 1
    divisible: bool = False


@lru_cache(maxsize=4)
def shared_bucket(url: str) -> Bucket:
    """A process's one connection to a bucket."""
    return open_bucket(url)


def fan_out(settings: Settings, work: Work[Any]) -> dict[str, Outcome]:
    """Work on what is pending; outcomes by name, for every item.

    Failures are stored beside the outputs. A transient one is tried again by the next run, a
    permanent one only with `settings.retry_failed`. With `settings.retry_reasons` nothing but
    failures of those reasons is worked on.

    Raises:
        BucketUnavailableError: if the bucket stops answering or is full.
        StageError: if this machine's disk is full.
        SettingsError: if a part is asked for of what cannot be divided.
    """
    bucket = shared_bucket(settings.bucket_url)
    failures = read_failures(bucket, work.prefix)
    outcomes = left_alone(settings, work.items, work.done, failures)
    if settings.part is not None:
        outcomes |= _other_parts(settings.part, work, outcomes)
    pending = {name: item for name, item in work.items.items() if name not in outcomes}
    workers = min(work.workers or settings.n_workers, len(pending) or 1)
    engine = make_engine(settings.engine, workers, threads=work.threads, sessions=work.sessions)
    with _progress() as progress:
        bar = progress.add_task(work.stage, total=len(work.items), completed=len(outcomes))
        attempt = partial(_attempt, work.function, is_batch=work.together is not None)
        for batch, results in engine.map(attempt, _batches(pending, work.together)):
            for name, outcome in _outcomes(batch, results):
                _store(bucket, work.prefix, outcome, had_failed=name in failures)
                outcomes[name] = outcome
                progress.advance(bar)
    return outcomes


def left_alone(
    settings: Settings,
    names: Iterable[str],
    done: frozenset[str] | set[str],
    failures: Mapping[str, Outcome],
) -> dict[str, Outcome]:
    """Outcomes of the items that a run leaves alone, by name.

    Args:
        settings: which failures are tried again.
        names: of all items.
        done: names whose output is in the bucket already.
        failures: what is stored of items that failed.
    """
    outcomes: dict[str, Outcome] = {}
    for name in names:
        failure = failures.get(name)
        if name in done:
            outcomes[name] = _skipped(name, Reason.ALREADY_DONE)
        elif failure is not None and not _is_tried_again(settings, failure):
            outcomes[name] = failure
        elif failure is None and settings.retry_reasons is not None:
            outcomes[name] = _skipped(name, Reason.LEFT_OUT)
    return outcomes


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


def read_report(bucket: Bucket, recipe: Recipe, stage: str) -> StageReport:
    """The last report of a stage.

    Raises:
        ObjectNotFoundError: if the stage has never finished.
    """
    return StageReport.model_validate_json(bucket.read(report_key(recipe, stage)))


def _other_parts(part: Part, work: Work[Any], settled: Container[str]) -> dict[str, Outcome]:
    if not work.divisible:
        raise SettingsError(
            f"S2S_PART={part.index}/{part.count}: {work.stage} is not shared out among machines. "
            "Unset S2S_PART, and run it once, on one machine"
        )
    together = work.together
    return {
        name: _skipped(name, Reason.LEFT_OUT)
        for name, item in work.items.items()
        if name not in settled and not part.has(together(item) if together else name)
    }


def _batches(
    pending: Mapping[str, Any], together: Callable[[Any], Hashable] | None
) -> list[_Batch]:
    if together is None:
        return [[named] for named in pending.items()]
    batches: dict[Hashable, _Batch] = {}
    for name, item in pending.items():
        batches.setdefault(together(item), []).append((name, item))
    return list(batches.values())


def _attempt(function: Callable[[Any], Any], batch: _Batch, *, is_batch: bool) -> list[Outcome]:
    started = time.monotonic()
    results: Sequence[Outcome | Exception]
    try:
        results = function([item for _, item in batch]) if is_batch else [function(batch[0][1])]
    except (BucketUnavailableError, StageError):
        raise
    except Exception as error:  # noqa: BLE001 - one bad clip never stops a run
        results = [error] * len(batch)
    seconds = round((time.monotonic() - started) / len(batch), 4)
    return [
        _settled(name, result).model_copy(update={"seconds": seconds})
        for (name, _), result in zip(batch, results, strict=True)
    ]


def _settled(name: str, result: Outcome | Exception) -> Outcome:
    match result:
        case Outcome():
            return result
        case MediaError():
            return _failed(name, Reason(result.reason), result.message)
        case StorageError():
            return _failed(name, Reason.CORRUPT, str(result))
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            raise StageError(
                f"this machine's disk is full ({result.filename or name}). Nothing stored was "
                "lost: free some space, or choose another --work-dir, and run again"
            ) from result
    return _unexpected(name, result)


def _unexpected(name: str, error: Exception) -> Outcome:
    log.warning("%s: unexpected error", name, exc_info=error)
    return _failed(name, Reason.UNKNOWN, f"{type(error).__name__}: {error}")


def _failed(name: str, reason: Reason, message: str) -> Outcome:
    return Outcome(clip_id=name, status=Status.FAILED, reason=reason, message=message)


def _skipped(name: str, reason: Reason) -> Outcome:
    return Outcome(clip_id=name, status=Status.SKIPPED, reason=reason)


def _is_tried_again(settings: Settings, failure: Outcome) -> bool:
    if settings.retry_reasons is not None:
        return failure.reason in settings.retry_reasons
    return settings.retry_failed or (failure.reason is not None and failure.reason.is_transient)


def _outcomes(
    batch: _Batch, results: list[Outcome] | WorkerDiedError
) -> Iterator[tuple[str, Outcome]]:
    for at, (name, _) in enumerate(batch):
        if isinstance(results, WorkerDiedError):
            yield name, _failed(name, Reason.CRASHED, str(results))
        else:
            yield name, results[at]


def _store(bucket: Bucket, prefix: str, outcome: Outcome, *, had_failed: bool) -> None:
    key = failure_key(prefix, outcome.clip_id)
    if outcome.status is Status.FAILED:
        bucket.write(key, outcome.model_dump_json().encode(), overwrite=True)
    elif had_failed and outcome.reason in {None, Reason.ALREADY_DONE}:
        bucket.delete(key)


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
    """That this container has reached its memory limit, where it has: for people and the report."""
    kills, limit = count_memory_kills() - _MEMORY_KILLS_BEFORE, memory_limit_bytes()
    if kills <= 0 or limit is None:
        return {}
    said = (
        f"{kills} processes were ended because this container reached its memory limit of "
        f"{limit / (1 << 20):.0f} MiB: give it more (mem_limit, S2S_MEMORY with compose), or work "
        "on fewer at a time (--workers)"
    )
    console.print(f"[yellow]memory[/]: {said}")
    return {"memory": said}


def _count_name(outcome: Outcome) -> str:
    if outcome.status is Status.OK:
        return outcome.status
    return f"{outcome.status}:{outcome.reason or Reason.UNKNOWN}"


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
