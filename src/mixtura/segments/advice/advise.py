"""Advice on a table: does a Gaussian mixture suit, and why."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError
from mixtura.io import to_float64
from mixtura.segments.advice.analyze import FEWEST_ROWS, SAMPLE, analyze, draw_sample
from mixtura.segments.advice.findings.capacity import capacities, capacity_findings
from mixtura.segments.advice.findings.column_findings import (
    ColumnStatistics,
    column_findings,
    column_statistics,
)
from mixtura.segments.advice.findings.finding import Advice, Finding, Recommendation
from mixtura.segments.advice.findings.structure_findings import evidence_of, structure_findings
from mixtura.segments.advice.findings.table_findings import (
    correlation_findings,
    duplicate_findings,
    missing_findings,
)
from mixtura.segments.advice.recommend import decide, too_few
from mixtura.segments.options import COVARIANCE_TYPES, Settings
from mixtura.segments.table.prepare import Prepared, prepare
from mixtura.segments.table.roles import Roles

__all__ = ["advise"]


def advise(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    id_column: str | None = None,
    random_state: int = 0,
    source: str = "TABLE",
) -> Advice:
    """Say whether a Gaussian mixture suits a table, and why.

    Columns are chosen as `segment_table` does; rows with missing or infinite values are left out, and told about.
    Single columns are looked at in all rows, everything else in a random sample of at most 2,000.

    Parameters
    ----------
    frame, columns, id_column, random_state
        As for `segment_table`: one row per customer, N rows; columns and id are found where None is given.
    source : str, default="TABLE"
        The name of the table in the commands that are suggested.

    Returns
    -------
    Advice

    Raises
    ------
    ParameterError
        The seed is not from 0 to 2**32 - 1.
    ColumnError, TableError
        A column is missing or not numeric, or none is left.
    TooFewRowsError, DataError
        The rows cannot be used.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import advise
    >>> advice = advise(make_customers(as_frame="polars"))
    >>> advice.method, advice.verdict.title, advice.evidence["n_components"]
    ('gmm', 'A Gaussian mixture suits', 3)
    """
    started = time.perf_counter()
    _check_seed(random_state)
    settings = Settings(None, COVARIANCE_TYPES, "bic", 1, random_state)
    prepared = prepare(frame, Roles(columns, id_column), settings, drop_missing=True)
    rng, n_rows = np.random.default_rng(random_state), len(prepared.rows)
    command = f"mixtura segment {shlex.quote(source)}"
    facts = _facts(prepared)
    findings = _findings(prepared, _values(frame, prepared), facts, command)
    seen, verdict = None, too_few(n_rows)
    if n_rows >= FEWEST_ROWS:
        seen = analyze(draw_sample(prepared.rows, facts, rng), random_state, rng)
        full_command = _full_command(command, columns, prepared, logged=bool(seen.sample.logged))
        verdict = decide(seen, len(facts), full_command)
        findings += structure_findings(seen)
    findings.sort(key=lambda finding: finding.rank)
    return Advice(
        verdict=_prepared_first(verdict, findings),
        findings=tuple(findings),
        capacity=capacities(n_rows, len(facts)),
        evidence={} if seen is None else evidence_of(seen),
        columns=prepared.choice,
        logged=() if seen is None else seen.sample.logged,
        n_rows=n_rows,
        n_dropped=int((~prepared.complete).sum()),
        n_sampled=0 if seen is None else min(n_rows, SAMPLE),
        seed=random_state,
        seconds=time.perf_counter() - started,
    )


def _check_seed(random_state: int) -> None:
    if not 0 <= random_state < 2**32:
        raise ParameterError(
            f"random_state={random_state!r} was given as the seed; it must be from 0 to 2**32 - 1. Try 0."
        )


def _facts(prepared: Prepared) -> list[ColumnStatistics]:
    columns = zip(prepared.choice.used, prepared.rows.T, strict=True)
    return [column_statistics(name, values) for name, values in columns]


def _findings(
    prepared: Prepared, values: FloatArray, facts: Sequence[ColumnStatistics], command: str
) -> list[Finding]:
    """Return what is to be said of the table, before anything is fitted."""
    used, n_rows = prepared.choice.used, len(prepared.rows)
    scaled = prepared.scaling.apply(prepared.rows)
    return [
        *capacity_findings(n_rows, used, capacities(n_rows, len(used)), command),
        *missing_findings(values, used, command),
        *column_findings(facts, prepared.choice, n_rows, command),
        *duplicate_findings(scaled),
        *correlation_findings(scaled, used, command),
    ]


def _values(frame: Any, prepared: Prepared) -> FloatArray:
    """Return the columns in use with their blanks, shape (N, D)."""
    if prepared.complete.all():
        return prepared.rows
    table: nw.DataFrame[Any] = nw.from_native(frame, eager_only=True)
    return np.column_stack([to_float64(table[name]) for name in prepared.choice.used])


def _full_command(command: str, columns: Sequence[str] | None, prepared: Prepared, *, logged: bool) -> str:
    """Return the command that segments what was looked at."""
    if columns is not None:
        quoted = [f'"{name}"' if "," in name else name for name in columns]
        command += f" --columns {shlex.quote(','.join(quoted))}"
    if not prepared.complete.all():
        command += " --drop-missing"
    return command + (" --transform auto" if logged else "")


_FIRST = ("repeated columns", "dependent columns", "spikes", "skew", "repeated rows", "missing values")


def _prepared_first(verdict: Recommendation, findings: Sequence[Finding]) -> Recommendation:
    """Put what is to be done about the table before what is to be done with it."""
    serious = {finding.topic: finding for finding in findings if finding.rank == 0}
    first = []
    for topic in _FIRST:
        if topic in serious:
            one = serious[topic]
            names = (
                f" ({', '.join(one.columns[:4])}{', ...' if len(one.columns) > 4 else ''})"
                if one.columns
                else ""
            )
            first.append(f"First, {topic}{names}: {one.action[0].lower()}{one.action[1:]}")
    title = (
        f"{verdict.title}, once the table is prepared"
        if first and verdict.method not in {"none", "pca"}
        else verdict.title
    )
    return Recommendation(verdict.method, title, verdict.reasons, (*first, *verdict.steps), verdict.command)
