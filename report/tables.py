"""Records as a table: rows to iterate over, a table in a notebook, and a DataFrame where pandas is installed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from typing import Any, Generic, TypeVar, overload

from sigmaloop.errors import BadInput
from sigmaloop.records import Record
from sigmaloop.report.markup import el
from sigmaloop.report.words import cut

R = TypeVar("R", bound=Record)
MOST_ROWS = 200
"""Rows that a notebook shows."""


class Table(Sequence[R], Generic[R]):
    """Rows of one kind, in order."""

    def __init__(self, rows: Sequence[R], *, leave_out: Collection[str] = ()) -> None:
        """`leave_out`: fields that are too long to be shown; a DataFrame has them all."""
        self._rows = tuple(rows)
        self._leave_out = frozenset(leave_out)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[R]: ...
    def __getitem__(self, place: int | slice) -> R | Sequence[R]:
        return self._rows[place]

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows)

    def to_frame(self) -> Any:
        """A pandas DataFrame, one line a row; a record inside a row becomes columns such as `effect.difference`.

        Raises BadInput where pandas is not installed.
        """
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise BadInput("a DataFrame needs pandas: pip install pandas; the rows themselves need nothing") from None
        return pandas.DataFrame([_flat(row.model_dump(mode="json")) for row in self._rows])

    def _repr_html_(self) -> str:
        if not self._rows:
            return el("p", "no rows yet")
        names = [name for name in type(self._rows[0]).model_fields if name not in self._leave_out]
        head = el("tr", *(el("th", name, scope="col") for name in names))
        rows = [el("tr", *(el("td", _cell(getattr(row, name))) for name in names)) for row in self._rows[:MOST_ROWS]]
        more = len(self._rows) - MOST_ROWS
        note = el("caption", f"the first {MOST_ROWS} of {len(self._rows)}") if more > 0 else None
        return el("table", note, el("thead", head), el("tbody", *rows))

    def __repr__(self) -> str:
        return f"Table of {len(self._rows)} rows"


def _flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return flat


def _cell(value: object) -> str:
    if isinstance(value, Record):
        return ", ".join(f"{name} {_cell(found)}" for name, found in value if found is not None)
    return f"{value:.4g}" if isinstance(value, float) else cut(str("" if value is None else value), 120)
