"""How much the components of a mixture overlap, whatever customers there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.segments.merging.grouped import Groups, grouped
from mixtura.validation import Interval, require

__all__ = ["Overlap", "component_overlap"]


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Probabilities that customers drawn from the mixture are put in the wrong segment.

    Parameters
    ----------
    names : tuple of str
        Of the K segments.
    conditional : ndarray of shape (K, K)
        ``omega_ij``: the probability that a customer of segment i looks more like one of j than like one of i; the
        diagonal is zero.
    confusion : ndarray of shape (K, K)
        ``c_ij``: the probability that a customer of segment i is put in j, all segments considered; rows sum to one.
    error_rate : float
        Of the best possible rule, ``1 - sum_i w_i c_ii``.
    draws : int
        Rows drawn per component.
    standard_error : float
        Of every entry, at most.
    seed : int
    """

    names: tuple[str, ...]
    conditional: FloatArray
    confusion: FloatArray
    error_rate: float
    draws: int
    standard_error: float
    seed: int

    @property
    def pairwise(self) -> FloatArray:
        """The overlap of each two segments, ``omega_ij + omega_ji``, shape (K, K): 0 apart, about 1 the same."""
        return self.conditional + self.conditional.T


def component_overlap(
    mixture: Mixture, names: Sequence[str], *, draws: int = 10_000, seed: int = 0, groups: Groups = ()
) -> Overlap:
    """Estimate the misclassification probabilities of each two components (Maitra and Melnykov 2010).

    ``omega_ij = P(w_i N(x; mu_i, Sigma_i) < w_j N(x; mu_j, Sigma_j))`` for x from component i. For unequal covariances
    this is the distribution of a quadratic form without a closed form; a seeded sample serves every covariance family
    and any number of columns alike, and its error is known: at most ``0.5 / sqrt(draws)``. Bounds, as that of
    Bhattacharyya, would be exact numbers of something else. It does not depend on the scale of the columns.

    Parameters
    ----------
    mixture : Mixture
    names : sequence of str, length K
    draws : int, default=10_000
        Rows drawn per component, or per segment of several.
    seed : int, default=0
    groups : tuple of tuple of int, default=()
        The components of each segment, from 0; empty where each is one.

    Raises
    ------
    ParameterError
        `draws` is below 1.

    Examples
    --------
    >>> from mixtura import Mixture
    >>> from mixtura.segments import component_overlap
    >>> apart = Mixture.from_parameters([0.5, 0.5], [[0.0], [3.0]], [1.0, 1.0], "spherical")
    >>> found = component_overlap(apart, ["A", "B"])  # exactly: Phi(-3 / 2) = 0.0668
    >>> bool(abs(found.error_rate - 0.0668) < 4 * found.standard_error)
    True
    """
    require("draws", draws, Interval(1, whole=True), "Try `draws=10_000`.")
    groups = groups or tuple((i,) for i in range(mixture.n_components))
    k, rng = len(groups), np.random.RandomState(seed)
    conditional, confusion = np.zeros((k, k)), np.zeros((k, k))
    for i, group in enumerate(groups):
        memberships = grouped(mixture.responsibilities(_drawn(mixture, group, draws, rng)), groups)
        conditional[i] = (memberships > memberships[:, [i]]).mean(axis=0)
        confusion[i] = np.bincount(memberships.argmax(axis=1), minlength=k) / draws
    return Overlap(
        names=tuple(names),
        conditional=conditional,
        confusion=confusion,
        error_rate=float(1.0 - grouped(mixture.weights[None], groups)[0] @ np.diagonal(confusion)),
        draws=draws,
        standard_error=0.5 / float(np.sqrt(draws)),
        seed=seed,
    )


def _drawn(mixture: Mixture, group: tuple[int, ...], draws: int, rng: np.random.RandomState) -> FloatArray:
    """Return rows of some components together, as many of each as its share says."""
    counts, shares = [draws], mixture.weights[list(group)]
    if len(group) > 1:
        counts = rng.multinomial(draws, shares / shares.sum()).tolist()
    draw = mixture.family.storage.draw
    parts = zip(group, counts, strict=True)
    return np.vstack([draw(rng, mixture.means[i], mixture.covariances, i, count) for i, count in parts])
