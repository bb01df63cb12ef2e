"""Rows against parameters: the number of components of each family that the rows support."""

from __future__ import annotations

from collections.abc import Sequence

from mixtura.core.covariance import count_parameters, get_family
from mixtura.segments.advice.findings.finding import Arguments, Capacity, Finding

__all__ = ["FAMILIES", "ROWS_PER_PARAMETER", "TINY", "capacities", "capacity_findings", "needs_pca"]

FAMILIES = ("full", "tied", "diag", "spherical", "EEI", "EII")
"""The families considered, and tried by the quick fit."""

ROWS_PER_PARAMETER = 5
"""Below five rows per free parameter estimates are unreliable (Bentler and Chou 1987)."""

_SHOWN, _FEW = 5, 3
_MOST = 50
TINY = 50
"""In fewer rows neither tests nor criteria distinguish three groups of twenty from chance."""


def needs_pca(n_rows: int, n_columns: int) -> bool:
    """Return whether two components with one covariance between them have more parameters than there are rows."""
    return count_parameters("tied", 2, n_columns) > n_rows


def capacities(n_rows: int, n_columns: int) -> tuple[Capacity, ...]:
    """Return, for each of `FAMILIES`, what five components need and how many components the rows support.

    Examples
    --------
    >>> from mixtura.segments.advice import capacities
    >>> full = capacities(1_000, 50)[0]
    >>> full.covariance_type, full.n_covariances, full.most_components
    ('full', 6375, 0)
    """
    found = []
    for name in FAMILIES:
        counts = range(1, min(_MOST, n_rows) + 1)
        carried = [k for k in counts if ROWS_PER_PARAMETER * count_parameters(name, k, n_columns) <= n_rows]
        found.append(
            Capacity(
                covariance_type=name,
                n_covariances=get_family(name).n_parameters(_SHOWN, n_columns),
                n_parameters=count_parameters(name, _SHOWN, n_columns),
                most_components=max(carried, default=0),
            )
        )
    return tuple(found)


def capacity_findings(
    n_rows: int, columns: Sequence[str], carried: Sequence[Capacity], needed: Arguments
) -> list[Finding]:
    """Return how many components the rows support, and whether there are very few rows."""
    found = [_rows_against_parameters(n_rows, len(columns), carried, needed)]
    if n_rows < TINY:
        found.append(
            Finding(
                topic="few rows",
                severity="serious",
                measured=f"{n_rows} complete rows",
                value=n_rows,
                threshold=TINY,
                meaning="Few rows show groups by chance; tests and criteria cannot distinguish them.",
                action="Treat every result as preliminary; collect more rows.",
            )
        )
    return found


def _rows_against_parameters(
    n_rows: int, n_columns: int, carried: Sequence[Capacity], needed: Arguments
) -> Finding:
    full = carried[0]
    ratio = n_rows / full.n_parameters
    said = ", ".join(f"{one.covariance_type} {_up_to(one.most_components)}" for one in carried)
    columns = "1 column" if n_columns == 1 else f"{n_columns} columns"
    measured = (
        f"{n_rows:,} rows, {columns}: five full components have {full.n_parameters:,} parameters, "
        f"{full.n_covariances:,} of them covariances, {_few_digits(ratio)} rows for each"
    )
    meaning = f"With {ROWS_PER_PARAMETER} rows per parameter the rows support: {said} components."
    severity, action, arguments = "fine", "", None
    able = [one.covariance_type for one in carried if one.most_components >= 2]
    if needs_pca(n_rows, n_columns) and n_rows >= TINY:
        severity, action = "serious", "Reduce the columns by principal components, or choose a few columns."
    elif not able:
        action = "Add rows." if n_columns <= _FEW else "Add rows, or use fewer `columns`."
        severity, action = "serious", action if n_rows < TINY else "Use fewer `columns`."
    elif "full" not in able:
        severity, action = "notable", "Use families that the rows support."
        arguments = {**needed, "covariance_types": able}
    return Finding(
        "rows and parameters", severity, measured, ratio, ROWS_PER_PARAMETER, meaning, action, arguments
    )


def _up_to(most: int) -> str:
    if most == 0:
        return "none"
    return f"{_MOST} or more" if most == _MOST else f"up to {most}"


def _few_digits(ratio: float) -> str:
    """Return a number with two digits at least, and none of a power of ten."""
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"
