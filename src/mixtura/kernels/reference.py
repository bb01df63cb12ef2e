"""The readable twin of the native core: it defines the answer.

Rows are taken in blocks and transposed, components in groups, so that every step is one NumPy
operation or one batch of matrix products over arrays of shape (G, D, B): G components of a
group, D features, B rows of a block. The mean is subtracted before anything is multiplied,
which keeps the answer right for data far from the origin.

Where the means lie within some 80 widths of their components from a common center, one subtraction
serves them all: `mixtura.kernels.expanded` takes two to six times less time there, at a loss
it bounds by 1e-10, and returns every chunk for which the bound fails.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray, RowArray
from mixtura.kernels.arguments import check_given, check_levels, check_lowered, check_masses, check_pass
from mixtura.kernels.contract import Components, Layout, Outputs
from mixtura.kernels.expanded import Expansion, lower_half
from mixtura.kernels.patterns import Given, accumulate_patterns
from mixtura.kernels.terms.entropies import scores_of
from mixtura.kernels.terms.tails import expected_sums, with_tails

__all__ = ["NumpyKernel"]

# Doubles in one (G, D, B) array, and rows in a block: measured over tables of 2 to 200 columns.
_GROUP_DOUBLES = 1 << 17
_MOST_ROWS = 2048
_FEWEST_ROWS = 512

_TIED = 1e-9
"""Log densities that differ by less, in relation to one and to themselves, may be equal but for rounding."""


class NumpyKernel:
    """One pass over a chunk of rows with NumPy and BLAS; see `mixtura.kernels.contract.Kernel`.

    Parameters
    ----------
    expand_from : int, default=512
        Rows of a chunk from which on it pays to prepare an expansion about the center of the means.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.kernels.contract import Components, Layout, Outputs
    >>> one = Components(Layout.DIAGONAL, np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1))
    >>> log_density = np.empty(2)
    >>> NumpyKernel().accumulate(np.array([[0.0], [2.0]]), None, one, None, Outputs(log_density))
    >>> log_density
    array([ 0., -2.])
    """

    name = "numpy"
    instruction_set = "blas"
    uses_blas = True

    def __init__(self, expand_from: int = 512) -> None:
        self._expand_from = expand_from

    def accumulate(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        components: Components,
        sums: FloatArray | None,
        outputs: Outputs,
        *,
        hard: bool = False,
        order: IntArray | None = None,
        beside: FloatArray | None = None,
        background: FloatArray | None = None,
    ) -> None:
        """Evaluate a chunk; add to ``sums``; fill ``outputs``. See `Kernel.accumulate`."""
        check_pass(rows, sample_weight, components, sums, outputs, order, beside, background)
        given = Given(rows, sample_weight, beside, background)
        if order is not None:
            accumulate_patterns(self._accumulate, given, components, sums, outputs, hard=hard)
        else:
            self._accumulate(given, components, sums, outputs, hard=hard)

    def _accumulate(
        self, given: Given, components: Components, sums: FloatArray | None, outputs: Outputs, *, hard: bool
    ) -> None:
        # A row of NaN, or one that overflows, is part of the contract and no news.
        with np.errstate(all="ignore"):
            plain = hard or components.freedom is not None or len(given.rows) < self._expand_from
            expansion = None if plain else Expansion.near(components)
            if expansion is None or not _pass(expansion, given, components, sums, outputs):
                _pass(_Centered(components), given, components, sums, outputs, hard=hard)

    def add_levels(self, levels: IntArray, table: FloatArray, out: FloatArray) -> None:
        """Add log probabilities of levels. See `Kernel.add_levels`."""
        check_levels(levels, None, table, out, table_written=False)
        for column in levels.T:
            out += table[column]

    def count_levels(
        self, levels: IntArray, sample_weight: FloatArray | None, memberships: FloatArray, counts: FloatArray
    ) -> None:
        """Count levels by component. See `Kernel.count_levels`."""
        check_levels(levels, sample_weight, counts, memberships, table_written=True)
        share = memberships if sample_weight is None else _times(sample_weight[:, None], memberships)
        for column in levels.T:
            for k, of_component in enumerate(share.T):
                counts[:, k] += np.bincount(column, of_component, minlength=len(counts))

    def add_masses(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        distances: FloatArray,
        candidates: FloatArray,
        masses: FloatArray,
    ) -> None:
        """Add what candidates for a seed leave of distances. See `Kernel.add_masses`."""
        check_masses(rows, sample_weight, distances, candidates, masses)
        for block in _blocks(len(rows), rows.shape[1]):
            x, nearest = _transposed(rows[block]), distances[block]
            for t, candidate in enumerate(candidates):
                left = np.minimum(nearest, np.square(x - candidate[:, None]).sum(axis=0))
                masses[t] += (left if sample_weight is None else _times(sample_weight[block], left)).sum()

    def lower_distances(self, rows: RowArray, seeds: FloatArray, distances: FloatArray) -> None:
        """Lower distances to the nearest seed. See `Kernel.lower_distances`."""
        check_lowered(rows, seeds, distances)
        for block in _blocks(len(rows), rows.shape[1]):
            x, nearest = _transposed(rows[block]), distances[block]
            for seed in seeds:
                np.fmin(nearest, np.square(x - seed[:, None]).sum(axis=0), out=nearest)

    def accumulate_given(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        responsibilities: FloatArray | IntArray,
        means: FloatArray,
        layout: Layout,
        sums: FloatArray,
    ) -> None:
        """Add up the sums of a chunk whose responsibilities are known. See `Kernel.accumulate_given`."""
        check_given(rows, sample_weight, responsibilities, means, layout, sums)
        totals = _Totals(layout, means)
        labelled = responsibilities.ndim == 1
        with np.errstate(all="ignore"):
            for block in _blocks(len(rows), means.size):
                given = responsibilities[block]
                x = _transposed(rows[block])
                weight = None if sample_weight is None else sample_weight[block]
                if labelled:
                    totals.add_labelled(x, weight, given)
                else:
                    totals.add(x, weight, given.T.astype(np.float64))
            sums[1] += _total_weight(rows, sample_weight)
            sums[2:] += totals.moments()


def _pass(
    path: _Centered | Expansion,
    given: Given,
    components: Components,
    sums: FloatArray | None,
    outputs: Outputs,
    *,
    hard: bool = False,
) -> bool:
    """Evaluate a chunk in one of the two ways; return whether it was precise, else ``sums`` are untouched."""
    log_likelihood, scores = 0.0, np.zeros(3)
    for block in path.blocks(len(given.rows)):
        rows, weight, beside, background = given.at(block)
        logs = path.log_densities(rows)
        if beside is not None:
            logs += beside.T
        log_density, memberships = (_assign if hard else _normalize)(logs, background)
        if not path.is_precise(log_density):
            return False
        if outputs.scores is not None:
            scores += scores_of(weight, log_density, logs, background, hard=hard)
        _write(outputs, block, log_density, memberships)
        if outputs.labels is not None:
            outputs.labels[block] = _labels(logs, rows, components, beside, background)
        if sums is not None:
            log_likelihood += float((log_density if weight is None else _times(weight, log_density)).sum())
            path.add(weight, memberships)
    if sums is not None:
        moments = path.moments()
        if moments is None:
            return False
        sums[0] += log_likelihood
        sums[1] += _total_weight(given.rows, given.sample_weight)
        sums[2:] += moments
    if outputs.scores is not None:
        outputs.scores[...] += scores
    return True


class _Centered:
    """A chunk's densities and sums with each mean subtracted first: right for all components."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._totals = _Totals(components.layout, components.means, components.freedom)
        self._tails: FloatArray | None = None

    def blocks(self, n_rows: int) -> Iterator[slice]:
        return _blocks(n_rows, self._components.means.size)

    def log_densities(self, rows: RowArray) -> FloatArray:
        self._x = _transposed(rows)
        logs, self._tails = _evaluate(self._x, self._components)
        return logs

    def is_precise(self, log_density: FloatArray) -> bool:
        return True

    def add(self, weight: FloatArray | None, memberships: FloatArray) -> None:
        self._totals.add(self._x, weight, memberships, self._tails)

    def moments(self) -> FloatArray:
        return self._totals.moments()


class _Totals:
    """The sums of one call, second moments not yet packed."""

    def __init__(self, layout: Layout, means: FloatArray, freedom: FloatArray | None = None) -> None:
        k, d = means.shape
        self.freedom = freedom
        self.tails = np.zeros((0 if freedom is None else 2, k))
        shape = {Layout.DENSE: (k, d, d), Layout.DIAGONAL: (k, d), Layout.SHARED: (k, 0)}
        self.layout = layout
        self.means = means
        self.counts = np.zeros(k)
        self.first = np.zeros((k, d))
        self.second = np.zeros(shape[layout])

    def add(
        self,
        x: FloatArray,
        weight: FloatArray | None,
        memberships: FloatArray,
        tails: FloatArray | None = None,
    ) -> None:
        """Add a block of shape (D, B) whose responsibilities (K, B), and weights u of t components, are known."""
        if weight is not None:
            memberships = _times(weight, memberships)
            x = np.where(weight == 0.0, 0.0, x)
        self.counts += memberships.sum(axis=1)
        if self.freedom is not None and tails is not None:
            self.tails += expected_sums(memberships, tails, self.freedom, len(x))
            memberships = _times(memberships, tails)
        for group in _groups(len(self.means), x.size):
            self._add_moments(group, x - self.means[group, :, None], memberships[group])

    def add_labelled(self, x: FloatArray, weight: FloatArray | None, labels: Array) -> None:
        """Add the rows of each label to its component alone; labels outside 0..K-1 to none."""
        for k in np.unique(labels[(labels >= 0) & (labels < len(self.means))]):
            chosen = labels == k if weight is None else (labels == k) & (weight != 0.0)
            centered = (x[:, chosen] - self.means[k, :, None])[None]
            share = np.ones((1, centered.shape[2])) if weight is None else weight[None, chosen]
            self.counts[k] += share.sum()
            self._add_moments(slice(k, k + 1), centered, share)

    def _add_moments(self, group: slice, centered: FloatArray, share: FloatArray) -> None:
        """Add ``sum_n share_n c_n`` and, as the layout asks, the squares or products of ``c_n``.

        ``centered`` has shape (G, D, B) and may be overwritten; ``share`` has shape (G, B).
        """
        self.first[group] += (centered @ share[:, :, None])[:, :, 0]
        if self.layout is Layout.DIAGONAL:
            centered *= centered
            self.second[group] += (centered @ share[:, :, None])[:, :, 0]
        elif self.layout is Layout.DENSE:
            self.second[group] += (centered * share[:, None, :]) @ centered.transpose(0, 2, 1)

    def moments(self) -> FloatArray:
        """Return counts, first and second moments, packed by rows of the lower half, and what tails add."""
        second = self.second
        if self.layout is Layout.DENSE:
            second = second[:, *lower_half(second.shape[1])]
        return np.concatenate([self.counts, self.first.ravel(), second.ravel(), self.tails.ravel()])


def _blocks(n_rows: int, doubles_per_row: int) -> Iterator[slice]:
    """Cut a chunk into blocks of rows; fewer rows where one row needs much room."""
    step = min(max(_GROUP_DOUBLES // max(doubles_per_row, 1), _FEWEST_ROWS), _MOST_ROWS)
    return (slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step))


def _groups(n_components: int, doubles_per_component: int) -> Iterator[slice]:
    """Cut the components into groups whose centered rows stay in cache together."""
    step = max(_GROUP_DOUBLES // max(doubles_per_component, 1), 1)
    return (slice(k, min(k + step, n_components)) for k in range(0, n_components, step))


def _transposed(rows: RowArray) -> FloatArray:
    """Return the block as float64 of shape (D, B), C-contiguous."""
    return np.array(rows.T, dtype=np.float64, order="C")


def _total_weight(rows: RowArray, sample_weight: FloatArray | None) -> float:
    return float(len(rows) if sample_weight is None else sample_weight.sum())


def _times(weight: FloatArray, values: FloatArray) -> FloatArray:
    """Multiply by the sample weights; a weight of zero gives zero whatever the value is."""
    product: FloatArray = np.where(weight == 0.0, 0.0, weight * values)
    return product


def _evaluate(x: FloatArray, components: Components) -> tuple[FloatArray, FloatArray | None]:
    """Return log densities, (K, B), and of t components the weights of the rows in moments, (K, B)."""
    logs = _log_densities(x, components)
    if components.freedom is None:
        return logs, None
    return with_tails(logs, components.offsets, components.freedom, components.n_features)


def _log_densities(x: FloatArray, components: Components) -> FloatArray:
    """Return ``offsets_k - |z_k|^2 / 2``, shape (K, B).

    In the shared layout a row is whitened once: ``z_k = L (x - c) - L (mu_k - c)``, where the
    center c is the mean of the means.
    """
    means, factors = components.means, components.factors
    shared = components.layout is Layout.SHARED
    center = means.mean(axis=0) if shared else means
    whitened = factors @ (x - center[:, None]) if shared else x
    subtracted = (means - center) @ factors.T if shared else means
    logs = np.empty((len(means), x.shape[1]))
    for group in _groups(len(means), x.size):
        z = whitened - subtracted[group, :, None]
        if components.layout is Layout.DENSE:
            z = factors[group] @ z
        elif components.layout is Layout.DIAGONAL:
            z *= factors[group, :, None]
        np.einsum("kdb,kdb->kb", z, z, out=logs[group])
    logs *= -0.5
    logs += components.offsets[:, None]
    return logs


def _normalize(logs: FloatArray, background: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Return ``l = log sum_k exp(logs_k)`` of shape (B,) and ``exp(logs - l)`` of shape (K, B)."""
    largest = _largest(logs, background)
    memberships = logs - largest
    np.exp(memberships, out=memberships)
    total = memberships.sum(axis=0)
    if background is not None:
        total += np.exp(background - largest)
    memberships /= total
    # Where every component is infinitely far, log(total) is NaN and the largest, -inf, says it.
    return np.fmax(largest + np.log(total), largest), memberships


def _largest(logs: FloatArray, background: FloatArray | None) -> FloatArray:
    largest: FloatArray = logs.max(axis=0)
    return largest if background is None else np.maximum(largest, background)


def _assign(logs: FloatArray, background: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Return the largest log density and the memberships of a hard assignment."""
    largest = _largest(logs, background)
    memberships = np.zeros_like(logs)
    best = logs.argmax(axis=0)[None]
    own = 1.0 if background is None else (logs.max(axis=0) >= background)[None].astype(np.float64)
    np.put_along_axis(memberships, best, own, axis=0)
    memberships[:, ~(largest > -np.inf)] = np.nan
    return largest, memberships


def _labels(
    logs: FloatArray,
    rows: RowArray,
    components: Components,
    beside: FloatArray | None,
    background: FloatArray | None,
) -> Array:
    """Return the number of the largest log density; the lowest among equals, and 0 where none is largest."""
    largest = logs.max(axis=0)
    labels = np.where(np.isnan(largest), 0, logs.argmax(axis=0))
    tied = (logs >= largest - _TIED * (1.0 + np.abs(largest))).sum(axis=0) > 1
    if tied.any():
        # Equal components come out equal to the last bit only where each is evaluated by itself.
        again, _ = _evaluate(_transposed(rows[tied]), components)
        labels[tied] = (again if beside is None else again + beside[tied].T).argmax(axis=0)
    if background is not None:
        labels[background > largest] = -1
    return labels


def _write(outputs: Outputs, block: slice, log_density: FloatArray, memberships: FloatArray) -> None:
    if outputs.log_density is not None:
        outputs.log_density[block] = log_density
    if outputs.memberships is not None:
        outputs.memberships[block] = memberships.T
