"""Directions along which the components of a mixture differ most, to show many columns in two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.exceptions import ParameterError

__all__ = ["Projection", "discriminant_projection", "total_moments"]

_NOTHING = float(np.sqrt(np.finfo(np.float64).eps))
"""Directions with smaller eigenvalues do not separate the components (as in mclust)."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """``z = (x - center) B``: coordinates in which the components of a mixture differ.

    Parameters
    ----------
    center : ndarray of shape (D,)
        Mean of the mixture.
    basis : ndarray of shape (D, E)
        One direction per column, the most informative first. Along each the mixture has variance one, and between any
        two covariance zero.
    eigenvalues : ndarray of shape (E,)
        How much each direction separates the components; zero for one that was added because fewer do.
    loadings : ndarray of shape (D, E)
        Directions of the standardized columns, of length one: what each column contributes.
    """

    center: FloatArray
    basis: FloatArray
    eigenvalues: FloatArray
    loadings: FloatArray

    def apply(self, rows: FloatArray) -> FloatArray:
        """Return the coordinates of rows of shape (N, D), shape (N, E)."""
        return np.ascontiguousarray((rows - self.center) @ self.basis)

    def mixture(self, mixture: Mixture) -> Mixture:
        """Return the mixture of the coordinates."""
        return mixture.affine(self.basis.T, -self.center @ self.basis)


def total_moments(mixture: Mixture) -> tuple[FloatArray, FloatArray]:
    """Return mean (D,) and covariance (D, D) of the whole mixture.

    ``mu = sum_k w_k mu_k``, ``Sigma = sum_k w_k (Sigma_k + (mu_k - mu)(mu_k - mu)^T)``.
    """
    center = mixture.weights @ mixture.means
    off = mixture.means - center
    within = np.einsum("k,kij->ij", mixture.weights, mixture.full_covariances())
    return center, within + (off * mixture.weights[:, None]).T @ off


def discriminant_projection(
    mixture: Mixture, n_directions: int = 2, *, location_share: float = 0.5
) -> Projection:
    """Return the directions along which the components' means and covariances differ most.

    Generalized eigenvectors of the kernel ``M v = l Sigma v`` with
    ``M = 2 s M_I Sigma^-1 M_I + 2 (1 - s) M_II``, ``M_I = sum_k w_k (mu_k - mu)(mu_k - mu)^T``,
    ``M_II = sum_k w_k (Sigma_k - S) Sigma^-1 (Sigma_k - S)`` and ``S = sum_k w_k Sigma_k``, where Sigma is the
    covariance of the whole mixture and s is `location_share` (Scrucca 2010, Dimension reduction for model-based
    clustering, Statistics and Computing 20; the share as in mclust's ``MclustDR``). Units of columns do not matter.

    Where fewer than `n_directions` separate the components (one component; two of one covariance), those of largest
    variance of the standardized columns are added, without correlation to the others.

    Parameters
    ----------
    mixture : Mixture
        Of D columns.
    n_directions : int, default=2
        From 1 to D.
    location_share : float, default=0.5
        From 0, differences of covariances alone, to 1, differences of means alone. 0.5 is the kernel of the paper.

    Raises
    ------
    ParameterError
        A parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura import Mixture
    >>> from mixtura.core.projection import discriminant_projection
    >>> mixture = Mixture.from_parameters([0.5, 0.5], [[0.0, 0, 0], [0, 4, 0]], [1.0, 1.0], "spherical")
    >>> found = discriminant_projection(mixture)
    >>> found.loadings[:, 0].round(3).tolist()
    [0.0, 1.0, 0.0]
    >>> bool(found.eigenvalues[1] == 0)
    True
    """
    if not 1 <= n_directions <= mixture.n_features:
        raise ParameterError(
            f"`n_directions` must be from 1 to the number of columns, {mixture.n_features!r}; got {n_directions!r}."
        )
    if not 0 <= location_share <= 1:
        raise ParameterError(f"`location_share` must be from 0 to 1; got {location_share!r}.")
    center, total = total_moments(mixture)
    deviations = np.sqrt(np.diag(total))
    correlations = total / np.outer(deviations, deviations)
    whitening = _inverse_root(correlations)
    kernel = _whitened_kernel(mixture, center, deviations, whitening, location_share)
    eigenvalues, vectors = _leading(kernel, n_directions)
    found = int((eigenvalues > _NOTHING).sum())
    if found < n_directions:
        eigenvalues[found:] = 0.0
        vectors[:, found:] = _widest(correlations, vectors[:, :found], n_directions - found)
    loadings = whitening @ vectors
    largest = loadings[np.abs(loadings).argmax(axis=0), np.arange(n_directions)]
    loadings = loadings * np.where(largest < 0, -1.0, 1.0)
    return Projection(
        center=center,
        basis=loadings / deviations[:, None],
        eigenvalues=eigenvalues,
        loadings=loadings / np.linalg.norm(loadings, axis=0),
    )


def _inverse_root(matrix: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def _whitened_kernel(
    mixture: Mixture, center: FloatArray, deviations: FloatArray, whitening: FloatArray, share: float
) -> FloatArray:
    """Return ``Sigma^-1/2 M Sigma^-1/2``; with whitened rows Sigma is the identity and drops out of M."""
    means = (mixture.means - center) / deviations @ whitening
    scaled = mixture.full_covariances() / np.outer(deviations, deviations)
    covariances = whitening @ scaled @ whitening
    between = (means * mixture.weights[:, None]).T @ means
    off = covariances - np.einsum("k,kij->ij", mixture.weights, covariances)
    spread = np.einsum("k,kij,kjl->il", mixture.weights, off, off)
    return np.asarray(2 * share * between @ between + 2 * (1 - share) * spread)


def _leading(matrix: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return values[::-1][:count].copy(), vectors[:, ::-1][:, :count].copy()


def _widest(correlations: FloatArray, known: FloatArray, count: int) -> FloatArray:
    """Return orthonormal vectors, orthogonal to the known ones, whose directions have the largest correlations."""
    rest = np.eye(len(known)) - known @ known.T
    return _leading(rest @ correlations @ rest, count)[1]
