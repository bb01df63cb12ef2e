"""Findings, each a number compared with a threshold, and the recommendation they lead to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from mixtura.segments.table.columns import ColumnChoice

__all__ = ["ADVICE_VERSION", "METHODS", "Advice", "Arguments", "Capacity", "Finding", "Recommendation"]

ADVICE_VERSION = 2

METHODS = {
    "gmm": "a Gaussian mixture",
    "kmeans": "K-means",
    "hdbscan": "a density-based method (HDBSCAN)",
    "hierarchical": "a hierarchical method",
    "pca": "principal components first, then a mixture",
    "none": "none: no clusters were found",
}
"""What may be recommended."""

_SEVERITIES = ("serious", "notable", "fine")

Arguments: TypeAlias = Mapping[str, Any]
"""Arguments of `segment_table` by name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing measured, and what follows.

    Parameters
    ----------
    topic : str
        One word or two, for example ``"skew"``.
    severity : {"serious", "notable", "fine"}
        Whether it changes the recommendation, is worth knowing, or needs nothing.
    measured : str
        What was measured, with the number.
    value : float
        The number.
    threshold : float or None
        What the number is compared with.
    meaning : str
        What it means for a mixture.
    action : str
        What to do; empty where nothing needs doing.
    arguments : mapping of str to object, or None, default=None
        Arguments of `segment_table` that carry it out; None where there are none.
    columns : tuple of str, default=()
        The columns concerned.
    """

    topic: str
    severity: str
    measured: str
    value: float
    threshold: float | None
    meaning: str
    action: str
    arguments: Arguments | None = None
    columns: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """0 for the most important severity."""
        return _SEVERITIES.index(self.severity)

    @property
    def call(self) -> str | None:
        """The call of `segment_table` that carries it out, or None."""
        return _call(self.arguments)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many components of a family the rows support.

    Parameters
    ----------
    covariance_type : str
    n_covariances : int
        Free covariance parameters of five components.
    n_parameters : int
        All free parameters of five components.
    most_components : int
        The most components with at least five rows per free parameter; 0 where not even one has them.
    """

    covariance_type: str
    n_covariances: int
    n_parameters: int
    most_components: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The method recommended.

    Parameters
    ----------
    method : str
        A key of `METHODS`.
    title : str
        One line.
    reasons : tuple of str
        Sentences with the numbers that decided, the weightiest first.
    steps : tuple of str
        What to do, in order.
    arguments : mapping of str to object, or None
        Arguments of `segment_table` that carry it out; None where mixtura has no such method.
    """

    method: str
    title: str
    reasons: tuple[str, ...]
    steps: tuple[str, ...]
    arguments: Arguments | None

    @property
    def call(self) -> str | None:
        """The call of `segment_table` that carries it out, or None."""
        return _call(self.arguments)


def _call(arguments: Arguments | None) -> str | None:
    if arguments is None:
        return None
    return (
        f"segment_table({', '.join(['table', *(f'{name}={value!r}' for name, value in arguments.items())])})"
    )


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether a Gaussian mixture suits a table, and why.

    Parameters
    ----------
    verdict : Recommendation
    findings : tuple of Finding
        The most important first.
    capacity : tuple of Capacity
        One per covariance family considered.
    evidence : mapping of str to number
        The numbers behind the verdict.
    columns : ColumnChoice
    logged : tuple of str
        Columns that enter as ``log(1 + x)`` in everything that uses several columns together.
    n_rows : int
        Complete rows.
    n_dropped : int
        Rows left out because a value is missing.
    n_sampled : int
        Rows that fits, tests and distances used.
    seed : int
    seconds : float
        From the call to the result.
    """

    verdict: Recommendation
    findings: tuple[Finding, ...]
    capacity: tuple[Capacity, ...]
    evidence: Mapping[str, float | int | str]
    columns: ColumnChoice
    logged: tuple[str, ...]
    n_rows: int
    n_dropped: int
    n_sampled: int
    seed: int
    seconds: float

    @property
    def method(self) -> str:
        """The key of the method recommended, one of `METHODS`."""
        return self.verdict.method

    def to_dict(self) -> dict[str, Any]:
        """Return numbers, texts, lists and dicts only, as ``advice.json`` holds them; what is not finite is None."""
        plain = _plain(
            {
                "format": "mixtura-advice",
                "format_version": ADVICE_VERSION,
                "verdict": asdict(self.verdict) | {"call": self.verdict.call},
                "findings": [asdict(finding) | {"call": finding.call} for finding in self.findings],
                "capacity": [asdict(one) for one in self.capacity],
                "evidence": dict(self.evidence),
                "table": {
                    "rows": self.n_rows + self.n_dropped,
                    "rows_left_out": self.n_dropped,
                    "rows_sampled": self.n_sampled,
                    "columns": list(self.columns.used),
                    "left_out": [asdict(column) for column in self.columns.left_out],
                    "id_column": self.columns.id_column,
                    "logged": list(self.logged),
                },
                "seed": self.seed,
                "seconds": self.seconds,
            }
        )
        assert isinstance(plain, dict)
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
