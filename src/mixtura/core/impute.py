"""Missing values of rows, as a mixture has them: conditional means, and random draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import BoolArray, FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.kernels import Components, Outputs, evaluate_rows
from mixtura.kernels.patterns import RowPatterns, order_of_missing, patterns

__all__ = ["conditional_draws", "conditional_means", "expected_log_density"]

_LEAST_MEMBERSHIP = 1e-200
"""Smaller ones are near underflow: their logarithms would be of few digits, or none."""


@dataclass(frozen=True, slots=True, eq=False)
class _Conditional:
    """The rows of one pattern: ``E_k[x_m | x_o]`` of each component and what its covariance leaves open."""

    numbers: IntArray
    missing: BoolArray
    means: FloatArray  # (K, n, M)
    covariances: FloatArray  # (K, M, M)
    distances: FloatArray  # (K, n) squared, of what is observed

    def widths(self, mixture: Mixture, which: IntArray, rng: np.random.RandomState) -> FloatArray:
        """Return the random width of each row within its component, (n,): one, but for t components."""
        if mixture.tails is None:
            return np.ones(len(which))
        before = mixture.tails.freedom[which]
        after = before + (~self.missing).sum()
        return np.asarray(
            np.sqrt((before + self.distances[which, np.arange(len(which))]) / rng.chisquare(after))
        )


def conditional_means(mixture: Mixture, rows: FloatArray) -> FloatArray:
    """Return rows with missing values replaced by ``E[x_m | x_o] = sum_k r_k(x_o) E_k[x_m | x_o]``.

    With ``r_k`` the responsibilities given what is observed, and
    ``E_k[x_m | x_o] = mu_m + Sigma_mo Sigma_oo^-1 (x_o - mu_o)`` (Little and Rubin 2019, 11.2), of t components too. Of
    noise it is the middle of its range.

    Parameters
    ----------
    mixture : Mixture
    rows : ndarray of shape (N, D)
        NaN where a value is missing.
    """
    filled, memberships = rows.copy(), _memberships(mixture, rows)
    for one in _conditionals(mixture, rows):
        weights = memberships[one.numbers].T[:, :, None]
        values = (weights * one.means).sum(axis=0)
        if mixture.background is not None:
            left = 1.0 - memberships[one.numbers].sum(axis=1)
            values += left[:, None] * mixture.background.columns.center[one.missing]
        filled[np.ix_(one.numbers, one.missing)] = values
    return filled


def conditional_draws(mixture: Mixture, rows: FloatArray, rng: np.random.RandomState) -> FloatArray:
    """Return rows with missing values replaced by random draws from their distribution given what is observed.

    Parameters
    ----------
    mixture : Mixture
    rows : ndarray of shape (N, D)
        NaN where a value is missing.
    rng : RandomState
        Drawn from.
    """
    filled, memberships = rows.copy(), _memberships(mixture, rows)
    ends, last = np.cumsum(memberships, axis=1), mixture.n_components - (mixture.background is None)
    chosen = np.minimum((rng.uniform(size=len(rows))[:, None] > ends).sum(axis=1), last)
    noise = rng.standard_normal(rows.shape)
    for one in _conditionals(mixture, rows):
        which, place = np.minimum(chosen[one.numbers], mixture.n_components - 1), np.arange(one.numbers.size)
        values, vectors = np.linalg.eigh(one.covariances)
        roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        own = noise[np.ix_(one.numbers, one.missing)] * one.widths(mixture, which, rng)[:, None]
        drawn = one.means[which, place] + (roots[which] @ own[:, :, None])[:, :, 0]
        if mixture.background is not None:
            spread = mixture.background.columns.draw(rng, one.numbers.size)[:, one.missing]
            drawn = np.where(chosen[one.numbers, None] == mixture.n_components, spread, drawn)
        filled[np.ix_(one.numbers, one.missing)] = drawn
    return filled


def expected_log_density(
    mixture: Mixture, rows: FloatArray, memberships: FloatArray, known: RowPatterns | None = None
) -> FloatArray:
    """Return what the log densities of rows lack, on average, of those of whole rows, shape (N,); zero for whole rows.

    ``sum_k r_k E_k[log N(x_m; x_o)] = -sum_k r_k (log |C_k| + m (1 + log 2 pi)) / 2`` with C_k the covariance of the m
    missing values given the observed ones. Densities of different columns cannot be compared; with this added those of
    rows with missing values lie where a usual value would put them.

    Parameters
    ----------
    mixture : Mixture
    rows : ndarray of shape (N, D)
        NaN where a value is missing.
    memberships : ndarray of shape (N, K)
        Responsibilities given what is observed.
    known : RowPatterns, optional
        Of the rows, where they have been found already.
    """
    found = RowPatterns.of(rows) if known is None else known
    if found is None:
        return np.zeros(len(rows))
    halves = _expected_halves(mixture.components(), found.lacks)
    expected = -(memberships * halves[found.which]).sum(axis=1)
    if mixture.background is not None:
        left = 1.0 - memberships.sum(axis=1)
        expected -= left * (found.lacks[found.which] @ np.log(mixture.background.columns.ranges))
    return np.asarray(expected)


def _expected_halves(components: Components, lacks: BoolArray) -> FloatArray:
    """Return ``(log |C_k| + m (1 + log 2 pi)) / 2`` of patterns in their order, (U, D), for each component, (U, K).

    The log density of the values observed of a row at the means is that of a whole one with ``(log |C_k| + m log 2
    pi) / 2`` added: a pass says it that moves all means to zero and looks at one such row of each pattern.
    """
    none = np.zeros(components.n_components)
    plain = replace(
        components, means=np.zeros_like(components.means), offsets=none, table=None, background=None,
        freedom=None, negligible=0.0,
    )  # fmt: skip
    centers = np.where(lacks, np.nan, 0.0)
    order = np.arange(len(centers), dtype=np.intp)
    density, memberships = np.empty(len(centers)), np.empty((len(centers), components.n_components))
    evaluate_rows(centers, plain, Outputs(log_density=density, memberships=memberships), order=order)
    with np.errstate(divide="ignore"):
        halves = density[:, None] + np.log(memberships)
    for k in np.flatnonzero((memberships < _LEAST_MEMBERSHIP).any(axis=0)).tolist():
        evaluate_rows(centers, plain.alone(k), Outputs(log_density=density), order=order)
        halves[:, k] = density
    n_missing = lacks.sum(axis=1)[:, None]
    return np.where(n_missing > 0, halves + 0.5 * n_missing, 0.0)


def _memberships(mixture: Mixture, rows: FloatArray) -> FloatArray:
    memberships = np.empty((len(rows), mixture.n_components))
    order = order_of_missing(rows)
    evaluate_rows(rows, mixture.components(), Outputs(memberships=memberships), order=order)
    return memberships


def _conditionals(mixture: Mixture, rows: FloatArray) -> Iterator[_Conditional]:
    covariances = mixture.full_covariances()
    for observed, numbers in patterns(rows):
        missing = ~observed
        if not missing.any():
            continue
        cross = covariances[:, missing][:, :, observed]
        inside = covariances[:, observed][:, :, observed]
        gain = np.linalg.solve(inside, cross.transpose(0, 2, 1)).transpose(0, 2, 1)
        apart = rows[np.ix_(numbers, observed)] - mixture.means[:, None, observed]
        means = mixture.means[:, None, missing] + apart @ gain.transpose(0, 2, 1)
        left = covariances[:, missing][:, :, missing] - gain @ cross.transpose(0, 2, 1)
        distances = np.empty((0, 0)) if mixture.tails is None else _distances(apart, inside)
        yield _Conditional(numbers, missing, means, 0.5 * (left + left.transpose(0, 2, 1)), distances)


def _distances(apart: FloatArray, covariances: FloatArray) -> FloatArray:
    """Return squared distances, (K, n), of rows about the means, (K, n, O)."""
    return np.asarray(np.einsum("kni,kin->kn", apart, np.linalg.solve(covariances, apart.transpose(0, 2, 1))))
