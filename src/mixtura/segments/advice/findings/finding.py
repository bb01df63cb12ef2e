"""What advice is made of: findings, each a number held against a threshold, and the verdict they lead to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mixtura.segments.table.columns import ColumnChoice

__all__ = ["ADVICE_VERSION", "METHODS", "Advice", "Capacity", "Finding", "Recommendation"]

ADVICE_VERSION = 1

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


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing measured, and what follows.

    Parameters
    ----------
    topic : str
        One word or two, f.e. ``"skew"``.
    severity : {"serious", "notable", "fine"}
        Whether it changes what to do, is worth knowing, or is as it should be.
    measured : str
        What was measured, with the number.
    value : float
        The number.
    threshold : float or None
        What the number is held against.
    meaning : str
        What it means for a mixture.
    action : str
        What to do; empty where nothing needs doing.
    command : str or None, default=None
        What to type.
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
    command: str | None = None
    columns: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """0 for the most important severity."""
        return _SEVERITIES.index(self.severity)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many components of a family the rows can carry.

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
    command : str or None
        What to type for it; None where mixtura has no such command.
    """

    method: str
    title: str
    reasons: tuple[str, ...]
    steps: tuple[str, ...]
    command: str | None


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether a Gaussian mixture suits a table, and why.

    Parameters
    ----------
    verdict : Recommendation
    findings : tuple of Finding
        The most important first.
    capacity : tuple of Capacity
        One per covariance family looked at.
    evidence : mapping of str to number
        What the verdict was decided by.
    columns : ColumnChoice
    logged : tuple of str
        Columns taken as ``log(1 + x)`` for everything that looks at several columns together.
    n_rows : int
        Complete rows.
    n_dropped : int
        Rows left out because a value is missing or infinite.
    n_sampled : int
        Rows that fits, tests and distances looked at.
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
                "verdict": asdict(self.verdict),
                "findings": [asdict(finding) for finding in self.findings],
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
