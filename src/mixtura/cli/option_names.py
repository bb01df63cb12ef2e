"""Python parameters rendered as options of the command line.

Texts of the library name parameters as Python does, in backquotes: "`drop_missing=True` leaves those rows
unassigned". The command line shows the same texts with its own options: "--drop-missing leaves those rows unassigned".
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["OPTIONS", "command_line", "notes_with_options", "with_options"]

OPTIONS = {
    "before": "--before",
    "checkpoint": "--checkpoint",
    "columns": "--columns",
    "contamination": "--contamination",
    "components": "--components",
    "covariance_type": "--covariance-type",
    "covariance_types": "--covariance-type",
    "criterion": "--criterion",
    "dask": "--dask",
    "database": "--database",
    "describe": "--describe",
    "dialect": "--sql",
    "drop_missing": "--drop-missing",
    "every": "--every",
    "fail_on": "--fail-on",
    "fdr": "--fdr",
    "half_life": "--half-life",
    "id_column": "--id",
    "keep": "--keep",
    "in_database": "--in-database",
    "known": "--known",
    "max_components": "--components",
    "max_missing": "--max-missing",
    "max_questions": "--max-questions",
    "merge": "--merge",
    "min_agreement": "--min-agreement",
    "min_expected_value": "--min-expected-value",
    "missing_codes": "--missing-code",
    "min_probability": "--min-probability",
    "anomaly_percentile": "--anomaly-percentile",
    "min_rows": "--min-rows",
    "min_share": "--min-share",
    "n_folds": "--n-folds",
    "n_init": "--n-init",
    "n_questions": "--questions",
    "names": "--names",
    "output": "--output",
    "overwrite": "--overwrite",
    "prior": "--prior",
    "random_state": "--seed",
    "reference": "--reference",
    "resamples": "--resamples",
    "robust": "--robust",
    "segment": "--segment",
    "select_columns": "--select-columns",
    "segments": "--segment",
    "spool_dir": "--spool-dir",
    "sql": "--sql",
    "statistics": "--statistics",
    "table": "--table",
    "top": "--top",
    "time": "--time",
    "threshold": "--threshold",
    "transform": "--transform",
    "kinds": "--kind",
    "value": "--value",
    "weight": "--weight",
}
"""The option of every Python parameter that has one."""

_PARAMETER = re.compile(r"`(\w+)(?:=([^`]+))?`")


def with_options(text: str) -> str:
    """Return a text of the library with options in place of the Python parameters that have one.

    Examples
    --------
    >>> from mixtura.cli.option_names import with_options
    >>> with_options("`components` must be at least 1; got 0. Try `components=[3]` or `drop_missing=True`.")
    '--components must be at least 1; got 0. Try --components 3 or --drop-missing.'
    >>> with_options("Try `components=range(3, 7)`.")
    'Try --components 3-6.'
    """

    def option(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in OPTIONS:
            return found[0]
        return OPTIONS[name] if value in {None, "True"} else f"{OPTIONS[name]} {_unquoted(str(value))}"

    return _PARAMETER.sub(option, text)


def notes_with_options(notes: Iterable[str]) -> tuple[str, ...]:
    """Return notes of the library as the command line shows and writes them."""
    return tuple(map(with_options, notes))


def _unquoted(value: str) -> str:
    """Return a Python value as one types it.

    ``[3, 4]`` is ``3,4``, ``"x"`` is ``x``, ``{"a": [1], "b": "log1p"}`` is ``a=1,b=log1p``, and ``range(3, 7)`` is
    ``3-6``.
    """
    span = re.fullmatch(r"range\((\d+), *(\d+)\)", value)
    if span:
        return f"{span[1]}-{int(span[2]) - 1}"
    if value.startswith("{"):
        said = [
            (name, [one] if isinstance(one, str) else one) for name, one in ast.literal_eval(value).items()
        ]
        return shlex.quote(",".join(_field(f"{name}={one}") for name, listed in said for one in listed))
    return re.sub(r"[\[\]\"' ]", "", value)


def command_line(command: str, table: Sequence[str], arguments: Mapping[str, Any]) -> str:
    """Return the command that does what a function of the library does with these arguments.

    Parameters
    ----------
    command : str
        The name of the command, such as ``"segment"``.
    table : sequence of str
        The words that name the table, as the user gave them.
    arguments : mapping of str to object
        Python parameters of the function; lists are separated by commas, ``True`` is an option without a value.

    Examples
    --------
    >>> from mixtura.cli.option_names import command_line
    >>> print(command_line("segment", ["my table.csv"], {"columns": ["a", "b, net"], "drop_missing": True}))
    mixtura segment 'my table.csv' --columns 'a,"b, net"' --drop-missing
    """
    words = ["mixtura", command, *map(shlex.quote, table)]
    for name, value in arguments.items():
        if value is None or value is False:
            continue
        words.append(OPTIONS[name])
        if value is not True:
            words.append(shlex.quote(_typed(value)))
    return " ".join(words)


def _typed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(_field(f"{name}={kind}") for name, kind in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(_field(str(one)) for one in value)
    return str(value)


def _field(text: str) -> str:
    """Return a list's item, quoted as the options read it where it holds a comma or a quote."""
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(sign in text for sign in ',"\n') else text
