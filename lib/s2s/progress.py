"""How far long work is: bars on a terminal, and where there is none a line now and then."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress_bar import ProgressBar

from s2s.logs import console as shared_console

__all__ = ["Bars"]

_LINE_EVERY_S = 30.0
_LOOK_EVERY_S = 1.0
_SHORTEST_BAR, _LONGEST_BAR = 1, 40
_TIMES_WIDTH = len(" 0:00:00 0:00:00 ")


class _Bar(BarColumn):
    """As long as what stands beside it leaves room for: numbers and facts say more."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def render(self, task: Task) -> ProgressBar:
        """The bar of a task."""
        counts = f"{task.total or 0:.0f}/{task.total or 0:.0f} {task.fields['unit']}"
        beside = len(f"{task.description:<18} {counts} {task.fields['facts']}") + _TIMES_WIDTH
        self.bar_width = max(_SHORTEST_BAR, min(_LONGEST_BAR, self._console.width - beside))
        return super().render(task)


class Bars(Progress):
    """Bars that a terminal shows, each with the field `facts` behind it.

    Elsewhere, as in a log, they come when the work is done, and a line tells every 30 s how far it
    is, so that nobody takes for dead what takes long:

        validation: 120 of 940 clips, 2 nodes, 1.4/s, max 1.6, 0:01:30 gone, about 0:09:47 left

    Args:
        in_percent: show a share, not a number of things.
        transient: leave nothing behind.
        console: where to.
        clock: seconds.
    """

    def __init__(
        self,
        *,
        in_percent: bool = False,
        transient: bool = False,
        console: Console = shared_console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            TextColumn("{task.description:<18}", markup=False),
            _Bar(console),
            TaskProgressColumn() if in_percent else MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}", markup=False),
            console=console,
            get_time=clock,
            transient=transient,
            auto_refresh=console.is_interactive,
        )
        self._in_percent = in_percent
        self._told_s = clock()
        self._is_over = threading.Event()

    def add_task(self, description: str, *args: Any, **given: Any) -> TaskID:
        """See `Progress.add_task`; what is completed already is no work of this run.

        `unit`, such as `clips`, says what is counted.
        """
        fields = {"facts": "", "unit": "", "done_before": given.get("completed", 0)}
        return super().add_task(description, *args, **(fields | given))

    def start(self) -> None:
        """Show the bars, or begin to tell of them."""
        super().start()
        self._told_s = self.get_time()
        if not self.console.is_interactive:
            threading.Thread(target=self._keep_telling, daemon=True).start()

    def stop(self) -> None:
        """Leave the bars as they are."""
        self._is_over.set()
        if self.live.transient:
            self.live.stop()  # the rest is an empty line
        else:
            super().stop()

    def tell(self) -> None:
        """Print a line about what goes on, where no bar is seen and it is time for it."""
        with self._lock:
            now_s = self.get_time()
            if self.console.is_interactive or now_s - self._told_s < _LINE_EVERY_S:
                return
            self._told_s = now_s
            lines = [self._line(task) for task in self.tasks if not task.finished]
        for line in lines[:1]:  # what comes after it has not begun
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _keep_telling(self) -> None:
        while not self._is_over.wait(_LOOK_EVERY_S):
            self.tell()

    def _line(self, task: Task) -> str:
        total, passed_s = task.total or 0.0, task.elapsed or 0.0
        count = f"{task.completed:.0f} of {total:.0f} {task.fields['unit']}".rstrip()
        words = [f"{task.percentage:.0f} %" if self._in_percent else count]
        words += [task.fields["facts"]] if task.fields["facts"] else []
        words += [f"{_clock(passed_s)} gone"]
        done = task.completed - task.fields["done_before"]
        if done > 0:
            words += [f"about {_clock(passed_s / done * (total - task.completed))} left"]
        return f"{task.description}: {', '.join(words)}"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
