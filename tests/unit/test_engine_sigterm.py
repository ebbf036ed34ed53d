"""SIGTERM stays the command's when Ray comes, which takes it for itself."""

import signal

import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed")


def test_ray_does_not_keep_sigterm(monkeypatch: pytest.MonkeyPatch):
    from s2s.engine.ray.cluster import _init  # noqa: PLC0415 - where Ray is installed

    def init(**_: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)

    monkeypatch.setattr(ray, "init", init)
    before = signal.getsignal(signal.SIGTERM)
    _init()
    try:
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, before)
