"""The most memory that a training held."""

from pathlib import Path

import torch

__all__ = ["forget_peak", "peak_bytes"]

_PROCESS = Path("/proc/self")
_FORGET_PEAK = "5"
"""What tells Linux to measure the peak anew; see proc(5), clear_refs."""


def forget_peak(device: torch.device) -> None:
    """Measure anew from here on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        (_PROCESS / "clear_refs").write_text(_FORGET_PEAK, encoding="ascii")
    except OSError:  # another system, or one that forbids it: the peak is the whole process's
        return


def peak_bytes(device: torch.device) -> int | None:
    """The most since `forget_peak`: tensors on a GPU; else all of this process in memory.

    None where the system does not say it.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        lines = (_PROCESS / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("VmHWM:")]
    return int(found[0][1]) * 1024 if found else None
