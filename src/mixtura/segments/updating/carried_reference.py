"""What later rows are compared with, carried over to the mixture that an update has made of the old one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.mixture import Mixture
from mixtura.core.packed import pack_lower
from mixtura.drift import Reference
from mixtura.drift.drift_sums import DriftSums

__all__ = ["carried_reference"]

_SQUARED_TOTALS = [2, 4, 5]
_SUMS = ("bins", "shares", "first", "known", "second", "levels")
_SQUARED = (
    "shares_squared", "products", "first_squared", "known_squared", "second_squared", "fourth", "levels_squared",
)  # fmt: skip


def carried_reference(
    reference: Reference, before: Mixture, after: Mixture, *, factor: float, gain: float
) -> Reference:
    """Return the reference of earlier rows about another mixture, which did not move far from the one it was about.

    Sums of ``a z`` and ``a z z^T`` are moved exactly, where no value is missing. Memberships stay those of the old
    mixture, log densities move by what they do on average, and third moments, which the fourth ones would need, are
    taken for zero: they only say how far sums differ from sample to sample.

    Parameters
    ----------
    reference : Reference
    before, after : Mixture
        Of K components in D columns.
    factor : float
        How much the rows still count.
    gain : float
        By how much the mean log density of the rows changes, in nats.
    """
    cuts, sums = reference.cuts, _faded(reference.sums, factor)
    totals = sums.totals.copy()
    totals[3] += gain * totals[1]
    totals[5] += 2 * gain * totals[4] + gain**2 * totals[2]
    totals[4] += gain * totals[2]
    widths = [np.sqrt(np.diagonal(one.full_covariances(), axis1=1, axis2=2)) for one in (before, after)]
    moved = _moved(sums, widths[0] / widths[1], (before.means - after.means) / widths[1])
    threshold = None if cuts.threshold is None else cuts.threshold + gain
    cuts = replace(cuts, edges=cuts.edges + gain, tail=cuts.tail + gain, threshold=threshold)
    return replace(reference, sums=replace(moved, totals=totals), cuts=cuts)


def _faded(sums: DriftSums, factor: float) -> DriftSums:
    """Return the sums of rows whose weights are multiplied by a factor."""
    by = np.full(len(sums.totals), factor)
    by[0], by[_SQUARED_TOTALS] = 1.0, factor**2
    parts = {name: getattr(sums, name) * factor for name in _SUMS}
    parts |= {name: getattr(sums, name) * factor**2 for name in _SQUARED}
    return replace(sums, totals=sums.totals * by, **parts)


def _moved(sums: DriftSums, ratio: FloatArray, shift: FloatArray) -> DriftSums:
    """Return the sums of ``ratio z + shift`` in place of z, both (K, D)."""
    r, s = ratio, shift
    pair = {
        name: sums.of_pairs(name) for name in ("known", "known_squared", "second", "second_squared", "fourth")
    }
    found = {}
    for first, second, known in (
        ("first", "second", "known"),
        ("first_squared", "second_squared", "known_squared"),
    ):
        one, there = getattr(sums, first), np.diagonal(pair[known], axis1=1, axis2=2)
        cross = (r * one)[:, :, None] * s[:, None, :]
        square = r[:, :, None] * r[:, None, :] * pair[second]
        square = square + cross + cross.swapaxes(1, 2) + pair[known] * s[:, :, None] * s[:, None, :]
        found[first], found[second] = r * one + s * there, pack_lower(square)
    squares, moments = np.diagonal(pair["second_squared"], axis1=1, axis2=2), sums.first_squared
    half = (r**2 * squares)[:, :, None] * (s**2)[:, None, :]
    line = (2 * r * s * moments)[:, :, None] * (s**2)[:, None, :]
    both = (r * s)[:, :, None] * (r * s)[:, None, :]
    fourth = (r**2)[:, :, None] * (r**2)[:, None, :] * pair["fourth"] + 4 * both * pair["second_squared"]
    fourth += half + half.swapaxes(1, 2) + line + line.swapaxes(1, 2)
    fourth += pair["known_squared"] * (s**2)[:, :, None] * (s**2)[:, None, :]
    return replace(sums, **found, fourth=pack_lower(fourth))
