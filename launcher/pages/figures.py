"""A model's figures as tables, beside those of what it is compared with."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from s2s.errors import ModelError, ObjectNotFoundError
from s2s.logs import counted
from s2s.storage import Bucket
from s2s.tasks.contract import MODEL
from training.evaluation.digits import interval, number

__all__ = [
    "Cell",
    "Metrics",
    "Pair",
    "Table",
    "TableRow",
    "figure_cell",
    "pair_of",
    "read_metrics",
]

_SMALLEST_CHANCE = 1e-4


class _Group(BaseModel):
    n_clips: int
    systems: dict[str, dict[str, float | None]]


class _Training(BaseModel):
    n_train: int
    n_train_sources: int
    steps: int
    seconds: float
    parameters: int
    stopped_by: str = "max_steps"
    objectives: dict[str, dict[str, Any]] = {}


class _Figure(BaseModel):
    title: str


class _Clip(BaseModel):
    clip_id: str
    systems: dict[str, dict[str, Any]]


class Cell(BaseModel):
    """A number in a table.

    Attributes:
        title: of its column.
        value: the number.
        interval: where it lies, in brackets; empty where that is not known.
        is_missing: whether there is no number.
    """

    title: str
    value: str
    interval: str = ""
    is_missing: bool = False


class TableRow(BaseModel):
    """One system's figures.

    Attributes:
        name: what gave the answers.
        cells: its figures, one for each column.
        is_ours: whether that was the model.
    """

    name: str
    cells: list[Cell]
    is_ours: bool


class Table(BaseModel):
    """Figures of a group of clips.

    Attributes:
        title: which clips; empty for all.
        rows: one for each system.
    """

    title: str
    rows: list[TableRow]

    @property
    def columns(self) -> list[str]:
        """Titles of the figures."""
        return [cell.title for cell in self.rows[0].cells] if self.rows else []


class Pair(BaseModel):
    """Two systems compared clip by clip.

    Attributes:
        names: of the two.
        first_only: clips that only the first gets right.
        second_only: clips that only the second gets right.
        p: how likely that is between equals.
        is_sure: whether that is below 5 %.
    """

    names: str
    first_only: int
    second_only: int
    p: str
    is_sure: bool


class Metrics(BaseModel):
    """What a report shows of a model's `metrics.json`."""

    note: str
    n_clips: int
    n_sources: int
    figures: dict[str, _Figure] = {}
    titles: dict[str, str] = {}
    systems: dict[str, dict[str, float | None]]
    groups: dict[str, _Group] = {}
    clips: list[_Clip]
    training: _Training

    @property
    def tables(self) -> list[Table]:
        """One of each group of clips; of all where there are no groups."""
        if not self.groups:
            return [self._table("", self.systems)]
        return [
            self._table(f"{name.capitalize()}, {counted(group.n_clips, 'clip')}", group.systems)
            for name, group in self.groups.items()
        ]

    @property
    def training_summary(self) -> str:
        """On what, how long and how large."""
        facts = self.training
        return (
            f"{counted(facts.n_train, 'clip')} of {counted(facts.n_train_sources, 'source')}: "
            f"{counted(facts.steps, 'step')} in {facts.seconds:,.0f} s, "
            f"{facts.parameters / 1e6:.1f} M parameters"
        )

    @property
    def of_model(self) -> dict[str, dict[str, Any]]:
        """What was measured of the model's answers, by clip."""
        return {clip.clip_id: clip.systems[MODEL] for clip in self.clips if MODEL in clip.systems}

    def _table(self, title: str, systems: dict[str, dict[str, float | None]]) -> Table:
        known = {
            figure for of in systems.values() for figure, value in of.items() if value is not None
        }
        rows = [
            TableRow(
                name=self.titles.get(name) or name.replace("_", " "),
                cells=[
                    Cell(title=self._title(figure), value=number(value))
                    for figure, value in values.items()
                    if figure in known
                ],
                is_ours=name == MODEL,
            )
            for name, values in systems.items()
        ]
        return Table(title=title, rows=rows)

    def _title(self, figure: str) -> str:
        known = self.figures.get(figure)
        return known.title if known else figure.replace("_", " ")


def read_metrics(bucket: Bucket, key: str) -> Metrics | None:
    """Read a model's figures; None if it has none.

    Raises:
        ModelError: if the object is something else.
    """
    try:
        return Metrics.model_validate_json(bucket.read(key))
    except ObjectNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"{key}: not the figures of a model ({'.'.join(map(str, first['loc']))}: "
            f"{first['msg']}): delete the model and train it again"
        ) from error


def figure_cell(title: str, value: Mapping[str, float | None] | None) -> Cell:
    """A figure with its interval, such as `0.950` and `(0.93–0.97)`, or `(-4.18 to 2.06)`."""
    if value is None:
        return Cell(title=title, value=number(None), is_missing=True)
    lies = interval(value["low"], value["high"])
    return Cell(title=title, value=number(value["value"]), interval=lies)


def pair_of(names: str, test: Mapping[str, float]) -> Pair:
    """A paired test, as it is shown.

    Args:
        names: of the two systems.
        test: as `evaluation.json` says it.
    """
    p = test["p"]
    return Pair(
        names=names,
        first_only=int(test["first_only"]),
        second_only=int(test["second_only"]),
        p=f"< {_SMALLEST_CHANCE:.4f}" if p < _SMALLEST_CHANCE else f"{p:.4f}",
        is_sure=p < 0.05,
    )
