"""A stage's fan-out: list what is pending, map one function over it, an outcome for each."""

from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from s2s.engine import Engine, WorkerDiedError, make_engine
from s2s.errors import SettingsError
from s2s.layout import failure_key
from s2s.logs import console, counted, plural
from s2s.manifest import read_failures
from s2s.progress import Bars
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Part, Settings
from s2s.stage.attempts import Batch, attempt, failed
from s2s.stage.buckets import shared_bucket
from s2s.stage.rate import Rate
from s2s.storage import Bucket

__all__ = ["Work", "fan_out", "left_alone"]

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Work(Generic[ItemT]):
    """One stage's fan-out.

    Attributes:
        stage: the stage's name.
        prefix: where its outputs, and the failures beside them, live.
        items: what to work on, by name (a clip id, a source id, a shard's name).
        done: names whose output is in the bucket already.
        function: works on one item; returns its outcome, or raises `MediaError` for a failed one.
        threads: the function waits more than it computes, and reads no media: those may take more
            memory than there is, which would end the run, if it were not for processes.
        workers: items at a time; None for the settings' number, or as many as there are cores.
        together: items for which it gives the same value are worked on together: the function gets
            them as a list, and returns an outcome, or the exception that stands for one, for each.
        sessions: so many processes with `workers` threads each, for work that waits and reads
            media; None where any number of processes may work on items.
        uses_gpu: it is quicker with a GPU, which Ray has to be asked for.
        divisible: machines may share it out among themselves; the stage makes nothing of all items.
        unit: what one item is.
    """

    stage: str
    prefix: str
    items: Mapping[str, ItemT]
    done: frozenset[str] | set[str]
    function: Callable[[ItemT], Outcome] | Callable[[list[ItemT]], Sequence[Outcome | Exception]]
    threads: bool = False
    workers: int | None = None
    together: Callable[[ItemT], Hashable] | None = None
    sessions: int | None = None
    uses_gpu: bool = False
    divisible: bool = False
    unit: str = "clip"


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
    if not pending:
        return outcomes
    engine, rate = _engine(settings, work, len(pending)), Rate()
    with Bars() as bars:
        total, settled = len(work.items), len(outcomes)
        unit = plural(total, work.unit)
        bar = bars.add_task(work.stage, total=total, completed=settled, unit=unit)
        for name, outcome in _worked_on(settings, work, engine, pending):
            _store(bucket, work.prefix, outcome, had_failed=name in failures)
            outcomes[name] = outcome
            rate.add(outcome.seconds)
            if rate.is_due:
                bars.update(bar, facts=rate.told(engine.room))
            bars.advance(bar)
        bars.update(bar, facts="")
    done = counted(rate.n_done, work.unit)
    console.print(f"{work.stage}: {done} worked on, {rate.told(engine.room)}", style="dim")
    return outcomes


def _worked_on(
    settings: Settings, work: Work[Any], engine: Engine, pending: Mapping[str, Any]
) -> Iterator[tuple[str, Outcome]]:
    """Outcomes as they come; what crashed comes last, when it was tried again, each item alone.

    Where memory is short the system ends what takes most of it, be it a worker or a program that
    one has started: with the others out of the way the same item may do.
    """
    function = partial(attempt, work.function, is_batch=work.together is not None)
    again: list[Batch] = []
    for batch, results in engine.map(function, _batches(pending, work.together)):
        # An item that is one by itself, and whose worker died, was tried again by the engine.
        is_final = len(batch) == 1 and isinstance(results, WorkerDiedError)
        for named, outcome in zip(batch, _outcomes(batch, results), strict=True):
            if outcome.reason is Reason.CRASHED and not is_final:
                again.append([named])
            else:  # by the item's name: an outcome may be that of a whole source
                yield named[0], outcome
    if again:
        # The workers of a cluster stay, and have all of its room.
        alone = engine if settings.engine == "ray" else _engine(settings, work, 1)
        for batch, results in alone.map(function, again):
            for (name, _), outcome in zip(batch, _outcomes(batch, results), strict=True):
                yield name, outcome


def _engine(settings: Settings, work: Work[Any], at_most: int) -> Engine:
    workers = work.workers or settings.workers
    if settings.engine == "local":
        workers = workers or settings.n_workers
    return make_engine(
        settings.engine,
        min(workers, at_most) if workers else None,
        threads=work.threads,
        sessions=work.sessions and min(work.sessions, at_most),
        gpus=settings.gpus if work.uses_gpu else 0.0,
    )


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


def _batches(pending: Mapping[str, Any], together: Callable[[Any], Hashable] | None) -> list[Batch]:
    if together is None:
        return [[named] for named in pending.items()]
    batches: dict[Hashable, Batch] = {}
    for name, item in pending.items():
        batches.setdefault(together(item), []).append((name, item))
    return list(batches.values())


def _skipped(name: str, reason: Reason) -> Outcome:
    return Outcome(clip_id=name, status=Status.SKIPPED, reason=reason)


def _is_tried_again(settings: Settings, failure: Outcome) -> bool:
    if settings.retry_reasons is not None:
        return failure.reason in settings.retry_reasons
    return settings.retry_failed or (failure.reason is not None and failure.reason.is_transient)


def _outcomes(batch: Batch, results: list[Outcome] | WorkerDiedError) -> list[Outcome]:
    if isinstance(results, WorkerDiedError):
        return [failed(name, Reason.CRASHED, f"{name}: {results}") for name, _ in batch]
    return results


def _store(bucket: Bucket, prefix: str, outcome: Outcome, *, had_failed: bool) -> None:
    key = failure_key(prefix, outcome.clip_id)
    if outcome.status is Status.FAILED:
        bucket.write(key, outcome.model_dump_json().encode(), overwrite=True)
    elif had_failed and outcome.reason in {None, Reason.ALREADY_DONE}:
        bucket.delete(key)
