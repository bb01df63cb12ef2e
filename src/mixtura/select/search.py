"""Search: fit every covariance type with every number of components, and rank them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.covariance import choose_families, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.prior import Ridge
from mixtura.data import ArrayBlocks
from mixtura.exceptions import MixturaError, ParameterError, TooFewRowsError
from mixtura.fit import (
    INITIALIZATIONS,
    AbsoluteChange,
    FitResult,
    Outcome,
    Problem,
    Settings,
    fit_mixture,
    total_log_likelihood,
)
from mixtura.kernels import get_kernel
from mixtura.run import SerialRunner, get_runner, hold_blas
from mixtura.select.criteria import aic, bic

__all__ = ["CRITERIA", "Candidate", "OnCandidate", "SearchResult", "search"]

CRITERIA = ("bic", "aic")
"""What a search can rank by; smaller is better."""

_TOLERANCE = 1e-5
_MAX_ITER = 500


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One covariance type with one number of components.

    Parameters
    ----------
    covariance_type : str
    n_components : int
    n_parameters : int
        Free parameters.
    log_likelihood : float
        Total, in nats; NaN where the fit failed.
    bic, aic : float
        Smaller is better; infinite where the fit failed.
    mixture : Mixture or None
    result : FitResult or None
        How the fit ended; None where it failed.
    seconds : float
    failure : str or None
        Why there is no mixture.
    """

    covariance_type: str
    n_components: int
    n_parameters: int
    log_likelihood: float
    bic: float
    aic: float
    mixture: Mixture | None
    result: FitResult | None
    seconds: float
    failure: str | None = None

    @property
    def outcome(self) -> Outcome | None:
        return None if self.result is None else self.result.outcome

    @property
    def converged(self) -> bool:
        return self.result is not None and self.result.converged

    @property
    def n_iter(self) -> int:
        return 0 if self.result is None else self.result.n_iter

    def criterion(self, name: str) -> float:
        """Return the value of a criterion by name."""
        return {"bic": self.bic, "aic": self.aic}[name]


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """All candidates, in the order tried, and the criterion that ranks them."""

    candidates: tuple[Candidate, ...]
    criterion: str

    @property
    def ranking(self) -> tuple[Candidate, ...]:
        """The candidates, best first; those that failed come last."""
        return tuple(sorted(self.candidates, key=lambda one: one.criterion(self.criterion)))

    @property
    def best(self) -> Candidate:
        return self.ranking[0]


class OnCandidate(Protocol):
    """Told of each candidate as it is done."""

    def __call__(self, candidate: Candidate, done: int, total: int) -> None: ...


def search(
    rows: RowArray,
    *,
    components: Iterable[int] = range(1, 10),
    covariance_types: Iterable[str] | str = ("full", "tied", "diag", "spherical"),
    criterion: str = "bic",
    n_init: int = 1,
    random_state: int = 0,
    sample_weight: FloatArray | None = None,
    on_candidate: OnCandidate | None = None,
) -> SearchResult:
    """Fit every combination and rank them by a criterion.

    Each candidate is the fit of ``GaussianMixture(n_components, covariance_type=..., n_init=n_init,
    random_state=random_state, tol=1e-5, max_iter=500)``: criteria compare log-likelihoods, so the
    fits go further than scikit-learn's default. A fit that fails is recorded with its reason.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous
    components : iterable of int, default 1 to 9
    covariance_types : str or iterable of str, default ("full", "tied", "diag", "spherical")
        Also model-based clustering's names, ``EII`` to ``VVV``, or ``"all"`` for all fourteen families (in one column
        the two that differ).
    criterion : {"bic", "aic"}, default="bic"
    n_init : int, default=1
        Starts per candidate.
    random_state : int, default=0
        Seed of every candidate.
    sample_weight : ndarray of shape (N,), optional
    on_candidate : callable, optional
        Called with each candidate, how many are done, and how many there are.

    Raises
    ------
    ParameterError
        No candidate is left to try, an unknown criterion or covariance type, or a number of components below one.
    TooFewRowsError
        Fewer rows than the largest number of components.
    MixturaError
        Every candidate failed; the reason of the first is told.

    Examples
    --------
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.select import search
    >>> rows = make_customers()
    >>> best = search(rows, components=range(1, 5)).best
    >>> best.covariance_type, best.n_components
    ('spherical', 3)
    """
    families = choose_families(covariance_types, rows.shape[1])
    sizes = _checked(components, families, criterion, n_init)
    if rows.shape[0] < max(sizes):
        raise TooFewRowsError(
            f"{max(sizes)!r} components were asked of {rows.shape[0]!r} rows; there must be at least as many rows as "
            "components. Ask for fewer components."
        )
    pairs = [(family, k) for family in families for k in sizes]
    candidates: list[Candidate] = []
    for family, k in pairs:
        candidates.append(_try(rows, sample_weight, family, k, n_init, random_state))
        if on_candidate is not None:
            on_candidate(candidates[-1], len(candidates), len(pairs))
    if all(one.failure for one in candidates):
        raise MixturaError(
            f"None of {len(candidates)} candidates could be fitted. The first: {candidates[0].failure}"
        )
    return SearchResult(tuple(candidates), criterion)


def _checked(components: Iterable[int], families: list[str], criterion: str, n_init: int) -> list[int]:
    sizes = list(dict.fromkeys(int(k) for k in components))
    if not sizes or not families or min(sizes) < 1:
        raise ParameterError(
            f"components={sizes!r} and covariance_types={families!r} were given; at least one of each is required, and "
            "every number of components must be at least 1."
        )
    if criterion not in CRITERIA:
        raise ParameterError(f"criterion={criterion!r} was given; it must be one of {list(CRITERIA)!r}.")
    if n_init < 1:
        raise ParameterError(f"n_init={n_init!r} was given; it must be at least 1.")
    return sizes


def _try(
    rows: RowArray, weights: FloatArray | None, family: str, k: int, n_init: int, random_state: int
) -> Candidate:
    begun = perf_counter()
    n_features = rows.shape[1]
    n_parameters = k - 1 + k * n_features + get_family(family).n_parameters(k, n_features)
    kernel = get_kernel(n_features=n_features)
    problem = Problem(ArrayBlocks(rows, weights), k, get_family(family), Ridge(), kernel, get_runner())
    try:
        with hold_blas(kernel.name == "numpy"):
            result = fit_mixture(
                problem,
                INITIALIZATIONS["kmeans"],
                Settings(AbsoluteChange(_TOLERANCE), _MAX_ITER),
                serial=SerialRunner(),
                n_init=n_init,
                random_state=np.random.RandomState(random_state),
            )
            total = total_log_likelihood(problem.blocks, result.mixture, kernel, problem.runner)
    except MixturaError as error:
        seconds = perf_counter() - begun
        return Candidate(
            family, k, n_parameters, np.nan, np.inf, np.inf, None, None, seconds, failure=str(error)
        )
    value = bic(total, n_parameters, problem.blocks.total_weight), aic(total, n_parameters)
    return Candidate(family, k, n_parameters, total, *value, result.mixture, result, perf_counter() - begun)
