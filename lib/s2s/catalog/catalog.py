"""Reading a catalog: every row becomes a clip or a problem with its line number."""

from dataclasses import dataclass, field
from itertools import islice

from s2s.catalog.vggsound import read_rows
from s2s.errors import CatalogError
from s2s.records import ClipRecord

__all__ = ["Catalog", "RowProblem", "read_catalog"]


@dataclass(frozen=True)
class RowProblem:
    """A row that is no clip.

    Attributes:
        line: its line in the file, from 1.
        message: what is wrong with it.
    """

    line: int
    message: str

    @property
    def name(self) -> str:
        """What the row is called where a clip has its clip id."""
        return f"line-{self.line}"


@dataclass(frozen=True)
class Catalog:
    """What a catalog lists.

    Attributes:
        clips: its clips, in its order, each clip id once.
        problems: rows that are no clip.
    """

    clips: list[ClipRecord] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


def read_catalog(data: bytes, name: str, duration_s: float, limit: int | None = None) -> Catalog:
    """Read a catalog in VGGSound's format.

    A format is a module with one function, `read_rows`: from the file's lines to line numbers,
    each with a clip or with what is wrong. Another format is another such module.

    Args:
        data: the file's content.
        name: its path or key, for messages.
        duration_s: length of a clip where the format gives only its start.
        limit: at most so many rows, from the top; None for all.

    Raises:
        CatalogError: if no row can be used.
    """
    catalog = Catalog()
    line_of: dict[str, int] = {}
    rows = read_rows(data.removeprefix(b"\xef\xbb\xbf").splitlines(), duration_s)
    for line, row in islice(rows, limit):
        if isinstance(row, str):
            catalog.problems.append(RowProblem(line, row))
        elif (first := line_of.setdefault(row.clip_id, line)) != line:
            catalog.problems.append(RowProblem(line, f"duplicate of line {first}: {row.clip_id}"))
        else:
            catalog.clips.append(row)
    if not catalog.clips:
        raise CatalogError(_nothing_in(name, catalog.problems))
    return catalog


def _nothing_in(name: str, problems: list[RowProblem]) -> str:
    if not problems:
        return (
            f"catalog {name} is empty: it needs a row 'id,start in seconds,label[,split]' for "
            "each clip. Was its download cut short? Fetch it again"
        )
    first = problems[0]
    return (
        f"catalog {name}: none of its {len(problems)} rows can be used. "
        f"Line {first.line}: {first.message}. "
        "VGGSound's format is expected: id,start in seconds,label[,split], without a header"
    )
