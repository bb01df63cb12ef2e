"""Advice on a table: does a Gaussian mixture suit, and why."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np

from mixtura._typing import BoolArray, FloatArray
from mixtura.io import to_float64
from mixtura.segments.advice.analyze import FEWEST_ROWS, SAMPLE, analyze, draw_sample
from mixtura.segments.advice.findings.capacity import capacities, capacity_findings
from mixtura.segments.advice.findings.column_findings import (
    ColumnStatistics,
    column_findings,
    column_statistics,
)
from mixtura.segments.advice.findings.finding import Advice, Arguments, Finding, Recommendation
from mixtura.segments.advice.findings.structure_findings import evidence_of, structure_findings
from mixtura.segments.advice.findings.table_findings import (
    correlation_findings,
    duplicate_findings,
    many_columns_findings,
    missing_findings,
    redundant_findings,
)
from mixtura.segments.advice.recommend import decide, too_few
from mixtura.segments.options import COVARIANCE_TYPES, Settings, drawn_seed
from mixtura.segments.table.discrete.cells import texts_of
from mixtura.segments.table.discrete.kinds import Kinds
from mixtura.segments.table.prepare import Prepared, prepare
from mixtura.segments.table.roles import Roles

__all__ = ["advise"]


def advise(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    id_column: str | None = None,
    kinds: Kinds = "auto",
    random_state: int | None = 0,
) -> Advice:
    """Say whether a Gaussian mixture suits a table, and why.

    Columns are chosen, and taken for what they are, as in `segment_table`; what is measured is measured on rows without
    missing values. Single columns are examined in all rows, everything else in a random sample of at most 2,000. Tests
    and fits see the continuous columns alone: counts and categories have distributions of their own, for which nothing
    is Gaussian.

    Parameters
    ----------
    frame, columns, id_column, kinds, random_state
        As for `segment_table`: one row per customer, N rows; columns and id are found where None is given.

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
    random_state = drawn_seed(random_state)
    settings = Settings(None, COVARIANCE_TYPES, "bic", 1, random_state)
    roles = Roles(columns, id_column, kinds=kinds)
    prepared = prepare(frame, roles, settings, drop_missing=True)
    rng, n_rows = np.random.default_rng(random_state), len(prepared.rows)
    needed = _needed(roles.columns, id_column, kinds, prepared.choice.codebook.weight)
    facts = _facts(prepared)
    findings = _findings(prepared, _values(prepared), facts, needed)
    seen, verdict = None, too_few(n_rows)
    if n_rows >= FEWEST_ROWS:
        seen = analyze(draw_sample(prepared.rows, facts, rng), random_state, rng)
        verdict = decide(
            seen, len(facts), n_rows, needed | ({"transform": "auto"} if seen.sample.logged else {})
        )
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


def _facts(prepared: Prepared) -> list[ColumnStatistics]:
    # Point masses are modeled; what is beside them has to be Gaussian.
    columns = zip(prepared.choice.used, prepared.scaling.masked(prepared.rows).T, strict=True)
    return [column_statistics(name, values[~np.isnan(values)]) for name, values in columns]


def _findings(
    prepared: Prepared, values: FloatArray, facts: Sequence[ColumnStatistics], needed: Arguments
) -> list[Finding]:
    """Return the findings that need no fit."""
    used, n_rows = prepared.choice.used, len(prepared.rows)
    scaled = prepared.scaling.apply(prepared.rows)
    return [
        *capacity_findings(n_rows, used, capacities(n_rows, len(used)), needed),
        *missing_findings(values, used, _lacking(prepared)),
        *column_findings(facts, prepared.choice, n_rows, needed),
        *redundant_findings(prepared.choice),
        *duplicate_findings(scaled),
        *correlation_findings(scaled, used, needed),
        *many_columns_findings(used, needed),
    ]


def _values(prepared: Prepared) -> FloatArray:
    """Return the columns in use with their missing values, shape (N, D)."""
    if prepared.complete.all():
        return prepared.rows
    table: nw.DataFrame[Any] = nw.from_native(prepared.frame, eager_only=True)
    return np.column_stack([to_float64(table[name]) for name in prepared.choice.used])


def _lacking(prepared: Prepared) -> dict[str, BoolArray]:
    """Return which rows lack a value of each discrete column in use, (N,)."""
    table: nw.DataFrame[Any] = nw.from_native(prepared.frame, eager_only=True)
    names = () if prepared.complete.all() else prepared.choice.discrete
    return {name: np.array([text is None for text in texts_of(table[name])]) for name in names}


def _needed(
    columns: Sequence[str] | None, id_column: str | None, kinds: Kinds, declared: str | None
) -> dict[str, Any]:
    """Return the arguments without which `segment_table` would refuse the table, or use other columns."""
    needed: dict[str, Any] = {} if columns is None else {"columns": list(columns)}
    if id_column is not None:
        needed["id_column"] = id_column
    if kinds != "auto":
        needed["kinds"] = kinds if isinstance(kinds, str) else dict(kinds)
    if declared is not None:
        needed["weight"] = declared
    return needed


_FIRST = ("repeated columns", "dependent columns", "spikes", "skew", "repeated rows")
"""Topics of findings that say what is to be done with the table; rows with missing values are used as they are."""


def _prepared_first(verdict: Recommendation, findings: Sequence[Finding]) -> Recommendation:
    """Return the recommendation with the preparation of the table as its first steps."""
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
    return Recommendation(verdict.method, title, verdict.reasons, (*first, *verdict.steps), verdict.arguments)
