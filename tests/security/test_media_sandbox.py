"""The process that untrusted media is read in: what it can still do when it is taken over."""

import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sandboxed_tasks as tasks

import s2s.media
from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import SandboxLimits, end_sandboxed, missing_protections, run_sandboxed
from s2s.media.guard.memory import MemoryBudget, machine_memory_bytes

INHERITED = {"TMPDIR", "LC_CTYPE", "IMAGEIO_FFMPEG_EXE"}
SHORT = SandboxLimits(wall_s=1)


def test_it_answers_and_tells_errors(tmp_path: Path):
    assert run_sandboxed(tasks.add, 1, 2, folder=tmp_path) == 3
    with pytest.raises(UnsupportedMediaError, match="no such type"):
        run_sandboxed(tasks.refuse, folder=tmp_path)
    with pytest.raises(MediaError, match="damaged") as caught:
        run_sandboxed(tasks.fail, folder=tmp_path)
    assert caught.value.reason == "corrupt"


def test_libraries_are_loaded_before_it_is_forked(tmp_path: Path):
    homes = {getattr(s2s.media, name).__module__ for name in s2s.media.__all__ if name.islower()}
    # In a Python of its own: in this one others may have started the server that forks.
    code = f"""
import pathlib, sandboxed_tasks, s2s.media
folder = pathlib.Path({str(tmp_path)!r})
print(*s2s.media.run_sandboxed(sandboxed_tasks.loaded_modules, folder=folder))
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert {"numpy", *homes} <= {*found.stdout.split()}


def test_it_tells_progress_and_only_that(tmp_path: Path):
    told: list[float] = []
    shares = (0.0, 0.5, -1.0, 2.0, float("nan"), 1.0)
    assert run_sandboxed(tasks.tell, *shares, folder=tmp_path, on_progress=told.append) == "done"
    assert told == [0.0, 0.5, 1.0]
    with pytest.raises(MediaError):
        run_sandboxed(tasks.tell, "far", folder=tmp_path, on_progress=told.append)


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only its exit status."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def test_ctrl_c_is_not_for_it_and_it_ends_with_its_programs(tmp_path: Path):
    pids = tmp_path / "pids.json"
    with ThreadPoolExecutor(1) as threads:
        task = threads.submit(run_sandboxed, tasks.wait_for_a_program, str(pids), folder=tmp_path)
        while not pids.exists():
            time.sleep(0.01)
        noted = json.loads(pids.read_text())
        # A terminal sends Ctrl-C to all of the group of the process that it has started.
        assert [os.getpgid(pid) for pid in noted] == [noted[0]] * 2
        assert noted[0] != os.getpgrp()
        end_sandboxed()
        assert task.result() == noted  # it is run again, as after what the system ends
    while any(map(is_running, noted)):
        time.sleep(0.01)


def test_it_has_no_network(tmp_path: Path):
    with pytest.raises(OSError, match="not permitted"):
        run_sandboxed(tasks.open_a_socket, folder=tmp_path)


def test_programs_that_it_starts_have_no_network(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.mp4"
        said = run_sandboxed(tasks.connect_from_a_program, url, folder=tmp_path)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert "not permitted" in said


def test_it_sees_no_file_but_its_folders(tmp_path: Path):
    folder, secret = tmp_path / "job", tmp_path / "secret.txt"
    folder.mkdir()
    secret.write_text("secret")
    (folder / "own.txt").write_text("own")
    assert run_sandboxed(tasks.read, str(folder / "own.txt"), folder=folder) == "own"
    run_sandboxed(tasks.write, str(folder / "new.txt"), folder=folder)
    for path in (secret, Path("/etc/passwd"), Path("/proc/self/environ")):
        with pytest.raises(OSError, match="denied"):
            run_sandboxed(tasks.read, str(path), folder=folder)
    with pytest.raises(OSError, match="denied"):
        run_sandboxed(tasks.list_folder, str(tmp_path), folder=folder)
    with pytest.raises(OSError, match="denied"):
        run_sandboxed(tasks.write, str(tmp_path / "evil.txt"), folder=folder)
    assert not (tmp_path / "evil.txt").exists()


def test_programs_that_it_starts_see_no_other_file(make_video, tmp_path: Path):
    secret, output = make_video("secret.mp4"), tmp_path / "copy.mp4"
    code = run_sandboxed(tasks.read_with_a_program, str(secret), str(output), folder=tmp_path)
    assert code != 0
    assert not output.exists()


def test_it_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("S2S_SECRET", "secret")
    with socket.create_server(("127.0.0.1", 0)):
        assert run_sandboxed(tasks.environment, folder=tmp_path).keys() <= INHERITED
        assert run_sandboxed(tasks.count_sockets, folder=tmp_path) == 0


@pytest.mark.parametrize(
    "task", [tasks.take_memory, tasks.die, tasks.answer_too_much], ids=lambda task: task.__name__
)
def test_what_takes_too_much_or_dies_is_refused(task, tmp_path: Path):
    with pytest.raises(MediaError) as caught:
        run_sandboxed(task, folder=tmp_path)
    assert caught.value.reason == "refused"


@pytest.mark.parametrize("task", [tasks.spin, tasks.sleep], ids=lambda task: task.__name__)
def test_what_takes_too_long_is_ended(task, tmp_path: Path):
    with pytest.raises(MediaError) as caught:
        run_sandboxed(task, folder=tmp_path, limits=SHORT)
    assert caught.value.reason in {"timeout", "refused"}  # its own alarm may come first


def test_processor_time_is_bounded(tmp_path: Path):
    with pytest.raises(MediaError) as caught:
        run_sandboxed(tasks.spin, folder=tmp_path, limits=SandboxLimits(cpu_s=1, wall_s=60))
    assert caught.value.reason == "refused"


def test_files_are_bounded_in_size_and_number(tmp_path: Path):
    with pytest.raises((MediaError, OSError)):
        run_sandboxed(
            tasks.fill_the_disk, folder=tmp_path, limits=SandboxLimits(file_bytes=1 << 20)
        )
    assert (tmp_path / "large").stat().st_size <= 1 << 20
    with pytest.raises(OSError, match="Too many open files"):
        run_sandboxed(tasks.open_many_files, folder=tmp_path)


def test_what_the_system_kills_is_run_again_and_blames_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("s2s.media.guard.sandbox._PAUSES_S", (0.0, 0.0))
    assert run_sandboxed(tasks.die_until, str(tmp_path / "runs"), 3, folder=tmp_path) == 3
    with pytest.raises(OSError, match="memory") as caught:
        run_sandboxed(tasks.die_until, str(tmp_path / "again"), 9, folder=tmp_path)
    assert caught.value.errno == errno.ENOMEM
    assert len((tmp_path / "again").read_text()) == 3


def test_the_processors_time_is_a_limit_of_ours(tmp_path: Path):
    with pytest.raises(MediaError, match="more memory or time") as caught:
        run_sandboxed(tasks.spin, folder=tmp_path, limits=SandboxLimits(cpu_s=1))
    assert caught.value.reason == "refused"


def test_all_together_hold_no_more_than_the_budget():
    budget, held, most = MemoryBudget(10), Counter[str](), []

    def work(wanted: int) -> None:
        with budget.hold(wanted):
            held["now"] += min(wanted, 10)
            most.append(held["now"])
            time.sleep(0.01)
            held["now"] -= min(wanted, 10)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [4, 4, 4, 4, 99, 1, 10, 4]))
    assert len(most) == 8
    assert max(most) <= 10


def test_a_machine_without_fences_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert set(missing_protections(tmp_path)) <= {"files", "network"}
    monkeypatch.setattr("s2s.media.guard.sandbox.run_sandboxed", lambda *_, **__: [False, True])
    assert missing_protections(tmp_path) == ["files"]
    assert 1 << 26 < machine_memory_bytes() < 1 << 50
