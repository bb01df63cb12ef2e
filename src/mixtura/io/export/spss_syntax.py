"""Scoring as syntax of SPSS: transformations that add a person's segment to the data that are open."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

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
from mixtura.io.export.scorer import DiscretePart, Scorer
from mixtura.io.export.sql_steps import ScoringSteps, result_names
from mixtura.io.survey.survey_writer import allowed_names

__all__ = ["scoring_spss"]

_FUNCTIONS = {"ln": "LN", "exp": "EXP", "floor": "TRUNC"}
_LARGEST = 1e300
_BEGINNINGS = "*+-"
"""Signs with which a line begins a comment or a statement."""
_WIDTH = 110
"""Characters of a line: SPSS reads 256."""


def scoring_spss(scorer: Scorer, *, max_missing: int = 1) -> str:
    """Return syntax that computes segment, certainty, probabilities, log density and anomaly of every case.

    Variables are called as the columns are, or as `write_table` calls them in an SPSS file. Values that are declared
    missing are missing.

    Parameters
    ----------
    scorer : Scorer
    max_missing : int, default=1
        How many answers may be missing; where more are, the results are system-missing.

    Raises
    ------
    ParameterError
        Too many columns have point masses.
    """
    most = scorer.allowed_missing(max_missing)
    steps = ScoringSteps(scorer, {}, most).all()
    discrete = [part.column for part in scorer.discrete]
    variables = allowed_names(list(dict.fromkeys([*scorer.columns, *discrete])), ".sav")
    writer = _Writer(variables, {part.column for part in scorer.discrete if _is_text(part)})
    lines = [
        f"* Written by mixtura {version('mixtura')}.",
        f"* Assigns cases to {scorer.n_segments} segments from {', '.join(variables.values())}.",
    ]
    for number, step in enumerate(steps[:-1]):
        for name, value in step.columns.items():
            if value != Name(name):
                lines += writer.compute(f"#{name}", value, first=number == 0)
    for name in result_names(scorer):
        if name != "segment_name":
            lines += writer.compute(name, steps[-1].columns[name], first=False)
    lines += _labels(scorer)
    return "\n".join(wrapped for line in lines for wrapped in _wrapped(line)) + "\n"


def _labels(scorer: Scorer) -> Iterator[str]:
    if scorer.names is not None:
        named = " ".join(
            f"{number} {_quoted(name[:120])}" for number, name in enumerate(scorer.names, scorer.first)
        )
        yield f"VALUE LABELS segment {named}."
    yield "VALUE LABELS anomaly 0 'no' 1 'anomaly'."
    yield "VARIABLE LEVEL segment anomaly (NOMINAL)."
    yield "FORMATS segment anomaly (F4.0)."
    yield "EXECUTE."


class _Writer:
    """Writes expressions as statements: SPSS has no value that depends on a condition, so each case gets a variable.

    ``IF (condition) x = value.`` leaves x where the condition does not hold, or is missing; so branches are written
    from the last to the first, and the first that holds remains.
    """

    def __init__(self, variables: dict[str, str], texts: set[str]) -> None:
        self._variables, self._texts, self._number = variables, texts, 0

    def compute(self, target: str, value: Expression, *, first: bool) -> list[str]:
        """Return statements that give a variable a value."""
        before: list[str] = []
        text = self._text(value, before, first=first)
        return [*before, f"COMPUTE {target} = {text}."]

    def _text(self, value: Expression, before: list[str], *, first: bool) -> str:
        def text(one: Expression) -> str:
            return self._text(one, before, first=first)

        match value:
            case Name(name):
                return self._variables[name] if first else f"#{name}"
            case Call("double", argument):
                return text(argument)
            case Call(function, argument):
                return f"{_FUNCTIONS[function]}({text(argument)})"
            case Binary("=", Call("text", Name(name)), Call("text", _)):
                variable = self._variables[name]
                return f"({variable} NE '')" if name in self._texts else f"(NOT MISSING({variable}))"
            case Binary("%", left, right):
                return f"MOD({text(left)}, {text(right)})"
            case Binary(operator, left, right):
                return f"({text(left)} {operator.upper()} {text(right)})"
            case Case():
                return self._case(value, before, first=first)
        return _literal(value)

    def _case(self, value: Case, before: list[str], *, first: bool) -> str:
        self._number += 1
        target = f"#case{self._number}"
        otherwise = "$SYSMIS" if value.otherwise is None else self._text(value.otherwise, before, first=first)
        lines = [f"COMPUTE {target} = {otherwise}."]
        for test, found in reversed(value.branches):
            condition = self._condition(value.subject, test, before, first=first)
            line = f"IF {condition} {target} = {self._text(found, before, first=first)}."
            if condition and line != lines[-1]:
                lines.append(line)
        before += lines
        return target

    def _condition(
        self, subject: Expression | None, test: Expression, before: list[str], *, first: bool
    ) -> str:
        """Return a condition; empty for a text that a variable of numbers cannot have."""
        if subject is None:
            return self._text(test, before, first=first)
        if isinstance(subject, Call) and isinstance(subject.argument, Name) and isinstance(test, Text):
            variable = self._variables[subject.argument.name]
            is_text = subject.argument.name in self._texts
            found = _quoted(test.value) if is_text else _number_of(test.value)
            return f"({variable} = {found})" if found else ""
        return f"({self._text(subject, before, first=first)} = {self._text(test, before, first=first)})"


def _is_text(part: DiscretePart) -> bool:
    """Return whether the levels of a column are words, so that its variable is one of text."""
    return part.kind == "category" and not all(_number_of(level) for level in part.levels)


def _number_of(text: str) -> str:
    """Return a code as a number of SPSS; empty where it is none."""
    try:
        return repr(float(text))
    except ValueError:
        return ""


def _literal(value: Expression) -> str:
    match value:
        case Number(number):
            # The most negative double is what SPSS holds for a system-missing value.
            bounded = max(-_LARGEST, min(_LARGEST, float(number)))
            return f"({bounded!r})" if bounded < 0 else repr(bounded)
        case Integer(whole):
            return f"({whole})" if whole < 0 else str(whole)
        case Truth(holds):
            return "1" if holds else "0"
    raise ParameterError(f"SPSS syntax is written for columns of numbers; got the text {value!r}.")


def _quoted(text: str) -> str:
    return "'" + " ".join(text.replace("'", "''").split()) + "'"


def _wrapped(line: str) -> Iterator[str]:
    """Yield a statement in lines; those after the first are indented, so that no line begins a statement.

    Lines break at spaces outside of quotes alone, and none begins with a sign that would make it a comment.
    """
    indent = ""
    while len(line) > _WIDTH:
        cuts = [
            i
            for i in range(len(indent) + 1, _WIDTH)
            if line[i] == " " and line[:i].count("'") % 2 == 0 and line[i + 1] not in _BEGINNINGS
        ]
        if not cuts:
            break
        yield line[: cuts[-1]]
        indent = "  "
        line = indent + line[cuts[-1] + 1 :]
    yield line
