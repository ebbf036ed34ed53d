"""The tables of an evaluation in a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console

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
        *("12.346 / 66.100", "met", "not measured", "impacts: 40 clips of 12 sources"),
        *("38 could be decoded", "3.2e-11", "0.0123 × 30"),
    ):
        assert needed in " ".join(text.split())
