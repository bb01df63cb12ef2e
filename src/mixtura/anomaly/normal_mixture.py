"""The mixture of the normal rows: the best of a search, without the components that are too small to be normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.anomaly.standard_rows import StandardRows
from mixtura.core.impute import expected_log_density
from mixtura.core.mixture import Mixture
from mixtura.engine import as_data
from mixtura.kernels import Outputs, evaluate_rows
from mixtura.kernels.patterns import RowPatterns
from mixtura.select import search
from mixtura.select.inference.refit import Refit
from mixtura.select.scores.folds import draw_folds
from mixtura.validation import count_rows

__all__ = ["NormalMixture", "learn_normal", "log_density", "log_density_of_patterns", "without_small"]

_FOLDS = 5
_COVARIANCE_TYPES = ("full", "tied")
"""Those in which columns depend on each other: without, dependent columns are described by many small components."""


@dataclass(frozen=True, slots=True, eq=False)
class NormalMixture:
    """What normal rows look like.

    Parameters
    ----------
    whole : Mixture
        As it was found, of standard rows.
    normal : Mixture
        Its components that count as normal.
    """

    whole: Mixture
    normal: Mixture

    def held_out(self, rows: StandardRows, min_share: float, seed: int) -> FloatArray:
        """Return the log density of each sampled row under a fit to the other folds, (n,).

        The fits go on from where the fit of all rows ended.

        Parameters
        ----------
        rows : StandardRows
            That it was found on.
        min_share : float
        seed : int
            Of the folds.
        """
        sample, weights = rows.sample, rows.weights
        n_folds = min(_FOLDS, len(sample))
        folds, found = draw_folds(len(sample), n_folds, seed), np.empty(len(sample))
        for fold in range(n_folds):
            out = folds == fold
            data = as_data(np.ascontiguousarray(sample[~out]), None if weights is None else weights[~out])
            fitted = Refit().from_mixture(data, self.whole).mixture
            found[out] = log_density(without_small(fitted, min_share), np.ascontiguousarray(sample[out]))
        return found


def learn_normal(rows: StandardRows, components: Sequence[int], min_share: float, seed: int) -> NormalMixture:
    """Find the mixture of the normal rows in a table that may hold anomalies, by BIC.

    Parameters
    ----------
    rows : StandardRows
    components : sequence of int
        Numbers of components to try; those beyond the number of rows are left out.
    min_share : float
        Components of less weight are not normal; see `without_small`.
    seed : int
    """
    sizes = [k for k in components if k <= count_rows(rows.sample, rows.weights)]
    found = search(
        rows.sample,
        components=sizes or [1],
        covariance_types=_COVARIANCE_TYPES,
        sample_weight=rows.weights,
        random_state=seed,
        missing="fiml",
    ).best.mixture
    assert found is not None, "a search without any fit has raised"
    return NormalMixture(found, without_small(found, min_share))


def without_small(mixture: Mixture, min_share: float) -> Mixture:
    """Return the mixture of the components that are large enough to be normal, their weights divided by their sum.

    In a fit to rows with anomalies among them a small component may settle on the anomalies, which are then
    the most likely rows of all. Anomalies are few: what they form together has little weight, and without its component
    they are far from all others. Where no component is large enough, the largest stays.

    Parameters
    ----------
    mixture : Mixture
    min_share : float
        Least weight of a normal component.
    """
    kept = mixture.weights >= min(min_share, mixture.weights.max())
    if kept.all():
        return mixture
    family, weights = mixture.family, mixture.weights[kept] / mixture.weights[kept].sum()
    stored = mixture.covariances[kept] if family.storage.per_component else mixture.covariances
    factors = family.storage.factor(stored, int(kept.sum()), mixture.n_features)
    return Mixture(weights, mixture.means[kept], stored, family, factors)


def log_density(mixture: Mixture, rows: FloatArray) -> FloatArray:
    """Return the log density of rows, (N,), that can be compared where some have missing values.

    A row that lacks values has the log density that is expected of the whole row.

    Parameters
    ----------
    mixture : Mixture
    rows : ndarray of shape (N, D), C-contiguous
        NaN where a value is missing.
    """
    return log_density_of_patterns(mixture, rows, RowPatterns.of(rows))


def log_density_of_patterns(mixture: Mixture, rows: FloatArray, patterns: RowPatterns | None) -> FloatArray:
    """Return `log_density` of rows whose patterns are known, None where nothing is missing: for several mixtures."""
    found = np.empty(len(rows))
    if patterns is None:
        evaluate_rows(rows, mixture.components(), Outputs(log_density=found))
        return found
    memberships = np.empty((len(rows), mixture.n_components))
    outputs = Outputs(log_density=found, memberships=memberships)
    evaluate_rows(rows, mixture.components(), outputs, order=patterns.order)
    # Nothing is to be expected of a row so far off that its squares overflow.
    return np.where(
        np.isneginf(found), found, found + expected_log_density(mixture, rows, memberships, patterns)
    )
