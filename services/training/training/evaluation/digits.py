"""How figures are written: alike on a terminal, on a page and in a model's card."""

__all__ = ["interval", "number"]


def number(value: float | None) -> str:
    """As many digits as tell something, such as `0.565` or `12.3`; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def interval(low: float | None, high: float | None) -> str:
    """Where a figure lies, `(0.93–0.97)` or `(-4.18 to 2.06)`; empty where that is not known."""
    if low is None or high is None:
        return ""
    # A dash beside a minus sign cannot be told from one.
    dash = " to " if low < 0 else "–"
    is_small = max(abs(low), abs(high)) < 0.1  # two digits would say other values than the figure
    low_told, high_told = (f"{x:.3f}" if is_small else _short(x) for x in (low, high))
    return f"({low_told}{dash}{high_told})"


def _short(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"
