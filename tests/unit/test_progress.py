"""How far long work is, told where there is no terminal."""

import io
import threading
from collections.abc import Callable

import pytest
from rich.console import Console

from s2s.logs import counted
from s2s.progress import Bars


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


Make = Callable[..., tuple[Bars, Clock, Callable[[], list[str]]]]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    # It is told when the test says so, not from a thread.
    monkeypatch.setattr(Bars, "_keep_telling", lambda _: None)

    def made(*, is_terminal: bool = False, **options: bool):
        written, clock = io.StringIO(), Clock()
        console = Console(file=written, force_terminal=is_terminal, width=60)
        bars = Bars(console=console, clock=clock, **options)
        return bars, clock, lambda: written.getvalue().splitlines()

    return made


def test_a_log_gets_a_line_every_30_s(make: Make):
    bars, clock, lines = make()
    with bars:
        bar = bars.add_task("collection", total=100, completed=20, unit="downloads")
        for second in range(0, 66):
            clock.now_s = 100.0 + second
            if second and second % 6 == 0:
                bars.update(bar, advance=1, facts=f"{second} facts")
            bars.tell()
        assert lines() == [
            "collection: 25 of 100 downloads, 30 facts, 0:00:30 gone, about 0:07:30 left",
            "collection: 30 of 100 downloads, 60 facts, 0:01:00 gone, about 0:07:00 left",
        ]


def test_work_that_has_not_come_far_is_told_of_too(make: Make):
    bars, clock, lines = make()
    with bars:
        bars.add_task("training model", total=1000)
        clock.now_s += 31.0
        bars.tell()
        assert lines() == ["training model: 0 of 1000, 0:00:31 gone"]


def test_short_work_is_told_at_its_end_alone(make: Make):
    bars, clock, lines = make()
    with bars:
        bar = bars.add_task("rendering", total=2, unit="films")
        for _ in range(2):
            clock.now_s += 14.0
            bars.advance(bar)
            bars.tell()
        assert lines() == []
    assert [line for line in lines() if line.strip()] == lines()[:1]
    assert "rendering" in lines()[0]
    assert "2/2 films" in lines()[0]


def test_what_leaves_nothing_behind_says_nothing_of_short_work(make: Make):
    bars, _clock, lines = make(in_percent=True, transient=True)
    with bars:
        bars.update(bars.add_task("clip.mp4", total=1.0), completed=1.0)
    assert lines() == []


def test_a_share_is_told_of_what_goes_on_not_of_what_comes_after(make: Make):
    bars, clock, lines = make(in_percent=True)
    with bars:
        sent = bars.add_task("sending [a].mp4", total=4_000_000)
        worked_on = bars.add_task("working on it", total=1.0)
        bars.update(sent, completed=1_000_000)
        clock.now_s += 30.0
        bars.tell()
        bars.update(sent, completed=4_000_000)
        bars.update(worked_on, completed=0.5)
        clock.now_s += 30.0
        bars.tell()
        assert lines() == [
            "sending [a].mp4: 25 %, 0:00:30 gone, about 0:01:30 left",
            "working on it: 50 %, 0:01:00 gone, about 0:01:00 left",
        ]


def test_a_terminal_has_its_bar_and_no_lines(make: Make):
    bars, clock, lines = make(is_terminal=True)
    with bars:
        bars.add_task("collection", total=100)
        clock.now_s += 31.0
        bars.tell()
        assert not any(" of 100" in line for line in lines())


def test_lines_come_by_themselves_until_the_work_is_over(monkeypatch: pytest.MonkeyPatch):
    asked, others = threading.Event(), set(threading.enumerate())
    monkeypatch.setattr("s2s.progress._LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(Bars, "tell", lambda _: asked.set())
    with Bars(console=Console(file=io.StringIO(), force_terminal=False)):
        assert asked.wait(30)
        (teller,) = set(threading.enumerate()) - others
    teller.join(30)
    assert not teller.is_alive()


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        (1, ("clip",), "1 clip"),
        (0, ("clip",), "0 clips"),
        (2000, ("clip",), "2,000 clips"),
        (1, ("class", "classes"), "1 class"),
        (3, ("class", "classes"), "3 classes"),
    ],
)
def test_numbers_of_things_are_told_in_the_singular_where_there_is_one(
    number: int, words: tuple[str, ...], told: str
):
    assert counted(number, *words) == told


@pytest.mark.parametrize("total", [700, 50_000, 300_000])
def test_in_80_columns_numbers_and_facts_are_whole(total: int):
    written = io.StringIO()
    console = Console(file=written, width=80)
    bars = Bars(console=console)
    bar = bars.add_task("training model", total=total, completed=total // 2, unit="steps")
    bars.update(bar, facts="loss 12.345, val 12.678")
    console.print(bars.get_renderable())
    (line,) = written.getvalue().splitlines()
    assert f"{total // 2}/{total} steps 0:00:00 -:--:-- loss 12.345, val 12.678" in line
