"""What Ray does to a process that it comes to: SIGTERM stays the command's, and Ray is quiet."""

import faulthandler
import logging
import os
import signal
import sys
from pathlib import Path

import pytest

from s2s.cli import guarded

ray = pytest.importorskip("ray", reason="Ray is not installed")


def test_ray_does_not_get_sigterm_while_it_starts(monkeypatch: pytest.MonkeyPatch):
    """Nor afterwards: what SIGTERM does is what it did, at any moment."""
    from s2s.engine.ray.cluster import _init  # noqa: PLC0415 - where Ray is installed

    def init(**_: object) -> None:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(number))
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(ray, "init", init)
    set_handler = signal.signal

    def command() -> int:
        _init()
        return 0

    assert guarded(command) == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.signal is set_handler


def test_ray_does_not_keep_sigterm_behind_the_back_of_python(monkeypatch: pytest.MonkeyPatch):
    from s2s.engine.ray.cluster import _init  # noqa: PLC0415 - where Ray is installed

    def command() -> int:
        _init()
        signal.raise_signal(signal.SIGTERM)
        return 0

    with Path(os.devnull).open("w") as nowhere:
        monkeypatch.setattr(
            ray, "init", lambda **_: faulthandler.register(signal.SIGTERM, nowhere, chain=False)
        )
        try:
            assert guarded(command) == 143
        finally:
            faulthandler.unregister(signal.SIGTERM)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_an_interrupt_that_ray_makes_of_sigterm_is_sigterm():
    """Its compiled code waits, looks for signals, and raises one of its own."""

    def command() -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None
        return 0

    assert guarded(command) == 143


def test_ray_says_nothing_of_tokens_between_our_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    from s2s.engine.ray.cluster import _init  # noqa: PLC0415 - where Ray is installed

    library = logging.getLogger("ray._private.authentication.authentication_token_setup")
    monkeypatch.setattr(ray, "init", lambda **_: library.warning("Token authentication is enabled"))
    _init()
    assert caplog.messages == []
