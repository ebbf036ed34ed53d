"""The benchmarks of training run without a GPU, at a size that takes a moment."""

import runpy
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(BENCHMARKS / name), run_name="__main__")


def test_throughput_is_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    arguments = ["--size", "tiny", "--batch", "2", "--window", "0.4", "--steps", "2"]
    run(monkeypatch, "training_gpu.py", *arguments)
    _, line = capsys.readouterr().out.splitlines()
    assert line.startswith("tiny, 2 windows of 0.4 s, compile False | ")
    speed, _, flops, share = line.split(" | ")[1:]
    assert float(speed.split()[0]) > 0
    assert float(flops.split()[0]) > 0
    assert share.endswith("% of the product")


def test_the_loader_is_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    run(monkeypatch, "training_loader.py", "--size", "tiny", "--batches", "1", "--batch", "4")
    assert capsys.readouterr().out.startswith("tiny: ")


def test_steps_are_compared(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    run(monkeypatch, "training_muon.py", "--size", "tiny", "--steps", "1")
    assert capsys.readouterr().out.startswith("tiny, ")
