"""The chart of losses: points within it, round numbers beside it, whatever the losses are."""

import math

import pytest

from launcher.pages.curve import Line, losses_chart, read_losses
from launcher.pages.page import page_environment
from s2s.storage import DirectoryBucket


def places(points: str) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in points.split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_losses_are_placed_by_step_and_by_logarithm():
    chart = losses_chart([Line("a", [(0, 1.0), (50, 0.1), (100, 0.01)], 0)])
    assert chart is not None
    (points, colour), *_ = chart.lines
    (x0, y0), (x1, y1), (x2, y2) = places(points)
    assert (x0, x1, x2, colour) == (0, 500, 1000, 0)
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.2), "equal ratios are equal heights"
    assert [tick.label for tick in chart.steps] == ["0", "50", "100"]
    assert [tick.label for tick in chart.losses] == ["1", "0.1", "0.01"]
    assert [10 * tick.at for tick in chart.losses] == pytest.approx([y0, y1, y2], abs=0.1)


def test_losses_below_zero_are_on_a_linear_axis():
    chart = losses_chart([Line("a", [(0, 12.0), (100, -18.0)], 0)])
    assert chart is not None
    assert [tick.label for tick in chart.losses] == ["10", "0", "-10"]
    assert all(0 <= y <= 1000 for _, y in places(chart.lines[0][0]))


@pytest.mark.parametrize("losses", [[2.0], [1e-9, 3e4], [0.0], [-5.0, -5.0], [0.123, 0.124]])
def test_any_losses_have_a_few_numbers_beside_them(losses: list[float]):
    points = [*enumerate(losses, start=1), (7, math.nan)]
    chart = losses_chart([Line("a", points, 0), Line("none", [], 1)])
    assert chart is not None
    assert chart.names == [("a", 0)]
    assert 1 <= len(chart.losses) <= 15
    assert len(chart.steps) <= 6
    assert all(0 <= tick.at <= 100 for tick in [*chart.losses, *chart.steps])
    assert len(places(chart.lines[0][0])) >= 2, "one point is drawn as a dot"


def test_a_single_point_is_drawn_so_that_it_is_seen():
    chart = losses_chart([Line("a", [(1, 1.0), (2, 2.0)], 0), Line("b", [(2, 2.0)], 1)])
    page = page_environment().get_template("parts.html.jinja").module.losses_figure(chart, "")  # pyright: ignore[reportAttributeAccessIssue]
    assert 'class="line-0" points' in page
    assert 'class="line-1 point" points' in page


def test_lines_of_one_name_are_named_once():
    chart = losses_chart([Line("a", [(1, 1.0)], 0), Line("a", [(1, 2.0)], 0)])
    assert chart is not None
    assert (len(chart.lines), chart.names) == (2, [("a", 0)])


def test_a_model_without_losses_has_no_chart(tmp_path):
    bucket = DirectoryBucket(tmp_path)
    assert read_losses(bucket, "models/a/") is None
    bucket.write("models/a/metrics.csv", b"step,train_loss,val_loss\n5,,0.5\n")
    chart = read_losses(bucket, "models/a/")
    assert chart is not None
    assert chart.names == [("validation clips", 1)]
