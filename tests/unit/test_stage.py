"""What a fan-out does with clips that succeed, fail, were done before, or stop the run."""

import errno
from functools import partial
from pathlib import Path

import pytest

from s2s.engine import Room
from s2s.errors import BucketUnavailableError, MediaError, SettingsError, StageError
from s2s.layout import failure_key, manifest_key, report_key
from s2s.manifest import read_failures, read_manifest
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import CollectionSettings, Settings
from s2s.stage import (
    StageReport,
    Work,
    check_came_through,
    fan_out,
    finish,
    shared_bucket,
)
from s2s.stage.rate import Rate
from s2s.tasks.generation.settings import GenerationRecipe

PREFIX = "outputs/"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        recipe=GenerationRecipe(name="unit", collection=CollectionSettings(catalog="x.csv")),
        recipe_path=tmp_path / "recipe.yaml",
        bucket_url=f"file://{tmp_path}/bucket",
        work_dir=tmp_path / "work",
    )


def act(url: str, name: str) -> Outcome:
    """Do what the name says."""
    kind = name.partition("-")[0]
    if kind == "network":
        raise MediaError(Reason.NETWORK, f"{name}: no answer")
    if kind == "gone":
        raise MediaError(Reason.GONE, f"{name}: not there any more")
    if kind == "bug":
        raise KeyError(name)
    if kind == "full":
        raise OSError(errno.ENOSPC, "No space left on device", "/somewhere")
    if kind == "stopped":
        raise BucketUnavailableError("no bucket")
    info = shared_bucket(url).write(PREFIX + name, b"12345")
    return Outcome(clip_id=name, status=Status.OK, key=info.key, size=info.size)


def run(settings: Settings, *names: str, done: frozenset[str] = frozenset()) -> dict[str, Outcome]:
    task = partial(act, settings.bucket_url)
    items = {name: name for name in names}
    return fan_out(settings, Work("unit", PREFIX, items, done, task, threads=True))


def test_every_item_has_an_outcome(settings: Settings):
    names = ["ok-1", "gone-1", "network-1", "bug-1", "ok-2"]
    outcomes = run(settings, *names)
    assert sorted(outcomes) == sorted(names)
    assert outcomes["ok-1"].status is Status.OK
    assert outcomes["gone-1"].reason is Reason.GONE
    assert outcomes["bug-1"].reason is Reason.UNKNOWN
    assert "KeyError" in outcomes["bug-1"].message


def test_failures_are_stored_and_a_success_clears_them(settings: Settings):
    bucket = shared_bucket(settings.bucket_url)
    stale = Outcome(clip_id="ok-1", status=Status.FAILED, reason=Reason.NETWORK)
    bucket.write(failure_key(PREFIX, "ok-1"), stale.model_dump_json().encode())
    run(settings, "ok-1", "gone-1")
    assert list(read_failures(bucket, PREFIX)) == ["gone-1"]


def test_done_items_and_permanent_failures_are_not_tried_again(settings: Settings):
    run(settings, "gone-1", "network-1")
    outcomes = run(settings, "gone-1", "network-1", "stopped-1", done=frozenset({"stopped-1"}))
    assert outcomes["stopped-1"].reason is Reason.ALREADY_DONE
    assert (
        outcomes["gone-1"].seconds
        == read_failures(shared_bucket(settings.bucket_url), PREFIX)["gone-1"].seconds
    )
    assert outcomes["network-1"].reason is Reason.NETWORK


def test_permanent_failures_are_tried_again_when_asked(settings: Settings):
    bucket = shared_bucket(settings.bucket_url)
    failure = Outcome(clip_id="ok-1", status=Status.FAILED, reason=Reason.GONE)
    bucket.write(failure_key(PREFIX, "ok-1"), failure.model_dump_json().encode())
    assert run(settings, "ok-1")["ok-1"].status is Status.FAILED
    again = settings.model_copy(update={"retry_failed": True})
    assert run(again, "ok-1")["ok-1"].status is Status.OK


def test_a_bucket_that_is_gone_stops_the_run(settings: Settings):
    with pytest.raises(BucketUnavailableError):
        run(settings, "stopped-1", "ok-1")


def test_a_full_disk_stops_the_run_and_says_what_to_do(settings: Settings):
    with pytest.raises(StageError, match=r"/somewhere.*free some space"):
        run(settings, "full-1")


def test_processes_do_the_same(settings: Settings):
    task = partial(act, settings.bucket_url)
    items = {name: name for name in ("ok-1", "gone-1")}
    outcomes = fan_out(settings, Work("unit", PREFIX, items, frozenset(), task))
    assert outcomes["ok-1"].status is Status.OK
    assert outcomes["gone-1"].reason is Reason.GONE


def test_report_and_manifest(settings: Settings):
    outcomes = run(settings, "ok-1", "ok-2", "gone-1", "seen", done=frozenset({"seen"}))
    report = finish(settings, "unit", outcomes.values(), 0.0, {"answer": 42})
    bucket = shared_bucket(settings.bucket_url)
    assert report.counts == {"failed:gone": 1, "ok": 2, "skipped:already_done": 1}
    assert (report.bytes_written, report.n_failed, report.outputs) == (10, 1, {"answer": 42})
    stored = bucket.read(report_key(settings.recipe, "unit"))
    assert StageReport.model_validate_json(stored) == report
    assert {
        row.clip_id for row in read_manifest(bucket, manifest_key(settings.recipe, "unit"))
    } == {
        "ok-1",
        "ok-2",
        "gone-1",
        "seen",
    }


def test_a_report_is_also_written_where_it_is_asked_for(settings: Settings, tmp_path: Path):
    report = finish(settings.model_copy(update={"report_dir": tmp_path / "r"}), "unit", [], 0.0)
    text = (tmp_path / "r" / "unit" / "unit.json").read_text()
    assert StageReport.model_validate_json(text) == report


def test_a_retry_works_on_failures_of_its_reasons_and_on_nothing_else(settings: Settings):
    run(settings, "gone-1", "network-1", "bug-1", "ok-1")
    retry = settings.model_copy(update={"retry_reasons": frozenset({Reason.GONE, Reason.UNKNOWN})})
    tried: list[str] = []

    def task(name: str) -> Outcome:
        tried.append(name)
        return Outcome(clip_id=name, status=Status.OK)

    items = {name: name for name in ("gone-1", "network-1", "bug-1", "ok-1", "ok-2")}
    outcomes = fan_out(retry, Work("unit", PREFIX, items, {"ok-1"}, task, threads=True))
    assert sorted(tried) == ["bug-1", "gone-1"]
    assert {name: outcome.reason for name, outcome in outcomes.items()} == {
        "gone-1": None,
        "network-1": Reason.NETWORK,
        "bug-1": None,
        "ok-1": Reason.ALREADY_DONE,
        "ok-2": Reason.LEFT_OUT,
    }
    assert list(read_failures(shared_bucket(settings.bucket_url), PREFIX)) == ["network-1"]


def part_of(settings: Settings, text: str) -> Settings:
    return Settings.model_validate(
        settings.model_dump() | {"recipe": settings.recipe, "part": text}
    )


def test_parts_are_together_all_and_share_nothing(settings: Settings):
    items = {name: name for name in (f"clip-{number}" for number in range(40))}
    tried: list[list[str]] = [[], [], []]

    def divided(at: int) -> Work[str]:
        def task(name: str) -> Outcome:
            tried[at].append(name)
            return Outcome(clip_id=name, status=Status.OK)

        return Work("unit", PREFIX, items, {"clip-7"}, task, threads=True, divisible=True)

    for at in range(3):
        outcomes = fan_out(part_of(settings, f"{at}/3"), divided(at))
        assert set(outcomes) == set(items)
        assert outcomes["clip-7"].reason is Reason.ALREADY_DONE
        others = {name for name, one in outcomes.items() if one.reason is Reason.LEFT_OUT}
        assert others == set(items) - {"clip-7"} - set(tried[at])
    assert all(len(names) > 5 for names in tried)
    assert sorted(name for names in tried for name in names) == sorted(set(items) - {"clip-7"})


def test_items_that_are_worked_on_together_are_in_one_part(settings: Settings):
    items = {name: name for name in (f"{source}-{at}" for source in "abcdefgh" for at in range(3))}
    seen: list[list[str]] = []

    def task(names: list[str]) -> list[Outcome]:
        seen.append(names)
        return [Outcome(clip_id=name, status=Status.OK) for name in names]

    for at in range(2):
        work = Work(
            "unit", PREFIX, items, set(), task, True, together=lambda name: name[0], divisible=True
        )
        fan_out(part_of(settings, f"{at}/2"), work)
    assert sorted(map(len, seen)) == [3] * 8


def test_what_is_made_of_all_items_is_not_divided(settings: Settings):
    with pytest.raises(SettingsError, match="Unset S2S_PART"):
        run(part_of(settings, "0/2"), "ok-1", "ok-2")


@pytest.mark.parametrize("text", ["2/2", "1", "-1/2", "a/b", "0/0", "1/2/3", ""])
def test_a_part_that_there_is_not_is_refused(settings: Settings, text: str):
    with pytest.raises(ValueError, match="INDEX/COUNT"):
        part_of(settings, text)


def test_a_failure_stays_when_its_clip_is_put_off(settings: Settings):
    run(settings, "network-1")

    def put_off(name: str) -> Outcome:
        return Outcome(clip_id=name, status=Status.SKIPPED, reason=Reason.BOT_CHECK)

    items = {"network-1": "network-1"}
    fan_out(settings, Work("unit", PREFIX, items, set(), put_off, threads=True))
    assert list(read_failures(shared_bucket(settings.bucket_url), PREFIX)) == ["network-1"]


def test_clips_without_an_outcome_of_their_own_are_counted_too(settings: Settings):
    outcomes = run(settings, "ok-1").values()
    counts = finish(settings, "unit", outcomes, 0.0, None, {"skipped:left_out": 7, "failed:x": 0})
    assert counts.counts == {"ok": 1, "skipped:left_out": 7}


def test_a_report_round_trips():
    report = StageReport(stage="s", recipe="r", counts={"ok": 1}, seconds=1, bytes_written=2)
    assert StageReport.model_validate_json(report.model_dump_json()) == report


def test_items_that_belong_together_are_worked_on_together(settings: Settings):
    seen: list[list[str]] = []

    def task(names: list[str]) -> list[Outcome | Exception]:
        seen.append(names)
        if "bug-c" in names:
            raise KeyError("bug-c")
        return [
            MediaError(Reason.GONE, f"{name}: gone")
            if name.startswith("gone")
            else Outcome(clip_id=name, status=Status.OK)
            for name in names
        ]

    names = ["ok-a", "ok-b", "gone-a", "bug-c", "ok-c", "done-a"]
    items = {name: name for name in names}
    work = Work(
        "unit", PREFIX, items, {"done-a"}, task, threads=True, together=lambda name: name[-1]
    )
    outcomes = fan_out(settings, work)
    assert sorted(seen) == [["bug-c", "ok-c"], ["ok-a", "gone-a"], ["ok-b"]]
    reasons = {name: outcomes[name].reason for name in names if outcomes[name].reason}
    assert reasons == {
        "gone-a": Reason.GONE,
        "bug-c": Reason.UNKNOWN,
        "ok-c": Reason.UNKNOWN,
        "done-a": Reason.ALREADY_DONE,
    }
    assert set(read_failures(shared_bucket(settings.bucket_url), PREFIX)) == {
        "gone-a",
        "bug-c",
        "ok-c",
    }


def test_a_run_without_a_clip_that_came_through_is_no_success(settings: Settings):
    outcomes = run(settings, "gone-1", "gone-2", "network-1")
    report = finish(settings, "unit", outcomes.values(), 0.0, None, {"skipped:left_out": 5})
    with pytest.raises(StageError, match=r"none of 3 clips.*2 gone \(gone-1: not there any more"):
        check_came_through(settings, report)


@pytest.mark.parametrize(
    ("names", "done", "more"),
    [
        (["ok-1", "gone-1"], frozenset(), {}),
        (["gone-1", "seen"], frozenset({"seen"}), {}),
        ([], frozenset(), {"skipped:left_out": 3}),  # the clips are another machine's
    ],
)
def test_what_is_a_success(
    settings: Settings, names: list[str], done: frozenset[str], more: dict[str, int]
):
    outcomes = run(settings, *names, done=done)
    check_came_through(settings, finish(settings, "unit", outcomes.values(), 0.0, None, more))


def test_a_run_that_had_no_clip_is_no_success(settings: Settings):
    with pytest.raises(StageError, match="no clip to work on"):
        check_came_through(settings, finish(settings, "unit", [], 0.0))


def test_all_put_off_is_no_success(settings: Settings):
    def put_off(name: str) -> Outcome:
        return Outcome(clip_id=name, status=Status.SKIPPED, reason=Reason.BOT_CHECK, message="no")

    outcomes = fan_out(settings, Work("unit", PREFIX, {"a": "a"}, set(), put_off, threads=True))
    with pytest.raises(StageError, match=r"1 bot_check \(no\)"):
        check_came_through(settings, finish(settings, "unit", outcomes.values(), 0.0))


def test_the_rate_is_told_beside_its_ceiling():
    rate = Rate(started_s=0.0)
    assert rate.told(Room(2), 1.0) == ""
    for _ in range(10):
        rate.add(0.5)
    assert rate.told(Room(4, 2), 4.0) == "2 nodes, 2.5/s, max 8.0"
    assert rate.told(Room(4), 100.0) == "1 node, 0.1/s, max 8.0"
