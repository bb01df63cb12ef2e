"""Calibration of tail probabilities by rows held out: p-values, with or without a table of normal rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.anomaly.tail_probability import ExponentialTail, exponential_tail

__all__ = ["Calibration", "ConformalCalibration", "SelfCalibration", "self_calibration"]

_START = 0.5
"""Share of the rows from which the tail of a table with anomalies is learned."""

_CENSORED = 0.1
"""Share of the rows, the strangest, of which only is used that they are: they may be anomalies."""


class Calibration:
    """What turns strangeness, minus the log of a tail probability, into p-values."""

    def log_p_values(self, strangeness: FloatArray) -> FloatArray:
        """Return the log p-value of each of some rows, (N,); at most zero."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class ConformalCalibration(Calibration):
    """Conformal p-values, from a table of normal rows (Vovk, Gammerman and Shafer 2005; Bates et al. 2023).

    ``p = (1 + number of n held-out normal rows that are as strange) / (n + 1)``: whatever the distribution of the rows,
    a new normal row has a p-value below a level with at most that probability. Rows are held out in folds and each is
    judged by a fit to the others (cross-conformal; Vovk 2015), so that none is spent on calibration alone.

    Parameters
    ----------
    held_out : ndarray of shape (n,)
        Strangeness of normal rows, in ascending order.
    """

    held_out: FloatArray

    def log_p_values(self, strangeness: FloatArray) -> FloatArray:
        n = self.held_out.size
        as_strange = n - np.searchsorted(self.held_out, strangeness, side="left")
        return np.asarray(np.log((1.0 + as_strange) / (n + 1.0)))


@dataclass(frozen=True, slots=True, eq=False)
class SelfCalibration(Calibration):
    """P-values in a table that may hold anomalies, none known.

    Ranks among the rows held out cannot do: the strangest of any table has the smallest rank. Under the right mixture
    strangeness is exponential with scale 1. What the fit is off by is learned from the half of the rows that is
    stranger than the median, with the strangest tenth censored, and the tail continued from there. Up to a tenth of
    anomalies makes p-values larger, not smaller.

    Parameters
    ----------
    held_out : ndarray of shape (n,)
        Strangeness of the rows, in ascending order.
    tail : ExponentialTail
        Its scale is the estimate with a standard error added.
    """

    held_out: FloatArray
    tail: ExponentialTail

    def log_p_values(self, strangeness: FloatArray) -> FloatArray:
        n = self.held_out.size
        as_strange = n - np.searchsorted(self.held_out, strangeness, side="left")
        by_rank = np.log((1.0 + as_strange) / (n + 1.0))
        return np.where(strangeness > self.tail.start, self.tail.log_probability(strangeness), by_rank)


def self_calibration(held_out: FloatArray) -> SelfCalibration:
    """Return what turns strangeness into p-values in a table that may hold anomalies.

    Parameters
    ----------
    held_out : ndarray of shape (n,)
        Strangeness of its rows under fits that did not see them.
    """
    ordered = np.sort(held_out)
    tail = exponential_tail(ordered, _START, _CENSORED)
    observed = max(1.0, (_START - _CENSORED) * ordered.size)
    scale = max(tail.scale, 1.0) * (1.0 + 1.0 / np.sqrt(observed))
    return SelfCalibration(ordered, ExponentialTail(tail.start, tail.share, float(scale)))
