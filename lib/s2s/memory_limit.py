"""The memory limit of the container that this runs in, and how often it was reached."""

from pathlib import Path

__all__ = ["count_memory_kills", "memory_limit_bytes"]

_CGROUP = Path("/sys/fs/cgroup")
# Beyond it the kernel means that there is none.
_NO_LIMIT_BYTES = 1 << 60


def memory_limit_bytes(cgroup: Path = _CGROUP) -> int | None:
    """The memory limit of all processes of this container together; None without a limit.

    Args:
        cgroup: where the kernel's control groups are mounted, of version 2 or 1.
    """
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        text = _read(cgroup / name).strip()
        if text.isdigit() and int(text) < _NO_LIMIT_BYTES:
            return int(text)
    return None


def count_memory_kills(cgroup: Path = _CGROUP) -> int:
    """Processes that the kernel has ended because the limit was reached, since there is one.

    Args:
        cgroup: see `memory_limit_bytes`.
    """
    for name in ("memory.events", "memory/memory.oom_control"):
        for line in _read(cgroup / name).splitlines():
            key, _, value = line.partition(" ")
            if key == "oom_kill" and value.isdigit():
                return int(value)
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:  # another kernel, or another version of control groups
        return ""
