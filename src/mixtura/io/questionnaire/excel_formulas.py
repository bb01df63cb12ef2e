"""Scoring as formulas of a spreadsheet: a row per person, whose answers stand in cells.

A missing number is ``#N/A``, which goes through arithmetic as NULL does; a condition that cannot be decided does not
hold. Functions are those of Excel 2007, which LibreOffice and Google Sheets have too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mixtura.exceptions import ParameterError
from mixtura.expressions.expression import (
    Binary,
    Call,
    Case,
    Expression,
    Integer,
    Name,
    Number,
    Text,
    Truth,
)
from mixtura.io.export.scorer import Scorer
from mixtura.io.export.sql_steps import ScoringSteps, result_names

__all__ = ["FormulaColumn", "column_letters", "scoring_formulas"]

_LONGEST = 8_000
"""Characters of a formula: Excel reads 8,192."""
_DEEPEST = 60
"""Conditions within each other: Excel reads 64."""

Cell = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class FormulaColumn:
    """A column of formulas, one per person.

    Parameters
    ----------
    name : str
    formula : callable
        From the number of a row of the sheet, from 1, to the formula, without an equals sign.
    """

    name: str
    formula: Callable[[int], str]


def column_letters(number: int) -> str:
    """Return what a spreadsheet calls a column, from 0.

    Examples
    --------
    >>> from mixtura.io.questionnaire.excel_formulas import column_letters
    >>> column_letters(0), column_letters(25), column_letters(26)
    ('A', 'Z', 'AA')
    """
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def scoring_formulas(
    scorer: Scorer, answer: Callable[[str, int], str], *, max_missing: int = 1
) -> tuple[list[FormulaColumn], list[FormulaColumn]]:
    """Return the columns of a sheet of steps, from A on, and those of the results, which refer to its cells.

    Parameters
    ----------
    scorer : Scorer
    answer : callable
        From the name of a column of the table and the number of a row to the reference of the cell with the answer.
    max_missing : int, default=1
        How many answers may be missing; where more are, results are ``#N/A``.

    Returns
    -------
    steps, results : list of FormulaColumn
        Results refer to a sheet called Steps.

    Raises
    ------
    ParameterError
        A formula would be longer, or deeper, than Excel reads.
    """
    steps = ScoringSteps(scorer, {}, scorer.allowed_missing(max_missing)).all()
    places: dict[str, int] = {}
    columns: list[FormulaColumn] = []
    for number, step in enumerate(steps[:-1]):
        for name, value in step.columns.items():
            if value == Name(name):
                continue
            known = dict(places)
            columns.append(FormulaColumn(name, _formula(value, answer if number == 0 else _own(known))))
            places[name] = len(columns) - 1
    results = [
        FormulaColumn(name, _formula(steps[-1].columns[name], _own(places, "Steps!")))
        for name in result_names(scorer)
    ]
    for column in (*columns, *results):
        _check(column)
    return columns, results


def _own(places: dict[str, int], sheet: str = "") -> Callable[[str, int], str]:
    return lambda name, row: f"{sheet}{column_letters(places[name])}{row}"


def _formula(value: Expression, cell: Callable[[str, int], str]) -> Callable[[int], str]:
    return lambda row: _text(value, lambda name: cell(name, row))


def _check(column: FormulaColumn) -> None:
    text = column.formula(1_000)
    if len(text) > _LONGEST or text.count("IF(IFERROR(") > 2 * _DEEPEST:
        raise ParameterError(
            f"A formula of a spreadsheet must have at most {_LONGEST:,} characters; that of {column.name!r} would have "
            f"{len(text):,}. Ask fewer questions, or score with SQL, JavaScript or SPSS."
        )


def _text(value: Expression, cell: Cell) -> str:
    def text(one: Expression) -> str:
        return _text(one, cell)

    match value:
        case Name(name):
            return cell(name)
        case Call("double", argument):
            return f"IF(ISNUMBER({text(argument)}),{text(argument)},NA())"
        case Call("text", argument):
            return f'IF(ISBLANK({text(argument)}),NA(),{text(argument)}&"")'
        case Call(function, argument):
            return f"{'INT' if function == 'floor' else function.upper()}({text(argument)})"
        case Binary("%" | "and" as operator, left, right):
            return f"{'MOD' if operator == '%' else 'AND'}({text(left)},{text(right)})"
        case Binary(operator, left, right):
            return f"({text(left)}{operator}{text(right)})"
        case Case():
            return _case(value, cell)
    return _literal(value)


def _case(value: Case, cell: Cell) -> str:
    found = "NA()" if value.otherwise is None else _text(value.otherwise, cell)
    keys = [test.value for test, _ in value.branches if isinstance(test, Integer | Number)]
    if value.subject is not None and _are_steps(keys) and len(keys) == len(value.branches) > 2:
        subject = _text(value.subject, cell)
        listed = ",".join(_text(one, cell) for _, one in value.branches)
        first, last = int(keys[0]), int(keys[-1])
        inside = f"IFERROR(AND({subject}>={first},{subject}<={last}),FALSE)"
        return f"IF({inside},CHOOSE({subject}-({first})+1,{listed}),{found})"
    for test, one in reversed(value.branches):
        found = f"IF(IFERROR({_condition(value.subject, test, cell)},FALSE),{_text(one, cell)},{found})"
    return found


def _are_steps(keys: Sequence[float]) -> bool:
    return bool(keys) and [key - keys[0] for key in keys] == list(range(len(keys)))


def _condition(subject: Expression | None, test: Expression, cell: Cell) -> str:
    if subject is None:
        return _text(test, cell)
    if isinstance(test, Text):
        return f"EXACT({_text(subject, cell)},{_text(test, cell)})"
    return f"{_text(subject, cell)}={_text(test, cell)}"


def _literal(value: Expression) -> str:
    match value:
        case Number(number):
            shown = repr(float(number)).replace("e", "E")
            return f"({shown})" if number < 0 else shown
        case Integer(whole):
            return f"({whole})" if whole < 0 else str(whole)
        case Text(words):
            return '"' + words.replace('"', '""') + '"'
        case Truth(holds):
            return "TRUE" if holds else "FALSE"
    raise TypeError(f"not an expression: {value!r}")
