"""Reading catalogs that tests hold as text."""

import tempfile
from pathlib import Path

from s2s.catalog import Catalog, FormatOptions, RowProblem, choose_format, read_rows

ANY = FormatOptions()


def read_catalog(data: bytes, options: FormatOptions = ANY, name: str = "x.csv") -> Catalog:
    """All rows of a catalog, its format found as collection finds it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog"
        path.write_bytes(data)
        return read_file(path, options, name)


def read_file(path: Path, options: FormatOptions = ANY, name: str = "x.csv") -> Catalog:
    """All rows of a file."""
    rows = list(read_rows(path, choose_format(path, name, options)))
    return Catalog(
        [row for row in rows if not isinstance(row, RowProblem)],
        [row for row in rows if isinstance(row, RowProblem)],
    )
