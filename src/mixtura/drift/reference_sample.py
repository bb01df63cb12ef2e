"""What is compared with: the sums of the rows that a mixture was learned from, as if it had not seen them.

A mixture fits the rows it was learned from better than others: by about one half nat for each of its p parameters, and
fresh rows lie below what is true by as much again, so that their mean log-likelihood is p / n below that of the former
(Akaike 1973). Few rows are therefore evaluated by mixtures learned without them: sums of folds, each about the mixture
of the other folds, are what sums of fresh rows would be. These mixtures are a few iterations of EM from the one that is
judged: one that went on to another optimum would say what lies between the two, and nothing of rows that were seen.
Where the rows are many for the parameters, the difference is far below what sampling explains, and the rows themselves
serve.

Differences of means between two samples about one estimated mixture have, to first order, the variance
``v (1 / n + 1 / m)`` of two independent samples, whatever was estimated and whether or not the mixture is the true
distribution: the derivative with respect to the parameters is the same in both and cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.data import Data
from mixtura.core.evaluate import hash_numbers
from mixtura.core.mixture import Mixture
from mixtura.drift.drift_sums import Cuts, DriftSums, drift_sums, log_densities
from mixtura.exceptions import MixturaError
from mixtura.select.inference.refit import Refit
from mixtura.select.priors import PriorName

__all__ = ["Reference", "reference_of", "reference_of_fresh_rows", "reference_of_model"]

_ENOUGH = 100
"""Rows for each parameter from which on the fit need not be undone."""
_STEPS = 10
"""Iterations from the mixture to one without a fold. What they do not reach in these is another optimum."""

_FOLDS, _MORE_FOLDS = 5, 10
_FEW_ROWS = 2_000
_QUANTILES = (0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_TAIL = 0.02
_DEEPER = (0.002, 0.006)
"""Of the log densities, below the tail: where rows are that are nothing like others."""
_SIMULATED, _MOST_DRAWN = 10, 20_000

_MANY, _ROUNDING = 0.01, 1e-9
"""Share of the rows from which on equal ones are many; of a log density, by which that of equal rows may differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The sums of the rows that others are compared with.

    Parameters
    ----------
    sums : DriftSums
    cuts : Cuts
    held_out : bool
        Whether each row was evaluated by a mixture that had not seen it.
    simulated : bool, default=False
        Whether the rows were drawn from the mixture, because those it was learned from are not known.
    """

    sums: DriftSums
    cuts: Cuts
    held_out: bool
    simulated: bool = False

    def ordered(self, order: Sequence[int]) -> Reference:
        """Return the reference of the mixture with its components in another order."""
        return replace(self, sums=self.sums.ordered(order))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for a model file."""
        return {
            "held_out": self.held_out,
            "edges": self.cuts.edges.tolist(),
            "tail": float(self.cuts.tail),
            "threshold": None if self.cuts.threshold is None else float(self.cuts.threshold),
            "sums": self.sums.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any], n_components: int) -> Self:
        """Return what `to_dict` wrote."""
        cuts = Cuts(np.array(content["edges"]), content["tail"], content["threshold"])
        return cls(DriftSums.from_dict(content["sums"], n_components), cuts, content["held_out"])


def reference_of(
    data: Data,
    mixture: Mixture,
    offsets: FloatArray | None = None,
    *,
    threshold: float | None = None,
    prior: PriorName | float = "floor",
) -> Reference:
    """Return the reference of a mixture that was learned from these rows.

    Parameters
    ----------
    data : Data
        The rows it was learned from, N of them, with their weights.
    mixture : Mixture
    offsets : ndarray of shape (N,), optional
        What is added to the log density of each row.
    threshold : float or None, default=None
        Log density below which a row is an anomaly.
    prior : {"floor", "conjugate"} or float, default="floor"
        What kept covariances from collapsing.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import GaussianMixture
    >>> from mixtura.drift import reference_of
    >>> from mixtura.engine import as_data
    >>> rows = np.random.RandomState(0).standard_normal((200, 2))
    >>> data = as_data(rows)
    >>> found = reference_of(data, GaussianMixture(1).fit(rows).mixture_)
    >>> found.held_out, found.sums.n_rows
    (True, 200)
    """
    added = np.zeros(data.n_rows) if offsets is None else offsets
    if data.total_weight >= _ENOUGH * mixture.n_parameters:
        return _of_parts([(data, mixture, added)], mixture, threshold, held_out=False)
    folds = _FOLDS if data.n_rows > _FEW_ROWS else min(_MORE_FOLDS, data.n_rows)
    fold = np.argsort(np.argsort(hash_numbers(np.arange(data.n_rows), 0))) % folds
    parts = []
    for number in range(folds):
        inside, outside = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        parts.append((data.select(inside), _refitted(data.select(outside), mixture, prior), added[inside]))
    found = _of_parts(parts, mixture, threshold, held_out=True)
    # Where a fit is not at its optimum as many steps go on from it for all rows, too: what they change does not come
    # from having seen the rows.
    offset = data.state_of(added)
    own = drift_sums(data, mixture, found.cuts, offset)
    converged = drift_sums(data, _refitted(data, mixture, prior), found.cuts, offset)
    return replace(found, sums=found.sums + own + converged.scaled(-1.0))


def reference_of_fresh_rows(
    data: Data, mixture: Mixture, offsets: FloatArray | None = None, *, threshold: float | None = None
) -> Reference:
    """Return the reference of rows that a mixture was not learned from."""
    added = np.zeros(data.n_rows) if offsets is None else offsets
    return _of_parts([(data, mixture, added)], mixture, threshold, held_out=True)


def _refitted(data: Data, mixture: Mixture, prior: PriorName | float) -> Mixture:
    """Return the mixture learned from other rows; the given one where that fails."""
    try:
        return Refit(prior, n_steps=_STEPS).from_mixture(data, mixture).mixture
    except MixturaError:
        return mixture


def _of_parts(
    parts: list[tuple[Data, Mixture, FloatArray]],
    judged: Mixture,
    threshold: float | None,
    *,
    held_out: bool,
) -> Reference:
    cuts = replace(_cuts(parts, judged), threshold=threshold)
    total: DriftSums | None = None
    for data, mixture, offsets in parts:
        more = drift_sums(data, mixture, cuts, data.state_of(offsets))
        total = more if total is None else total + more
    assert total is not None, "there is at least one part"
    return Reference(total, cuts, held_out)


def _cuts(parts: list[tuple[Data, Mixture, FloatArray]], judged: Mixture) -> Cuts:
    """Return the quantiles of the log densities.

    Many rows may be equal, all zeros for example. A cut in the midst of those would say on which side of it each fold
    has put them: it goes below them.
    """
    densities = [log_densities(data, mixture, offsets) for data, mixture, offsets in parts]
    weights = [data.rows_and_weights(np.arange(data.n_rows))[1] for data, _, _ in parts]
    density, weight = np.concatenate(densities), np.concatenate(weights)
    order = np.argsort(density)
    places = np.searchsorted(np.cumsum(weight[order]) / weight.sum(), (_TAIL, *_DEEPER, *_QUANTILES))
    found = density[order][np.minimum(places, density.size - 1)]
    # Where a quantile lies among noise, the cut is between noise and all others.
    least = density[np.isfinite(density)].min(initial=np.inf)
    found = np.maximum(found, least if np.isfinite(least) else 0.0)
    same = np.concatenate([log_densities(data, judged, offsets) for data, _, offsets in parts])
    for low, high in _repeated(same, density, weight):
        found = np.where((found >= low) & (found <= high), low, found)
    return Cuts(np.unique(found[1:]), float(found[0]))


def _repeated(same: FloatArray, density: FloatArray, weight: FloatArray) -> list[tuple[float, float]]:
    """Return between which log densities the rows lie that are equal to many others; intervals that are apart.

    Parameters
    ----------
    same : ndarray of shape (N,)
        Log densities by one mixture, which are equal where rows are.
    density, weight : ndarray of shape (N,)
        Those by the folds' mixtures, and the weights of the rows.
    """
    order = np.argsort(same)
    values, others, held = same[order], density[order], weight[order]
    finite = np.isfinite(values)
    values, others, held = values[finite], others[finite], held[finite]
    if not values.size:
        return []
    begins = np.flatnonzero(np.append(True, np.diff(values) > _ROUNDING * (1.0 + np.abs(values[1:]))))
    many = np.add.reduceat(held, begins) >= _MANY * weight.sum()
    low = np.minimum(np.minimum.reduceat(others, begins), values[begins])[many]
    high = np.maximum(np.maximum.reduceat(others, begins), np.maximum.reduceat(values, begins))[many]
    margin = _ROUNDING * (1.0 + np.abs(low))
    spans = list[tuple[float, float]]()
    for one in sorted(zip((low - margin).tolist(), (high + margin).tolist(), strict=True)):
        if spans and one[0] <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], one[1])
        else:
            spans.append(one)
    return spans


def reference_of_model(
    mixture: Mixture,
    n_rows: int,
    like: Data,
    offsets: Callable[[FloatArray], FloatArray],
    *,
    threshold: float | None = None,
    prior: PriorName | float = "floor",
) -> Reference:
    """Return the reference of a mixture whose rows are not known: of rows drawn from it.

    As if it were exactly right: where real rows have heavier tails than it, they will look changed. A mixture is
    learned from as many rows drawn as it was learned from, and its sums are those of fresh draws; the average of
    several such mixtures stands for one sample of that size.

    Parameters
    ----------
    mixture : Mixture
        Without discrete columns.
    n_rows : int
        Rows it was learned from.
    like : Data
        Rows that draws shall be handled like.
    offsets : callable
        From rows drawn to what is added to their log densities.
    threshold : float or None, default=None
    prior : {"floor", "conjugate"} or float, default="floor"
    """
    rng = np.random.RandomState(0)
    size = max(n_rows, mixture.n_components + 1)
    parts = []
    for _ in range(_SIMULATED):
        learned, fresh = (mixture.sample(min(size, _MOST_DRAWN), rng)[0] for _ in range(2))
        fitted = mixture
        if size < _ENOUGH * mixture.n_parameters and size <= _MOST_DRAWN:
            fitted = _refitted(like.in_memory(np.ascontiguousarray(learned)), mixture, prior)
        parts.append((like.in_memory(np.ascontiguousarray(fresh)), fitted, offsets(fresh)))
    made = _of_parts(parts, mixture, threshold, held_out=True)
    return replace(made, sums=made.sums.scaled(n_rows / made.sums.n_rows), simulated=True)
