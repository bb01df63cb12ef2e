"""What was asked for, checked, and the search that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mixtura._typing import FloatArray
from mixtura.core.covariance import MCLUST_NAMES, NAMES
from mixtura.exceptions import ParameterError, TooFewRowsError
from mixtura.select import CRITERIA, OnCandidate, OnFold, SearchResult, search
from mixtura.select.arguments import count_rows
from mixtura.select.priors import PriorName, require_prior
from mixtura.select.scores.folds import rows_fitted

__all__ = ["COVARIANCE_TYPES", "Settings"]

COVARIANCE_TYPES = ("full", "tied", "diag", "spherical")
"""What is tried where nothing is asked for; any name of a family, or "all", may be."""

_COMPONENTS = range(1, 10)


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for, checked."""

    components: Sequence[int] | None
    covariance_types: Sequence[str]
    criterion: str
    n_init: int
    random_state: int
    anomaly_percentile: float = 4.0
    source: str = "table"
    transform: str | Mapping[str, str] = "none"
    prior: PriorName | float = "floor"
    n_folds: int = 10

    def __post_init__(self) -> None:
        if self.components is not None and (not self.components or min(self.components) < 1):
            raise ParameterError(
                f"components={list(self.components)!r} was given; whole numbers of at least 1 are required. Try 1-9."
            )
        if not self.covariance_types or not set(self.covariance_types) <= {*NAMES, "all"}:
            raise ParameterError(
                f"covariance_types={list(self.covariance_types)!r} was given; they must be among "
                f"{', '.join((*COVARIANCE_TYPES, *MCLUST_NAMES))}, or all. Leave it out to try the first four."
            )
        if self.criterion not in CRITERIA:
            raise ParameterError(
                f"criterion={self.criterion!r} was given; it must be one of {', '.join(CRITERIA)}. Try 'bic'."
            )
        require_prior(self.prior)
        if not 0 <= self.random_state < 2**32:
            raise ParameterError(
                f"random_state={self.random_state!r} was given as the seed; it must be from 0 to 2**32 - 1. Try 0."
            )
        if self.n_init < 1:
            raise ParameterError(f"n_init={self.n_init!r} was given; it must be at least 1. Try 5.")
        if not 0 <= self.anomaly_percentile < 100:
            raise ParameterError(
                f"anomaly_percentile={self.anomaly_percentile!r} was given; it must be at least 0 and below 100. Try 4."
            )

    def search(
        self,
        scaled: FloatArray,
        on_candidate: OnCandidate | None,
        on_fold: OnFold | None,
        weights: FloatArray | None = None,
    ) -> SearchResult:
        n_rows = count_rows(scaled, weights)
        fewest = rows_fitted(n_rows, self.n_folds) if self.criterion == "cv" else n_rows
        return search(
            scaled,
            components=_feasible(self.components, n_rows, fewest),
            covariance_types=tuple(self.covariance_types),
            criterion=self.criterion,
            n_folds=self.n_folds,
            n_init=self.n_init,
            random_state=self.random_state,
            sample_weight=weights,
            prior=self.prior,
            on_candidate=on_candidate,
            on_fold=on_fold,
        )


def _feasible(components: Sequence[int] | None, n_rows: int, fewest: int) -> list[int]:
    """Return numbers of components: those asked for, or as many as the smallest fit has rows for."""
    if components is None:
        return [count for count in _COMPONENTS if count <= fewest]
    if max(components) > n_rows:
        raise TooFewRowsError(
            f"{max(components)} segments of {n_rows} complete rows were asked for; there must be at least as many rows "
            f"as segments. Ask for at most {n_rows}, better for far fewer: --components."
        )
    return sorted(set(components))
