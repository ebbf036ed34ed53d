"""How a command is stopped: by SIGTERM as by Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Terminated", "status_of", "stopped_by_sigterm"]


class Terminated(KeyboardInterrupt):
    """SIGTERM came: whatever makes way for Ctrl-C makes way for it too."""


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM stop what is done within the context, so that it can be tidied up and told.

    As the first process of a container, which ignores SIGTERM by default, a command ends by it too.
    Where SIGTERM is ignored on purpose, or somebody else's, it is left so.

    Raises:
        Terminated: when it comes.
    """
    is_ours = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not is_ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    came = False

    def terminate(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        came = True
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except KeyboardInterrupt as interruption:
        if came and not isinstance(interruption, Terminated):
            raise Terminated from interruption  # Ray's compiled code makes its own of any
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def status_of(interruption: KeyboardInterrupt) -> int:
    """The exit status of a command that was stopped, as shells have it: 130 or 143."""
    is_terminated = isinstance(interruption, Terminated)
    return 128 + (signal.SIGTERM if is_terminated else signal.SIGINT)
