"""Held-out log-likelihood: what mixtures say of rows that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import RowTable
from mixtura.exceptions import ParameterError
from mixtura.run import ALONE, Workers, map_tasks
from mixtura.validation import require_at_least

__all__ = ["EachFold", "FoldFit", "FoldScores", "OnFold", "draw_folds", "held_out_scores", "rows_fitted"]

FoldFit: TypeAlias = Callable[[RowTable, FloatArray | None], Sequence[Mixture | str]]
"""Fits every model to rows (N, D) and weights (N,): a mixture each, in one order, or why there is none."""


EachFold: TypeAlias = Callable[
    [list[int], Callable[[list[int]], Iterator[tuple[float | str, ...]]]], Iterable[tuple[float | str, ...]]
]
"""Takes the numbers of folds, and what yields the scores of some of them; yields those of all, in order."""


class OnFold(Protocol):
    """Called after each fold of a cross-validation."""

    def __call__(self, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class FoldScores:
    """What a model scores on the rows of each fold, fitted to those of all others.

    Parameters
    ----------
    values : ndarray of shape (F,)
        Minus twice the log-likelihood of the fold's rows, in nats; NaN where there is no fit. Smaller is better.
    weights : ndarray of shape (F,)
        Number of rows of each fold, or the sum of their sample weights.
    failure : str or None
        Why there is no score.
    """

    values: FloatArray
    weights: FloatArray = field(repr=False)
    failure: str | None = None

    @property
    def score(self) -> float:
        """Sum of the values; infinite where a fold has none."""
        return float("inf") if self.failure is not None else float(self.values.sum())

    @property
    def standard_error(self) -> float:
        """Standard error of the score, from how much the folds differ; NaN where there is no score.

        With the values s_f of F folds of weight W_f, and ``m = sum s_f / sum W_f``, it is
        ``sqrt(F / (F - 1) sum_f (s_f - m W_f)^2)``: where all folds weigh the same, sqrt(F) times the standard
        deviation of the s_f. (Folds share most of the rows they are fitted to, so that it is an estimate from below;
        Bengio and Grandvalet 2004.)
        """
        count = self.values.size
        apart = self.values - self.values.sum() / self.weights.sum() * self.weights
        return float(np.sqrt(count / (count - 1) * (apart @ apart)))

    def shifted(self, log_likelihood: float) -> FoldScores:
        """Return the scores where the log-likelihood of all rows is larger by so much, as in other units.

        Every fold gets its part by weight, so that the standard error is what it was.
        """
        shares = self.weights / self.weights.sum()
        return FoldScores(self.values - 2.0 * log_likelihood * shares, self.weights, self.failure)

    def difference(self, other: FoldScores) -> FoldScores:
        """Return the differences to another model on the same folds, whose error is that of the difference."""
        failure = self.failure if other.failure is None else other.failure
        return FoldScores(self.values - other.values, self.weights, failure)


def held_out_scores(
    rows: RowTable,
    weights: FloatArray | None,
    fit: FoldFit,
    *,
    n_folds: int = 10,
    random_state: int = 0,
    on_fold: OnFold | None = None,
    workers: Workers = ALONE,
    each: EachFold | None = None,
) -> list[FoldScores]:
    """Score models by cross-validated log-likelihood (Smyth 2000), all on the same folds.

    Parameters
    ----------
    rows : ndarray of shape (N, D), float64 or float32, C-contiguous
    weights : ndarray of shape (N,), or None
        A row of weight zero counts as no row at all.
    fit : callable
        Given the rows and weights of all folds but one, returns what every model becomes of them.
    n_folds : int, default=10
        From 2 to the number of rows. The folds are a random partition; their sizes differ by one at most.
    random_state : int, default=0
        Seed of the folds.
    on_fold : callable, optional
        Called after each fold with how many are done, and how many there are.
    workers : Workers, default=ALONE
        Who fits the folds side by side, by default the calling thread alone; where they are processes, ``fit`` has to
        survive pickling. The scores are the same for any.
    each : callable, optional
        Takes the numbers of the folds, and what yields the scores of some of them; yields those of all. It may keep
        them, and leave out those that it has.

    Returns
    -------
    list of FoldScores, one per model

    Raises
    ------
    ParameterError
        Fewer than two folds, or more than rows.

    Examples
    --------
    >>> from mixtura import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.select import held_out_scores
    >>> def fit(rows, weights):
    ...     return [GaussianMixture(k, random_state=0).fit(rows, sample_weight=weights).mixture_ for k in (2, 3)]
    >>> two, three = held_out_scores(make_customers(), None, fit, n_folds=5)
    >>> two.score > three.score
    True
    """
    if weights is not None and not weights.all():
        present = np.flatnonzero(weights)
        rows, weights = rows[present], weights[present]
    folds = draw_folds(rows.shape[0], n_folds, random_state)
    columns, shared = [], (rows, weights, folds, fit)

    def compute(some: list[int]) -> Iterator[tuple[float | str, ...]]:
        return iter(map_tasks(_score_fold, shared, some, workers))

    every = list(range(n_folds))
    for fold, scored in enumerate(compute(every) if each is None else each(every, compute)):
        columns.append(scored)
        if on_fold is not None:
            on_fold(fold + 1, n_folds)
    fold_weights = np.bincount(folds, weights, minlength=n_folds).astype(np.float64)
    return [_joined(scores, fold_weights) for scores in zip(*columns, strict=True)]


def draw_folds(n_rows: int, n_folds: int, random_state: int) -> IntArray:
    """Return the fold of each row, (N,), from 0; sizes differ by one at most.

    Raises
    ------
    ParameterError
        Fewer than two folds, or more than rows.
    """
    rows_fitted(n_rows, n_folds)
    order = np.random.default_rng(random_state).permutation(n_rows)
    folds = np.empty(n_rows, dtype=np.intp)
    folds[order] = np.arange(n_rows) % n_folds
    return folds


def rows_fitted(n_rows: int, n_folds: int) -> int:
    """Return how many rows a fit has at least: all but those of the largest fold.

    Raises
    ------
    ParameterError
        Fewer than two folds, or more than rows.
    """
    require_at_least("n_folds", n_folds, 2)
    if n_folds > n_rows:
        raise ParameterError(
            f"`n_folds` must be at most the number of rows, {n_rows!r}; got {n_folds!r}. Try "
            f"`n_folds={min(10, n_rows)!r}`."
        )
    return n_rows - -(-n_rows // n_folds)


def _score_fold(
    shared: tuple[RowTable, FloatArray | None, IntArray, FoldFit], fold: int
) -> tuple[float | str, ...]:
    """Return the score of every model on the rows left out, or why there is none."""
    rows, weights, folds, fit = shared
    out = folds == fold

    def part(mask: npt.NDArray[np.bool_]) -> tuple[RowTable, FloatArray | None]:
        return rows[mask], None if weights is None else weights[mask]

    models = fit(*part(~out))
    held = part(out)
    scores = [one if isinstance(one, str) else -2.0 * one.log_likelihood(*held) for one in models]
    return tuple(
        "The log-likelihood of rows held out is not finite."
        if isinstance(one, float) and not np.isfinite(one)
        else one
        for one in scores
    )


def _joined(scores: Sequence[float | str], fold_weights: FloatArray) -> FoldScores:
    failures = [
        f"In fold {fold} of {len(scores)}: {one}"
        for fold, one in enumerate(scores, 1)
        if isinstance(one, str)
    ]
    values = np.array([np.nan if isinstance(one, str) else one for one in scores])
    return FoldScores(values, fold_weights, failures[0] if failures else None)
