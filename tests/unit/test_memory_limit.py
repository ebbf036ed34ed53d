"""What the kernel's control groups say of a container's memory."""

from pathlib import Path

import pytest

from s2s.memory_limit import count_memory_kills, memory_limit_bytes

VERSION_2 = {
    "memory.max": "1048576\n",
    "memory.events": "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n",
}
VERSION_1 = {
    "memory/memory.limit_in_bytes": "1048576\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
}
WITHOUT_LIMIT = {
    "memory/memory.limit_in_bytes": "9223372036854771712\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
}


@pytest.mark.parametrize(
    ("files", "limit", "kills"),
    [
        (VERSION_2, 1 << 20, 2),
        (VERSION_1, 1 << 20, 2),
        (WITHOUT_LIMIT, None, 0),
        ({"memory.max": "max\n", "memory.events": "oom_kill 0\n"}, None, 0),
        ({}, None, 0),
    ],
)
def test_limit_and_kills_are_read(
    files: dict[str, str], limit: int | None, kills: int, tmp_path: Path
):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_limit_bytes(tmp_path) == limit
    assert count_memory_kills(tmp_path) == kills
