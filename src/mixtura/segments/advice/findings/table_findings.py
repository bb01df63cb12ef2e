"""Findings about the whole table: missing values, repeated rows, redundant columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mixtura._typing import Array, BoolArray, FloatArray
from mixtura.segments.advice.findings.finding import Arguments, Finding
from mixtura.segments.table.columns import ColumnChoice
from mixtura.segments.table.dependent_columns import DEPENDENT_REASONS
from mixtura.segments.table.quotient_columns import QUOTIENT_REASON

__all__ = [
    "correlation_findings",
    "duplicate_findings",
    "many_columns_findings",
    "missing_findings",
    "redundant_findings",
]

_MANY = 10
"""Columns from which on it is usual that segments differ only in some."""

_SAME = 0.98
"""Two columns are redundant from this correlation on."""
_EXPLAINED, _SUM = 0.99, 0.999
"""Shares of variance explained by the others from which a column is nearly, or practically, a sum of them."""
_REPEATED = 0.05
_NEAR = 1e-6
_FEW_MISSING = 10
_DIFFERENCE = 0.5
"""Half a standard deviation is a medium difference (Cohen 1988)."""
_LIFT = 0.5


def missing_findings(
    values: FloatArray, columns: Sequence[str], discrete: Mapping[str, BoolArray]
) -> list[Finding]:
    """Return how many values are missing, and whether those of numbers depend on the values of another column.

    Parameters
    ----------
    values : ndarray of shape (N, D)
        NaN or infinite where a value is missing.
    columns : sequence of str
    discrete : mapping of str to ndarray of bool, (N,)
        Which rows lack a value of columns of levels.
    """
    missing = ~np.isfinite(values)
    absent = {**dict(zip(columns, missing.T, strict=True)), **discrete}
    rows = np.any(list(absent.values()), axis=0)
    if not rows.any():
        return []
    counts = {name: int(one.sum()) for name, one in absent.items() if one.any()}
    said = ", ".join(f"{name} {count}" for name, count in counts.items())
    share = float(rows.mean())
    found = [
        Finding(
            topic="missing values",
            severity="serious" if share > 0.05 else "notable",
            measured=f"{rows.sum():,} of {len(values):,} rows ({share:.1%}) lack a value: {said}",
            value=share,
            threshold=None,
            meaning="Rows with missing values are used with the values that they have.",
            action="Nothing has to be done; columns that are mostly empty say little, and may be left out.",
            columns=tuple(counts),
        )
    ]
    for position, name in enumerate(columns):
        if missing[:, position].sum() >= _FEW_MISSING:
            dependence = _not_at_random(values, missing, position, columns)
            if dependence is not None:
                found.append(_selective(name, *dependence))
    return found


def _selective(name: str, other: str, measured: str, value: float, threshold: float) -> Finding:
    return Finding(
        topic="missing not at random",
        severity="notable",
        measured=f"{name} is missing {measured}",
        value=value,
        threshold=threshold,
        meaning="That is harmless where other columns explain it, and biases means and segments where nothing does.",
        action=f"Find out what a missing value in {name} means; it may be a value, such as zero, or a segment.",
        columns=(name, other),
    )


def _not_at_random(
    values: FloatArray, absent: Array, position: int, columns: Sequence[str]
) -> tuple[str, str, float, float] | None:
    """Return the column that missing values depend on most, as text and number: on one of its values, or its level."""
    missing = absent[:, position]
    best: tuple[str, str, float, float] | None = None
    for other, name in enumerate(columns):
        present = ~absent[:, other]
        with_missing, without = values[missing & present, other], values[~missing & present, other]
        if other == position or with_missing.size < _FEW_MISSING or without.size < _FEW_MISSING:
            continue
        common, counts = np.unique(with_missing, return_counts=True)
        usual = float(common[counts.argmax()])
        taken = counts.max() / with_missing.size
        if taken - float((without == usual).mean()) >= _LIFT:
            said = f"where {name} is {usual:g}: in {counts.max()} of {with_missing.size} rows"
            return name, said, float(taken), _LIFT
        spread = np.sqrt((with_missing.var() + without.var()) / 2)
        difference = float((with_missing.mean() - without.mean()) / spread) if spread > 0 else 0.0
        if abs(difference) >= max(_DIFFERENCE, 0.0 if best is None else abs(best[2])):
            said = f"where {name} is {'high' if difference > 0 else 'low'}: {difference:+.2f} deviations from the rest"
            best = name, said, difference, _DIFFERENCE
    return best


def duplicate_findings(scaled: FloatArray) -> list[Finding]:
    """Return how many rows repeat another to a millionth of a standard deviation."""
    cells = np.ascontiguousarray(np.rint(scaled / _NEAR) + 0.0)
    keys = cells.view(np.dtype((np.void, cells.dtype.itemsize * cells.shape[1]))).ravel()
    repeated = len(scaled) - len(np.unique(keys))
    share = repeated / len(scaled)
    if share < _REPEATED:
        return []
    return [
        Finding(
            topic="repeated rows",
            severity="serious" if share > 0.3 else "notable",
            measured=f"{repeated:,} of {len(scaled):,} rows ({share:.0%}) repeat another",
            value=share,
            threshold=_REPEATED,
            meaning="Tests and criteria count each as a customer; a component may contract onto one point.",
            action="Remove copies, unless they are different customers with equal values; then add columns.",
        )
    ]


def correlation_findings(scaled: FloatArray, columns: Sequence[str], needed: Arguments) -> list[Finding]:
    """Return which columns repeat another, or are sums of others.

    The share of a column that the others explain is ``1 - 1 / (R^-1)_jj``, R the correlation matrix.

    Parameters
    ----------
    scaled : ndarray of shape (N, D)
        Standardized columns.
    columns : sequence of str
    needed : mapping of str to object
        Arguments of `segment_table` that every suggestion needs.
    """
    if len(columns) < 2:
        return []
    correlations = scaled.T @ scaled / len(scaled)
    pairs = [
        (abs(float(correlations[i, j])), columns[i], columns[j])
        for j in range(len(columns))
        for i in range(j)
        if abs(correlations[i, j]) >= _SAME
    ]
    if pairs:
        return [_same(sorted(pairs, reverse=True), columns, needed)]
    if len(scaled) <= 2 * len(columns):
        return []  # with so few rows anything is a sum of the others
    inverse = np.diagonal(np.linalg.pinv(correlations, rcond=1e-12, hermitian=True))
    singular = np.linalg.matrix_rank(correlations, tol=1e-9, hermitian=True) < len(columns)
    explained = np.ones(len(columns)) if singular else 1 - 1 / inverse
    if explained.max() < _EXPLAINED:
        return []
    worst = int(explained.argmax())
    return [
        Finding(
            topic="dependent columns",
            severity="serious" if singular or explained[worst] > _SUM else "notable",
            measured=f"The other columns explain {explained[worst]:.2%} of {columns[worst]}"
            if not singular
            else "Some columns are exact sums of others",
            value=float(explained[worst]),
            threshold=_EXPLAINED,
            meaning="Covariances are nearly singular; likelihoods grow without bound along the dependency.",
            action="Leave out totals and differences of other columns.",
            columns=() if singular else (columns[worst],),
        )
    ]


def redundant_findings(choice: ColumnChoice) -> list[Finding]:
    """Return the columns that were left out because others determine them."""
    found = [one for one in choice.left_out if one.reason.startswith((*DEPENDENT_REASONS, QUOTIENT_REASON))]
    if not found:
        return []
    return [
        Finding(
            topic="dependent columns",
            severity="notable",
            measured="; ".join(f"{one.name} is {one.reason}" for one in found),
            value=len(found),
            threshold=None,
            meaning="They hold no information of their own, count twice, and make covariances singular.",
            action="They are left out; name `columns` to choose which of the columns build the segments.",
            columns=tuple(one.name for one in found),
        )
    ]


def _same(pairs: Sequence[tuple[float, str, str]], columns: Sequence[str], needed: Arguments) -> Finding:
    drop = {second for _, _, second in pairs}
    kept = [name for name in columns if name not in drop]
    said = ", ".join(f"{first} and {second} ({value:.3f})" for value, first, second in pairs[:5])
    more = f" and {len(pairs) - 5} more" if len(pairs) > 5 else ""
    return Finding(
        topic="repeated columns",
        severity="serious",
        measured=f"Correlation of {said}{more}",
        value=pairs[0][0],
        threshold=_SAME,
        meaning="Two columns hold the same information, which counts twice; covariances are nearly singular.",
        action="Keep one of each pair.",
        arguments={**needed, "columns": kept},
        columns=tuple(dict.fromkeys(name for _, *names in pairs for name in names)),
    )


def many_columns_findings(columns: Sequence[str], needed: Arguments) -> list[Finding]:
    """Return that columns can be selected, where there are many.

    Parameters
    ----------
    columns : sequence of str
    needed : mapping of str to object
        Arguments of `segment_table` that every recommendation needs.
    """
    if len(columns) < _MANY:
        return []
    return [
        Finding(
            topic="many columns",
            severity="notable",
            measured=f"{len(columns)} columns",
            value=len(columns),
            threshold=_MANY,
            meaning="Columns in which segments do not differ add parameters and noise, and may hide the segments.",
            action="Find out which columns build the segments; the others still describe them.",
            arguments=dict(needed) | {"select_columns": True},
        )
    ]
