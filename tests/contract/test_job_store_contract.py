"""What every job store promises, in a file and in a PostgreSQL that servers share."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from s2s.errors import StageError
from serving.access.sessions import SessionTable
from serving.jobs.database import DatabaseUnavailableError
from serving.jobs.job import Result, State, StoredFile
from serving.jobs.store import JobStore

FIELDS = {"route": "generations", "owner": "", "file_name": "a.mp4", "kind": "video", "options": {}}
FILE = StoredFile("video", "serving/results/a/video", 3, "AAAA", "video/mp4", "a.mp4")


@pytest.fixture(params=["file", "postgres"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], JobStore]:
    """Opens the same store, again and again."""
    if request.param == "file":
        return lambda: JobStore.of_folder(tmp_path)
    url = request.getfixturevalue("postgres_url")
    return lambda: JobStore.shared(url, tmp_path)


@pytest.fixture
def store(make_store: Callable[[], JobStore]):
    store = make_store()
    yield store
    store.close()


def test_a_job_lives_on_when_the_store_is_opened_again(
    store: JobStore, make_store: Callable[[], JobStore]
):
    added = store.add(
        "a", FIELDS | {"options": {"seed": 3}, "model": "tone", "file_name": "é%?.mp4"}, {"up": 1.5}
    )
    again = make_store()
    found = again.get("a")
    again.close()
    assert found == added
    assert found is not None
    assert found.options == {"seed": 3}
    assert found.file_name == "é%?.mp4"
    assert found.state is State.QUEUED
    assert found.seconds == {"up": 1.5}
    assert store.get("b") is None


def test_events_tell_of_every_change_in_order(store: JobStore):
    store.add("a", FIELDS, {})
    store.begin("a")
    store.proceed("a", 0.5)
    store.proceed("a", 0.25)
    store.finish("a", Result((FILE,), {"n": 1}), {"model": 2.0}, 1e10)
    events = store.events("a")
    assert [event.name for event in events] == ["progress"] * 4 + ["done"]
    assert [event.data["progress"] for event in events] == [0, 0, 0.5, 0.5, 1]
    assert [event.number for event in events] == sorted(event.number for event in events)
    assert store.events("a", events[2].number) == events[3:]
    job = store.get("a")
    assert job is not None
    assert job.result == Result((FILE,), {"n": 1})
    assert job.attempts == 1


def test_nothing_more_happens_to_what_is_finished(store: JobStore):
    store.add("a", FIELDS, {})
    store.fail("a", {"title": "no"}, 1e10)
    assert store.begin("a") is None
    assert store.finish("a", Result((), {}), {}, 1e10) is None
    job = store.get("a")
    assert job is not None
    assert (job.state, job.problem) == (State.FAILED, {"title": "no"})


def test_a_request_that_is_sent_again_makes_one_job(store: JobStore):
    first = store.add("a", FIELDS | {"digest": "d"}, {}, "request")
    assert store.add("b", FIELDS | {"digest": "e"}, {}, "request") == first
    assert store.get("b") is None
    assert store.digest_of_request("", "request") == "d"
    assert store.add("c", FIELDS | {"owner": "somebody"}, {}, "request").id == "c"
    store.remove("a")
    assert store.of_request("", "request") is None


def test_what_waits_has_its_place(store: JobStore):
    for name in "abc":
        store.add(name, FIELDS, {})
    store.add("other", FIELDS | {"route": "classifications"}, {})
    assert [store.position(name) for name in ("a", "b", "c", "other")] == [0, 1, 2, 0]
    store.begin("a")
    assert store.position("c") == 1


def test_what_a_server_was_working_on_is_queued_again(
    store: JobStore, make_store: Callable[[], JobStore]
):
    for name in "abc":
        store.add(name, FIELDS, {})
    store.begin("b")
    store.fail("c", {}, 1e10)
    again = make_store()
    assert [job.id for job in again.recover()] == ["a", "b"]
    again.close()


def test_removed_jobs_leave_their_files_to_be_deleted(store: JobStore):
    store.add("a", FIELDS, {}, "request")
    store.finish("a", Result((FILE,), {}), {}, 5.0)
    assert [job.id for job in store.expired(6.0)] == ["a"]
    assert store.expired(4.0) == []
    store.remove("a")
    store.remove("a")
    assert store.get("a") is None
    assert store.events("a") == []
    store.discard([FILE.key, "another"])
    assert sorted(store.deletions()) == sorted([FILE.key, "another"])
    store.deleted(FILE.key)
    assert store.deletions() == ["another"]


def test_a_change_that_fails_half_way_changes_nothing(store: JobStore):
    store.add("a", FIELDS, {})
    with pytest.raises(TypeError):
        store.finish("a", Result((), {"not": {1, 2}}), {}, 1e10)  # type: ignore[dict-item]
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.add("a", FIELDS, {})
    assert len(store.events("a")) == 1
    assert store.add("b", FIELDS, {}).id == "b"


def test_an_ended_session_is_remembered_until_its_time_is_over(make_store: Callable[[], JobStore]):
    table = SessionTable(make_store().database)
    table.end("old", time.time() - 1)
    table.end("new", time.time() + 3600)
    table.end("new", time.time() + 3600)
    assert SessionTable(make_store().database).has_ended("new")
    assert not table.has_ended("old")
    assert not table.has_ended("other")


def test_servers_that_share_a_database_do_their_own_jobs(postgres_url: str, tmp_path: Path):
    stores = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        stores.append(JobStore.shared(postgres_url, tmp_path / name))
    one, other = stores
    one.add("a", FIELDS, {})
    other.add("b", FIELDS, {})
    assert [job.id for job in one.recover()] == ["a"]
    assert [job.id for job in other.recover()] == ["b"]
    assert other.position("b") == 0
    assert one.get("b") == other.get("b")
    tables = [SessionTable(store.database) for store in stores]
    assert tables[0].agreed("session", "first") == "first"
    assert tables[1].agreed("session", "second") == "first"
    tables[0].end("signature", 1e10)
    assert tables[1].has_ended("signature")

    one.live(1e10)
    assert [job.id for job in one.orphans(1e10 - 120)] == ["b"]
    other.live(1e10)
    assert one.orphans(1e10 - 120) == []
    for store in stores:
        store.close()


def test_gone_servers_are_forgotten_once_nothing_of_theirs_is_unfinished(
    postgres_url: str, tmp_path: Path
):
    stores = []
    for name in ("one", "idle", "busy"):
        (tmp_path / name).mkdir()
        stores.append(JobStore.shared(postgres_url, tmp_path / name))
    one, idle, busy = stores
    busy.add("a", FIELDS, {})
    for n, store in enumerate(stores):
        store.live(1e10 - 200 * n)
    one.forget_servers(1e10 - 120)
    assert one.servers() == sorted([one.server, busy.server])
    one.fail("a", {"status": 500}, 1e12)
    one.forget_servers(1e10 - 120)
    assert one.servers() == [one.server]
    idle.live(1e10)  # it was only slow
    assert one.servers() == sorted([one.server, idle.server])
    for store in stores:
        store.close()


def test_one_request_that_two_servers_get_at_once_makes_one_job(postgres_url: str, tmp_path: Path):
    stores = []
    for n in range(4):
        (tmp_path / str(n)).mkdir()
        stores.append(JobStore.shared(postgres_url, tmp_path / str(n)))
    made: list[str] = []
    begin = threading.Barrier(len(stores))

    def send(store: JobStore) -> None:
        begin.wait()
        made.append(store.add(store.new_id(), FIELDS, {}, "request").id)

    threads = [threading.Thread(target=send, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(stores)
    assert len(set(made)) == 1
    for store in stores:
        store.close()


def test_a_connection_that_is_lost_is_made_again(postgres_url: str, tmp_path: Path):
    store, killer = (JobStore.shared(postgres_url, tmp_path) for _ in range(2))
    store.add("a", FIELDS, {})
    killer.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert store.begin("a") is not None
    store.close()
    killer.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "no address of a database"),
        ("postgresql://somebody:secret@127.0.0.1:1/jobs", "127.0.0.1/jobs cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_said_at_start(tmp_path: Path, url: str, message: str):
    with pytest.raises(StageError, match=message) as caught:
        JobStore.shared(url, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_gone_is_said_at_once(postgres_url: str, tmp_path: Path):
    store = JobStore.shared(postgres_url, tmp_path)
    store.database._url = "postgresql://127.0.0.1:1/jobs"  # type: ignore[attr-defined]
    store.close()
    store.database._connection = None  # type: ignore[attr-defined]
    for _ in range(3):
        with pytest.raises(DatabaseUnavailableError):
            store.get("a")
