"""Scoring as a function of JavaScript, for questionnaires on the web."""

from __future__ import annotations

import json
from importlib.metadata import version

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

__all__ = ["scoring_javascript"]

_SIGNS = {"=": "===", "and": "&&"}
_FUNCTIONS = {"ln": "Math.log", "exp": "Math.exp", "floor": "Math.floor", "double": "number", "text": "text"}

_START = """\
// Written by mixtura {version}. Assigns a person to one of {n} segments from the answers to {questions}.
//   assignSegment({{{example}}})
// returns segment, segment_name, certainty, probability_1 and so on, log_density and anomaly; a segment is null where
// more than {most} answers are missing.
function assignSegment(answers) {{
  const number = (value) => typeof value === "number" ? value
    : typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
  const text = (value) => value === undefined || value === null || value === "" || Number.isNaN(value)
    ? null : String(value);
"""
_END = """\
}
if (typeof module !== "undefined") { module.exports = { assignSegment }; }
"""


def scoring_javascript(scorer: Scorer, *, max_missing: int = 1) -> str:
    """Return a function ``assignSegment(answers)``, which assigns a person as the library does.

    Parameters
    ----------
    scorer : Scorer
    max_missing : int, default=1
        How many answers may be missing; where more are, the segment is null.
    """
    most = scorer.allowed_missing(max_missing)
    steps = ScoringSteps(scorer, {}, most).all()
    columns = (*scorer.columns, *(part.column for part in scorer.discrete if part.kind != "spike"))
    lines = [
        _START.format(
            version=version("mixtura"),
            n=scorer.n_segments,
            questions=", ".join(json.dumps(name) for name in columns).replace("\n", " "),
            example=", ".join(f"{json.dumps(name)}: 1" for name in columns[:3]).replace("\n", " "),
            most=most,
        )
    ]
    for number, step in enumerate(steps[:-1]):
        for name, value in step.columns.items():
            if value != Name(name):
                lines.append(f"  const {name} = {_text(value, quoted=not number)};\n")
    last = steps[-1].columns
    results = [f"{name}: {_result(name, last[name])}" for name in result_names(scorer)]
    lines.append(f"  return {{ {', '.join(results)} }};\n")
    return "".join([*lines, _END])


def _result(name: str, value: Expression) -> str:
    text = _text(value, quoted=False)
    if name in ("segment_name", "anomaly"):
        return f"Number.isNaN(label) ? null : {text}"
    return f"((found) => Number.isNaN(found) ? null : found)({text})"


def _text(value: Expression, *, quoted: bool) -> str:
    """Return an expression as JavaScript; missing numbers are NaN, of which every comparison is false."""

    def text(one: Expression) -> str:
        return _text(one, quoted=quoted)

    match value:
        case Name(name):
            return f"answers[{json.dumps(name)}]" if quoted else name
        case Call(function, argument):
            return f"{_FUNCTIONS[function]}({text(argument)})"
        case Binary(operator, left, right):
            return f"({text(left)} {_SIGNS.get(operator, operator)} {text(right)})"
        case Case(branches, otherwise, subject):
            found = "NaN" if otherwise is None else text(otherwise)
            for test, branch in reversed(branches):
                condition = text(test) if subject is None else f"{text(subject)} === {text(test)}"
                found = f"({condition} ? {text(branch)} : {found})"
            return found
    return _literal(value)


def _literal(value: Expression) -> str:
    match value:
        case Number(number):
            return repr(float(number)) if number >= 0 else f"({float(number)!r})"
        case Integer(whole):
            return str(whole) if whole >= 0 else f"({whole})"
        case Text(words):
            return json.dumps(words)
        case Truth(holds):
            return str(holds).lower()
    raise TypeError(f"not an expression: {value!r}")
