"""Expressions written as SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mixtura.expressions.dialects import Dialect
from mixtura.expressions.expression import (
    Binary,
    Call,
    Case,
    Expression,
    Greatest,
    Integer,
    Name,
    Number,
    Text,
    Truth,
)

__all__ = ["Step", "expression_text", "step_text"]


@dataclass(frozen=True, slots=True)
class Step:
    """One SELECT: what it computes from the step before.

    Parameters
    ----------
    columns : dict of str to Expression
        By the name that each gets.
    fenced : bool, default=True
        Whether what it computes is mentioned so often that it must be computed once.
    """

    columns: dict[str, Expression] = field(default_factory=dict)
    fenced: bool = True


def step_text(step: Step, source: str, dialect: Dialect, *, first: bool, last: bool) -> str:
    """Return a step as a SELECT.

    Names of the user's are quoted: those of the columns that the first step reads, and of those that the last one
    returns. There columns are qualified as well, since in some engines an alias hides a column.

    Parameters
    ----------
    step : Step
    source : str
        The table or the step that it reads, as SQL.
    dialect : Dialect
    first, last : bool
        Whether it is the first or the last.
    """

    def own(name: str) -> str:
        return f"t.{dialect.name_of(name)}" if first else f"t.{name}" if last else name

    listed = ",\n  ".join(
        name
        if name == (text := _text(value, dialect, own))
        else f"{text} AS {dialect.name_of(name) if last else name}"
        for name, value in step.columns.items()
    )
    select = f"SELECT\n  {listed}\nFROM {source}{' t' if first or last else ''}"
    if not step.fenced:
        return select
    if dialect.empty_branch:
        nothing = ", ".join("NULL" for _ in step.columns)
        return f"{select}\nUNION ALL SELECT {nothing} FROM RDB$DATABASE WHERE 1 = 0"
    return f"{select}\n{dialect.fence}" if dialect.fence else select


def expression_text(value: Expression, dialect: Dialect) -> str:
    """Return an expression of columns of a step before as SQL."""
    return _text(value, dialect, str)


def _text(value: Expression, dialect: Dialect, own: Callable[[str], str]) -> str:
    def text(one: Expression) -> str:
        return _text(one, dialect, own)

    match value:
        case Name(name):
            return own(name)
        case Call("double", argument):
            return dialect.number_or_null.format(dialect.double.format(text(argument)))
        case Call("text", argument):
            return dialect.text.format(text(argument))
        case Call(function, argument):
            return f"{function.upper()}({text(argument)})"
        case Binary("%", left, right):
            return dialect.modulo.format(text(left), text(right))
        case Binary(operator, left, right):
            return f"({text(left)} {operator.upper()} {text(right)})"
        case Greatest(parts):
            return f"GREATEST({', '.join(map(text, parts))})" if len(parts) > 1 else text(parts[0])
        case Case(branches, otherwise, subject):
            start = "CASE" if subject is None else f"CASE {text(subject)}"
            listed = " ".join(f"WHEN {text(test)} THEN {text(found)}" for test, found in branches)
            last = "" if otherwise is None else f" ELSE {text(otherwise)}"
            return f"{start} {listed}{last} END"
    return _literal(value, dialect)


def _literal(value: Expression, dialect: Dialect) -> str:
    match value:
        case Number(number):
            return dialect.number(float(number))
        case Integer(whole):
            return str(whole)
        case Text(words):
            return dialect.text_of(words)
        case Truth(holds):
            return str(holds).upper()
    raise TypeError(f"not an expression: {value!r}")
