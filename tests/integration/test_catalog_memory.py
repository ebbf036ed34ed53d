"""Memory does not grow with a catalog's rows."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

READ = """
import resource, sys
from pathlib import Path
from s2s.catalog import FormatOptions, RowProblem, choose_format, read_rows, select_clips
from s2s.tasks.generation.settings import GenerationRecipe

def peak_kb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def read(path):
    rows = read_rows(path, choose_format(path, path.name, FormatOptions()))
    clips = (row for row in rows if not isinstance(row, RowProblem))
    collection = {"catalog": "x", "labels": ["label 1*"], "sample_per_label": 3}
    recipe = GenerationRecipe.model_validate({"name": "r", "collection": collection})
    return len(list(select_clips(clips, recipe)))

small, large = map(Path, sys.argv[1:])
assert read(small) == 33
before = peak_kb()
assert read(large) == 33
print(peak_kb() - before)
"""
N_SMALL, N_LARGE = 10_000, 60_000


def kinetics_entry(number: int, label: str) -> str:
    entry = {"annotations": {"label": label, "segment": [1, 11]}, "subset": "train"}
    return f'{"{" if number == 0 else ","}"-{number:010d}": {json.dumps(entry)}'


FORMATS: dict[str, tuple[str, Callable[[int, str], str], str]] = {
    "vggsound": ("", lambda number, label: f"-{number:010d},30,{label},test", ""),
    "kinetics": (
        "label,youtube_id,time_start,time_end,split\n",
        lambda number, label: f"{label},-{number:010d},30,40,train",
        "",
    ),
    "kinetics json": ("", kinetics_entry, "}"),
    "jsonl": (
        "",
        lambda number, label: json.dumps({"source_id": f"-{number:010d}", "labels": [label]}),
        "",
    ),
}


def write(path: Path, kind: str, n_rows: int) -> Path:
    header, row, footer = FORMATS[kind]
    with path.open("w") as file:
        file.write(header)
        file.writelines(row(number, f"label {number % 20}") + "\n" for number in range(n_rows))
        file.write(footer)
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_a_catalog_six_times_as_long_takes_no_more_memory(tmp_path: Path, kind: str):
    small = write(tmp_path / "small", kind, N_SMALL)
    large = write(tmp_path / "large", kind, N_LARGE)
    command = [sys.executable, "-c", READ, str(small), str(large)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # 50,000 clips held in memory would take more than 30 MB.
    assert int(done.stdout) < 12_000
