"""Storages of covariances: matrices, one matrix, variances, one variance per component."""

from mixtura.core.covariance.storage.base import Storage
from mixtura.core.covariance.storage.matrices import Matrices, OneMatrix
from mixtura.core.covariance.storage.variances import OneVariance, Variances

__all__ = ["MATRICES", "ONE_MATRIX", "ONE_VARIANCE", "STORAGES", "VARIANCES", "Storage"]

MATRICES, ONE_MATRIX, VARIANCES, ONE_VARIANCE = Matrices(), OneMatrix(), Variances(), OneVariance()

STORAGES: tuple[Storage, ...] = (MATRICES, ONE_MATRIX, VARIANCES, ONE_VARIANCE)
"""All of them."""
