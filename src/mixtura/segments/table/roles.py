"""What each column is for: one builds segments, another describes them, identifies, is a value, or a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ColumnError, DataError

__all__ = ["Roles", "checked_weights"]

Frame = nw.DataFrame[Any]


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles that were asked for; see `choose_columns`."""

    columns: Sequence[str] | None
    id_column: str | None = None
    describe: tuple[str, ...] = ()
    value: str | None = None
    weight: str | None = None

    @property
    def reserved(self) -> dict[str, str]:
        """Columns that do not build segments because of their role, and how it is called."""
        named = dict.fromkeys(self.describe, "describes")
        single = {self.id_column: "the id", self.value: "the value", self.weight: "the weight"}
        named |= {name: role for name, role in single.items() if name is not None}
        # A value may build segments, too, where it is named among the columns.
        return {name: role for name, role in named.items() if name not in (self.columns or ())}

    def check(self, table: Frame) -> None:
        """Raise `ColumnError` where a column is missing, has two roles, or cannot fill its role."""
        asked = self._asked()
        for option, names in asked:
            for name in names:
                _find(table, name, option)
                if names.count(name) > 1:
                    raise ColumnError(
                        f"{option} names {name!r} twice. Each column is used once. Remove one of them.",
                        column=name,
                    )
        self._check_conflicts(asked)
        for name in self.columns or ():
            _check_numeric(table, name, "--columns")
        for option, single in (("--value", self.value), ("--weight", self.weight)):
            if single is not None:
                _check_numeric(table, single, option)

    def _asked(self) -> list[tuple[str, list[str]]]:
        single = (("--id", self.id_column), ("--value", self.value), ("--weight", self.weight))
        several = (("--columns", self.columns or ()), ("--describe", self.describe))
        return [(option, list(names)) for option, names in several] + [
            (option, [name]) for option, name in single if name is not None
        ]

    def _check_conflicts(self, asked: list[tuple[str, list[str]]]) -> None:
        taken: dict[str, str] = {}
        for option, names in asked:
            for name in names:
                first = taken.setdefault(name, option)
                if first != option and (first, option) != ("--columns", "--value"):
                    raise ColumnError(
                        f"The column {name!r} is named by {first} and by {option}. A column has one role; only a value "
                        f"may build segments, too. Take it out of {first} or {option}.",
                        column=name,
                    )


def checked_weights(weights: FloatArray, column: str) -> FloatArray:
    """Return the weights of the complete rows, shape (N,).

    Raises
    ------
    DataError
        One is negative, or all are zero.
    """
    if weights.min() < 0:
        row = int(np.argmax(weights < 0)) + 1
        raise DataError(
            f"The weight {column!r} is {weights[row - 1]:g} in row {row} of the complete rows. Weights must not be "
            "negative. Correct it, or leave out --weight."
        )
    if np.count_nonzero(weights) < 2:
        raise DataError(
            f"The weight {column!r} is zero in all rows but {np.count_nonzero(weights)}. At least two rows must count. "
            "Name another column, or leave out --weight."
        )
    return np.ascontiguousarray(weights)


def _find(table: Frame, name: str, option: str) -> None:
    if name not in table.columns:
        closest = tuple(get_close_matches(name, table.columns, n=3, cutoff=0.5)) or tuple(
            column for column in table.columns if column.lower() == name.lower()
        )
        hint = f"Did you mean {closest[0]!r}?" if closest else "Choose one of them."
        raise ColumnError(
            f"{option} names {name!r}, and the table has no such column. It has: {_listed(table.columns)}. {hint}",
            column=name,
            closest=closest,
        )


def _check_numeric(table: Frame, name: str, option: str) -> None:
    column = table[name]
    if column.null_count() == len(column):
        raise ColumnError(f"The column {name!r} has no values. Leave it out of {option}.", column=name)
    if column.dtype.is_numeric():
        return
    examples = ", ".join(repr(str(value)[:30]) for value in _not_numbers(column)[:3])
    raise ColumnError(
        f"The column {name!r} is not numeric: it holds {examples}. Columns of numbers are required. "
        f"Leave it out of {option}, or clean it.",
        column=name,
    )


def _not_numbers(column: nw.Series[Any]) -> list[Any]:
    def is_number(value: Any) -> bool:
        try:
            float(value)
        except (TypeError, ValueError):
            return False
        return True

    values = column.drop_nulls().unique(maintain_order=True).to_list()
    return [value for value in values if not is_number(value)] or values


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
