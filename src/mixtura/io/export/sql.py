"""Scoring as one SELECT over a table of a database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version

from mixtura.exceptions import ParameterError
from mixtura.expressions.dialects import Dialect, get_dialect
from mixtura.expressions.sql_names import check_names, table_name
from mixtura.expressions.sql_text import step_text
from mixtura.io.export.scorer import Scorer
from mixtura.io.export.sql_steps import ScoringSteps, result_names

__all__ = ["scoring_sql"]

_JINJA = re.compile(r"\s*\{\{.*\}\}\s*", re.DOTALL)
_SOURCE = "\0"
"""Stands for the table until the rest is written; no name holds it."""


def scoring_sql(
    scorer: Scorer,
    dialect: str,
    *,
    table: str | Sequence[str],
    id_columns: Sequence[str] = (),
    max_missing: int | None = None,
) -> str:
    """Return a SELECT that assigns the rows of a table as the library does.

    The columns of its result are those of the tables that mixtura writes. Rows that lack too many values, and rows with
    a value beyond 1e100, have NULL in all of them.

    Parameters
    ----------
    scorer : Scorer
    dialect : str
        One of `DIALECTS`.
    table : str or sequence of str
        Its name; parts such as a schema are separated by dots, a part with a dot in it stands in double quotes. A
        sequence has the parts as they are. ``{{ ... }}`` stays as it is, for dbt.
    id_columns : sequence of str, default=()
        Columns handed on to the result.
    max_missing : int or None, default=None
        How many values a row may lack; 0 for none. By default all but one of up to six columns; of more, as many as can
        be missing in 64 ways. Fewer where that needs more than 20,000 products, or more room than a statement of this
        dialect has.

    Raises
    ------
    ParameterError
        There is no such dialect or table, a name is too long for it or cannot be written, or the statement is too
        long or too wide.
    """
    wanted = get_dialect(dialect)
    source = _source(table, wanted)
    discrete = [part.column for part in scorer.discrete]
    check_names((*scorer.columns, *discrete, *_aliases(scorer, id_columns).values()), wanted)
    most = scorer.allowed_missing(max_missing)
    least = 0 if max_missing is None else most
    for number in range(most, least - 1, -1):
        text = _statement(scorer, wanted, source, id_columns, number)
        if wanted.longest_statement is None or len(text.encode()) <= wanted.longest_statement:
            return text
    raise ParameterError(
        f"A statement of {wanted.name} must have at most {wanted.longest_statement:,} bytes; that of this model has "
        f"{len(text.encode()):,}. Try {'`max_missing=0`, or ' if most else ''}a model of fewer segments or columns, or "
        "of the covariance type diag."
    )


def _statement(
    scorer: Scorer, dialect: Dialect, source: str, id_columns: Sequence[str], max_missing: int
) -> str:
    steps = ScoringSteps(scorer, _aliases(scorer, id_columns), max_missing).all()
    widest = max(len(step.columns) for step in steps)
    if dialect.most_columns is not None and widest > dialect.most_columns:
        raise ParameterError(
            f"A SELECT of {dialect.name} must have at most {dialect.most_columns:,} columns; that of this model has "
            f"{widest:,}. Try a model of fewer segments or columns."
        )
    prefix = "scored_" if "mixtura_" in source.lower() else "mixtura_"
    parts, read = [], _SOURCE
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        text = step_text(step, read, dialect, first=not number, last=last)
        read = f"{prefix}{number + 1}"
        parts.append(text if last else f"{read} {dialect.inlined} (\n{text}\n)")
    text = f"{_comment(scorer, dialect, max_missing)}WITH {', '.join(parts[:-1])}\n{parts[-1]}\n"
    if _JINJA.fullmatch(source):
        text = text.replace("{", "{{ '{' }}")
    return text.replace(_SOURCE, source)


def _aliases(scorer: Scorer, id_columns: Sequence[str]) -> dict[str, str]:
    """Return what handed-on columns are called in the result, where no other column is called so."""
    taken, aliases = {name.lower() for name in result_names(scorer)}, {}
    for name in id_columns:
        alias = name
        while alias.lower() in taken:
            alias = f"{alias}_id"
        aliases[name] = alias
        taken.add(alias.lower())
    return aliases


def _comment(scorer: Scorer, dialect: Dialect, max_missing: int) -> str:
    n_columns = scorer.n_values
    lacking = "any value" if not max_missing else f"more than {max_missing} of {n_columns} values"
    lines = [
        f"Segments of a Gaussian mixture, for {dialect.name}; written by mixtura {version('mixtura')}.",
        "Rows without a value in any column have NULL in all columns of the result."
        if max_missing == n_columns - 1 > 0
        else f"Rows that lack {lacking} have NULL in all columns of the result.",
    ]
    if dialect.before:
        lines.append(f"Run before it, in the same session: {dialect.before};")
    if not dialect.tested:
        lines.append("This dialect was checked by a parser only.")
    return "".join(f"-- {line}\n" for line in lines)


def _source(table: str | Sequence[str], dialect: Dialect) -> str:
    """Return a table as SQL."""
    if isinstance(table, str) and _JINJA.fullmatch(table):
        return table.strip()
    return table_name(table, dialect)
