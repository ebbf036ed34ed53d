"""The tables of an evaluation, and of a comparison, in a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console

from launcher.pages.figures import figure_cell
from training.comparison.tables import print_comparison
from training.evaluation.tables import print_evaluation

FIGURES = [f"a_rather_long_figure_{n}" for n in range(14)]
TITLES = {name: f"distance of sound {n}, LU" for n, name in enumerate(FIGURES)}
SYSTEMS = ["real", "model", "a_baseline_of_some_length"]


def content_of(value: float) -> dict[str, Any]:
    cells = {name: {"value": value, "low": None, "high": None} for name in FIGURES}
    targets = [
        {
            "target": "model, impacts: frechet at most 0.5 × that of random_clip",
            "value": 12.34567,
            "reference": 66.1,
            "is_met": True,
        },
        {
            "target": "model, all: diversity at least 1",
            "value": None,
            "reference": None,
            "is_met": None,
        },
    ]
    tests = {"a_baseline_of_some_length": {"first_only": 38, "second_only": 1, "p": 3.2e-11}}
    part = {"n_clips": 40, "n_sources": 12, "systems": dict.fromkeys(SYSTEMS, cells)}
    return {
        "titles": {name: f"a system that is called {name}" for name in SYSTEMS},
        "figures": {name: {"title": TITLES[name], "better": "less"} for name in FIGURES},
        "note": "Measured on the test split. Of 40 clips of the split 38 could be decoded.",
        "groups": {
            "all": part | {"ahead": {}, "paired": {FIGURES[3]: tests}},
            "impacts": part | {"ahead": {"a_baseline_of_some_length": FIGURES}, "paired": {}},
        },
        "costs": {"model": {"gflops": 0.0123, "views": 30}},
        "targets": targets,
        "by_others": {"note": "not computed"},
    }


@pytest.mark.parametrize("width", [80, 60, 200])
@pytest.mark.parametrize("value", [0.6543, -1234.567])
def test_nothing_is_cut_in_a_narrow_terminal(width: int, value: float):
    console = Console(width=width, file=io.StringIO(), record=True)
    print_evaluation(content_of(value), console)
    text = console.export_text()
    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    shown = "0.654" if value > 0 else "-1234.6"
    assert text.count(shown) == 2 * len(FIGURES) * len(SYSTEMS)
    assert FIGURES[0] not in text  # people read titles
    for needed in (
        *("12.3 / 66.1", "met", "not measured", "impacts: 40 clips of 12 sources"),
        *("38 could be decoded", "3.2e-11", "0.0123 × 30"),
    ):
        assert needed in " ".join(text.split())


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (0.565, 0.49, 0.641, ("0.565", "(0.49–0.64)")),
        (0.0083, 0.0081, 0.0086, ("0.008", "(0.008–0.009)")),
        (-1.0712, -4.18, 2.057, ("-1.071", "(-4.18 to 2.06)")),
        (12.3456, None, None, ("12.3", "")),
    ],
)
def test_a_figure_is_written_alike_in_a_terminal_and_on_a_page(
    value: float, low: float | None, high: float | None, shown: tuple[str, str]
):
    of_one = {"value": value, "low": low, "high": high}
    cell = figure_cell("top-1", of_one)
    assert (cell.value, cell.interval) == shown
    cost = {"steps": 9, "seconds": 1.0, "peak_bytes": None, "gflops": None, "parameters": 10**6}
    part = {
        "groups": {"all": {"top1": of_one | {"by_seed": [0.56, 0.57, 0.5649]}}},
        "cost": cost,
    }
    console = Console(width=80, file=io.StringIO(), record=True)
    content = {"note": "", "n_clips": 40, "n_sources": 1, "figures": {"top1": {}}, "failed": []}
    print_comparison(content | {"approaches": {"cnn_lstm": part}, "pairs": []}, console)
    text = " ".join(console.export_text().split())
    assert "0.560 0.570 0.565" in text
    assert f" {shown[0]} " in text
    assert shown[1] in text
