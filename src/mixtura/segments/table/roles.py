"""Roles of columns: active ones, descriptive ones, the id, the value, the weight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ColumnError, DataError, ParameterError
from mixtura.segments.table.discrete.kinds import Kinds, kinds_asked
from mixtura.segments.table.open_table import OpenTable, column_name, open_table
from mixtura.segments.table.survey.missing_codes import MissingCodes, codes_asked

__all__ = ["Roles", "checked_weights"]

Frame = nw.DataFrame[Any]


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles that were asked for; see `choose_columns`.

    Labels of dataframes that are not text, or a pandas Index of them, become the names that `open_table` gives.
    """

    columns: Sequence[str] | None
    id_column: str | None = None
    describe: Sequence[str] = ()
    value: str | None = None
    weight: str | None = None
    kinds: Kinds = "continuous"
    keep: Sequence[str] = ()
    missing_codes: MissingCodes = None
    known: str | None = None
    alone: bool = False
    """Whether counts and categories may stand without a continuous column."""
    of_model: bool = False
    """Whether a model says what columns are for, so that none can be left out."""

    def __post_init__(self) -> None:
        for role in ("columns", "describe"):
            labels = getattr(self, role)
            if labels is not None:
                labels = [labels] if np.ndim(labels) == 0 else labels
                object.__setattr__(self, role, tuple(column_name(label) for label in labels))
        for role in ("id_column", "value", "weight", "known"):
            label = getattr(self, role)
            if label is not None:
                object.__setattr__(self, role, column_name(_single(role, label)))

    def open(self, frame: Any) -> OpenTable:
        """Read a dataframe, given what its columns are for."""
        kept = [*self.describe, *self.keep, *(one for one in (self.id_column, self.known) if one is not None)]
        _, said = kinds_asked(self.kinds)
        kept += [name for name, kind in said.items() if kind == "category"]
        columns = [name for name in self.columns or () if name not in kept]
        numbers = [*columns, *(name for name in (self.value, self.weight) if name is not None)]
        return open_table(
            frame,
            keep=kept,
            numbers=numbers,
            only=None if self.columns is None else [*numbers, *kept],
            missing_codes=codes_asked(self.missing_codes),
        )

    @property
    def reserved(self) -> dict[str, str]:
        """Columns that do not build segments because of their role, and how it is called."""
        named = dict.fromkeys(self.describe, "descriptive")
        single = {self.id_column: "the id", self.value: "the value", self.weight: "the weight"}
        single[self.known] = "the known segment"
        named |= {name: role for name, role in single.items() if name is not None}
        # A value may build segments, too, where it is named among the columns.
        return {name: role for name, role in named.items() if name not in (self.columns or ())}

    def may_be_discrete(self, left_out: Iterable[Any]) -> bool:
        """Return whether columns may build segments that no numbers do: categories, by rule or as it was said."""
        if self.columns is not None and not self.columns:  # of a model without numbers
            return bool(self.keep)
        by_rule, said = kinds_asked(self.kinds)
        return self.alone and any(one.name in said or (by_rule and one.is_category) for one in left_out)

    def may_be_category(self, name: str) -> bool:
        """Return whether a column need not have numbers to build segments."""
        by_rule, said = kinds_asked(self.kinds)
        return said.get(name, "category" if by_rule else "continuous") == "category"

    def check(self, table: Frame) -> None:
        """Raise `ColumnError` where a column is missing, has two roles, or cannot fill its role."""
        self.check_names(table.columns)
        for name in self.columns or ():
            if not self.may_be_category(name):
                _check_numeric(table, name, self._remedy("columns"))
        for parameter, single in (("value", self.value), ("weight", self.weight)):
            if single is not None:
                _check_numeric(table, single, self._remedy(parameter))

    def check_names(self, present: Sequence[str]) -> None:
        """Raise `ColumnError` where a column is missing or has two roles; needs the names of a table alone."""
        asked = self._asked()
        for parameter, names in asked:
            for name in names:
                if name not in present:
                    absent = ColumnError.missing(name, present, parameter)
                    if self.of_model and parameter == "columns":
                        rest = str(absent).partition(", and the table has no such column")[2]
                        raise ColumnError(
                            f"The table lacks {name!r}, a column that was learned from{rest}",
                            column=name,
                            closest=absent.closest,
                        )
                    raise absent
                if names.count(name) > 1:
                    raise ColumnError(
                        f"`{parameter}` names {name!r} twice. Each column is used once. Remove one of them.",
                        column=name,
                    )
        self._check_conflicts(asked)

    def _remedy(self, parameter: str) -> str:
        """Return what to do about a column that holds no numbers."""
        return (
            "The model needs numbers in it. Clean it."
            if self.of_model
            else f"Leave it out of `{parameter}`, or clean it."
        )

    def _asked(self) -> list[tuple[str, list[str]]]:
        single = (
            ("id_column", self.id_column),
            ("value", self.value),
            ("weight", self.weight),
            ("known", self.known),
        )
        several = (("columns", self.columns or ()), ("describe", self.describe))
        return [(parameter, list(names)) for parameter, names in several] + [
            (parameter, [name]) for parameter, name in single if name is not None
        ]

    def _check_conflicts(self, asked: list[tuple[str, list[str]]]) -> None:
        taken: dict[str, str] = {}
        for parameter, names in asked:
            for name in names:
                first = taken.setdefault(name, parameter)
                if first != parameter and (first, parameter) != ("columns", "value"):
                    raise ColumnError(
                        f"The column {name!r} is named by `{first}` and by `{parameter}`. A column has one role; only "
                        f"a value may build segments, too. Take it out of `{first}` or `{parameter}`.",
                        column=name,
                    )


def _single(role: str, label: Any) -> Any:
    """Return a label of one column; a tuple is one of several levels."""
    if isinstance(label, tuple) or (np.ndim(label) == 0 and not isinstance(label, nw.Series)):
        return label
    raise ParameterError(
        f"`{role}` must be the name of a column; got {len(label):,} values ({type(label).__name__}). Put them into a "
        "column of the table, and name it."
    )


def checked_weights(weights: FloatArray, column: str, *, of_model: bool = False) -> FloatArray:
    """Return the weights of the complete rows, shape (N,); `of_model` where a model says that they are its weights.

    Raises
    ------
    DataError
        One is negative, or all are zero.
    """
    if weights.min() < 0:
        row = int(np.argmax(weights < 0)) + 1
        remedy = "Correct it." if of_model else "Correct it, or leave out `weight`."
        raise DataError(
            f"The weight {column!r} is {weights[row - 1]:g} in row {row} of the complete rows. Weights must not be "
            f"negative. {remedy}"
        )
    if np.count_nonzero(weights) < 2:
        remedy = "Correct them." if of_model else "Name another column, or leave out `weight`."
        raise DataError(
            f"The weight {column!r} is zero in all rows but {np.count_nonzero(weights)}. At least two rows must count. "
            f"{remedy}"
        )
    return np.ascontiguousarray(weights)


def _check_numeric(table: Frame, name: str, remedy: str) -> None:
    column = table[name]
    if column.null_count() == len(column):
        raise ColumnError(f"The column {name!r} has no values. {remedy}", column=name)
    if column.dtype.is_numeric():
        return
    examples = ", ".join(repr(str(value)[:30]) for value in _not_numbers(column)[:3])
    raise ColumnError(
        f"The column {name!r} is not numeric: it holds {examples}. Columns of numbers are required. {remedy}",
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
