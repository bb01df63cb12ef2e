"""The search over a grid: fit every covariance type with every number of components, and rank them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from mixtura._typing import FloatArray, RowArray
from mixtura.core.covariance import choose_families, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.prior import Ridge
from mixtura.data import ArrayBlocks
from mixtura.exceptions import MixturaError, ParameterError, TooFewRowsError
from mixtura.fit import (
    INITIALIZATIONS,
    FitResult,
    Outcome,
    Problem,
    RemainingGain,
    Settings,
    fit_mixture,
    score_mixture,
)
from mixtura.kernels import get_kernel
from mixtura.run import SerialRunner, get_runner, hold_blas
from mixtura.select.criteria import CRITERIA, aic, aicc, bic, caic, icl, nec

__all__ = ["Candidate", "OnCandidate", "SearchResult", "search"]

_MAX_ITER = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One covariance type with one number of components.

    Parameters
    ----------
    covariance_type : str
    n_components : int
    n_parameters : int
        Free parameters.
    n_rows : float
        Number of rows, or the sum of the sample weights.
    log_likelihood : float
        Total, in nats; this and what follows is NaN where the fit failed.
    entropy : float
        Of the responsibilities, ``-sum_n w_n sum_k r_nk log r_nk``, in nats.
    classification_entropy : float
        ``-sum_n w_n log max_k r_nk``, in nats.
    single_log_likelihood : float
        Of one component of the same covariance type.
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
    n_rows: float
    log_likelihood: float
    entropy: float
    classification_entropy: float
    single_log_likelihood: float
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

    @property
    def bic(self) -> float:
        """The Bayesian information criterion; infinite where the fit failed."""
        return self.criterion("bic")

    @property
    def aic(self) -> float:
        """Akaike's information criterion; infinite where the fit failed."""
        return self.criterion("aic")

    def criterion(self, name: str) -> float:
        """Return the value of a criterion by name, one of `CRITERIA`; infinite where the fit failed."""
        fit = self.log_likelihood, self.n_parameters
        if name == "nec":
            value = nec(self.log_likelihood, self.single_log_likelihood, self.entropy, self.n_components)
        elif name == "icl":
            value = icl(*fit, self.n_rows, self.classification_entropy)
        elif name == "aic":
            value = aic(*fit)
        else:
            value = {"bic": bic, "aicc": aicc, "caic": caic}[name](*fit, self.n_rows)
        return np.inf if self.failure is not None or np.isnan(value) else value

    def row(self) -> dict[str, Any]:
        """Return this candidate as a row of a table; what a failed fit does not have is None."""
        failed = self.failure is not None
        numbers = {"log_likelihood": self.log_likelihood, "entropy": self.entropy}
        numbers |= {name: self.criterion(name) for name in CRITERIA}
        return {
            "covariance_type": self.covariance_type,
            "n_components": self.n_components,
            "n_parameters": self.n_parameters,
            **{name: None if failed else float(value) for name, value in numbers.items()},
            "outcome": None if self.outcome is None else self.outcome.value,
            "n_iter": self.n_iter,
            "seconds": self.seconds,
            "failure": self.failure,
        }


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """All candidates, in the order tried, and the criterion that ranks them."""

    candidates: tuple[Candidate, ...]
    criterion: str

    @property
    def ranking(self) -> tuple[Candidate, ...]:
        """The candidates, best first; those that failed come last."""
        return tuple(sorted(self.candidates, key=self._order))

    def _order(self, candidate: Candidate) -> tuple[bool, float]:
        return candidate.failure is not None, candidate.criterion(self.criterion)

    @property
    def best(self) -> Candidate:
        return self.ranking[0]

    @property
    def edge(self) -> str | None:
        """Say so if the best lies on the edge of the numbers of components searched; None if it does not.

        A single component is the least there is, and no edge; with one number of components nothing was searched.
        """
        found, tried = self.best.n_components, {one.n_components for one in self.candidates}
        if len(tried) == 1 or min(tried) < found < max(tried) or found == 1:
            return None
        most = found == max(tried)
        further = f"{found} to {2 * found}" if most else f"1 to {found}"
        return (
            f"The best lies on the edge of the search: {found} components, the {'most' if most else 'fewest'} that "
            f"were tried. {'More' if most else 'Fewer'} may be better: search {further} components."
        )

    def table(self) -> list[dict[str, Any]]:
        """Return a row per candidate, the best first.

        Returns
        -------
        list of dict
            Keys ``covariance_type``, ``n_components``, ``n_parameters``, ``log_likelihood``, ``entropy``, every name in
            `CRITERIA`, ``outcome`` (how the fit ended), ``n_iter``, ``seconds`` and ``failure`` (why there is no fit).
            What a failed fit does not have is None.

        Examples
        --------
        >>> from mixtura.datasets import make_customers
        >>> from mixtura.select import search
        >>> for row in search(make_customers(), components=[2, 3], covariance_types=["tied", "diag"]).table():
        ...     print(row["covariance_type"], row["n_components"], row["n_parameters"], round(row["icl"], 1))
        tied 3 11 4820.2
        diag 3 14 4815.4
        tied 2 8 4856.3
        diag 2 9 4902.2
        """
        return [candidate.row() for candidate in self.ranking]


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
    reg_covar: float = 1e-6,
    on_candidate: OnCandidate | None = None,
) -> SearchResult:
    """Fit every combination and rank them by a criterion.

    Each candidate is the fit of ``GaussianMixture(n_components, covariance_type=..., n_init=n_init,
    random_state=random_state)``, but finished: criteria compare log-likelihoods, so a fit goes on until, by Aitken's
    estimate, less than 0.01 nats of the total log-likelihood are still to be gained (`result.remaining_gain`), or
    1,000 iterations are made. A fit that fails is recorded with its reason.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous
    components : iterable of int, default 1 to 9
    covariance_types : str or iterable of str, default ("full", "tied", "diag", "spherical")
        Also model-based clustering's names, ``EII`` to ``VVV``, or ``"all"`` for all fourteen families (in one column
        the two that differ).
    criterion : str, default="bic"
        One of `CRITERIA`.
    n_init : int, default=1
        Starts per candidate.
    random_state : int, default=0
        Seed of every candidate.
    sample_weight : ndarray of shape (N,), optional
    reg_covar : float, default=1e-6
        Added to every variance, in squared units of the data.
    on_candidate : callable, optional
        Called with each candidate, how many are done, and how many there are.

    Raises
    ------
    ParameterError
        No candidate is left to try, an unknown criterion or covariance type, or a number of components below one.
    TooFewRowsError
        Fewer rows than the largest number of components.
    MixturaError
        Every candidate failed, the reason of the first is told; or the criterion is infinite for all of them.

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
    if not reg_covar >= 0:
        raise ParameterError(f"reg_covar={reg_covar!r} was given; it must not be negative. Try 1e-6.")
    if rows.shape[0] < max(sizes):
        raise TooFewRowsError(
            f"{max(sizes)!r} components were asked of {rows.shape[0]!r} rows; there must be at least as many rows as "
            "components. Ask for fewer components."
        )
    attempt = partial(_try, rows, sample_weight, Ridge(reg_covar), n_init, random_state)
    singles = {family: attempt(family, 1) for family in families}
    pairs = [(family, k) for family in families for k in sizes]
    candidates: list[Candidate] = []
    for family, k in pairs:
        single = singles[family]
        found = single if k == 1 else attempt(family, k)
        candidates.append(replace(found, single_log_likelihood=single.log_likelihood))
        if on_candidate is not None:
            on_candidate(candidates[-1], len(candidates), len(pairs))
    return _ranked(tuple(candidates), criterion)


def _ranked(candidates: tuple[Candidate, ...], criterion: str) -> SearchResult:
    found = SearchResult(candidates, criterion)
    if all(one.failure for one in candidates):
        raise MixturaError(
            f"None of {len(candidates)} candidates could be fitted. The first: {candidates[0].failure}"
        )
    if not np.isfinite(found.best.criterion(criterion)):
        raise MixturaError(
            f"criterion={criterion!r} is infinite for each of {len(candidates)} candidates; it ranks none of them. "
            "Try 'bic', or other numbers of components."
        )
    return found


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
    rows: RowArray,
    weights: FloatArray | None,
    prior: Ridge,
    n_init: int,
    random_state: int,
    family: str,
    k: int,
) -> Candidate:
    begun = perf_counter()
    n_features = rows.shape[1]
    n_parameters = k - 1 + k * n_features + get_family(family).n_parameters(k, n_features)
    kernel = get_kernel(n_features=n_features)
    problem = Problem(ArrayBlocks(rows, weights), k, get_family(family), prior, kernel, get_runner())
    n_rows = problem.blocks.total_weight
    try:
        with hold_blas(kernel.name == "numpy"):
            result = fit_mixture(
                problem,
                INITIALIZATIONS["kmeans"],
                Settings(RemainingGain(problem.blocks.total_weight), _MAX_ITER),
                serial=SerialRunner(),
                n_init=n_init,
                random_state=np.random.RandomState(random_state),
            )
            score = score_mixture(problem.blocks, result.mixture, kernel, problem.runner)
    except MixturaError as error:
        missing, seconds = (np.nan,) * 4, perf_counter() - begun
        return Candidate(family, k, n_parameters, n_rows, *missing, None, None, seconds, failure=str(error))
    measured = (score.log_likelihood, score.entropy, score.classification_entropy, np.nan)
    seconds = perf_counter() - begun
    return Candidate(family, k, n_parameters, n_rows, *measured, result.mixture, result, seconds)
