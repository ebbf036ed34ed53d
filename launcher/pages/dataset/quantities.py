"""Quantities as people read them."""

__all__ = ["in_bytes", "in_range", "in_time"]


def in_time(seconds: float) -> str:
    """A length of time to two or three digits: "42 s", "12.5 min", "3.1 h"."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def in_bytes(size: float) -> str:
    """A size to two or three digits: "42 kB", "12.5 MB", "3.1 GB"."""
    for unit, unit_size in (("GB", 1e9), ("MB", 1e6)):
        if size >= unit_size:
            return f"{size / unit_size:.1f} {unit}"
    return f"{size / 1e3:.0f} kB"


def in_range(least_middle_most: tuple[float, float, float], digits: int) -> str:
    """The least and the most of a figure: "2.00 to 10.00", or one number where they are alike."""
    least, _, most = (f"{value:.{digits}f}" for value in least_middle_most)
    return least if least == most else f"{least} to {most}"
