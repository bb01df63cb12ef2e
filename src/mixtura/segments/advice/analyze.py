"""Analysis of several columns together: the sample, and the evidence measured on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance import count_parameters
from mixtura.segments.advice.evidence.clusterability import Clusterability, clusterability, principal_axes
from mixtura.segments.advice.evidence.density_clusters import DenseClusters, dense_clusters
from mixtura.segments.advice.evidence.hierarchy import Nesting, hierarchy
from mixtura.segments.advice.evidence.quick_fit import (
    ComponentNormality,
    QuickFit,
    component_normality,
    quick_fit,
)
from mixtura.segments.advice.findings.capacity import ROWS_PER_PARAMETER, needs_pca
from mixtura.segments.advice.findings.column_findings import SKEW, ColumnStatistics, skewness
from mixtura.segments.merging.segment_merging import SegmentMerging, merging_of
from mixtura.segments.transforms.scaling import scaling_of

__all__ = ["FEWEST_ROWS", "SAMPLE", "Analysis", "Sample", "analyze", "draw_sample"]

SAMPLE = 2_000
"""With more rows, a random sample of this many is analyzed."""
FEWEST_ROWS = 20
"""Nothing is fitted to fewer rows."""

_KEPT_VARIANCE = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The sample that is analyzed: random rows, spread over the rounding, logged where skewed, standardized.

    Parameters
    ----------
    scaled : ndarray of shape (N, D)
        Standardized columns, or principal components where the rows do not support the columns.
    scale : ndarray of shape (D,)
        Standard deviations; of the principal components, one.
    logged : tuple of str
        Columns taken as ``log(1 + x)``.
    n_axes : int
        Number of principal components; 0 where columns are used.
    explained : float
        Share of the variance that these hold; 1 where columns are used.
    chosen : ndarray of shape (N,)
        Numbers of the rows drawn.
    """

    scaled: FloatArray
    scale: FloatArray
    logged: tuple[str, ...]
    n_axes: int
    explained: float
    chosen: IntArray


def draw_sample(rows: FloatArray, facts: Sequence[ColumnStatistics], rng: np.random.Generator) -> Sample:
    """Draw at most `SAMPLE` rows and make them comparable.

    Rounded values are spread evenly over the interval they were rounded from, so that ties are not modes. A
    non-negative column with a skewness above 2 is logged, if that reduces its skewness.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        In the user's units.
    facts : sequence of ColumnStatistics
    rng : numpy.random.Generator
    """
    chosen = np.sort(rng.permutation(len(rows))[:SAMPLE])
    values = rows[chosen]
    steps = np.array([one.step for one in facts])
    values = values + steps * rng.uniform(-0.5, 0.5, size=values.shape)
    logged = []
    for position, one in enumerate(facts):
        if one.skewness > SKEW[1] and one.lowest >= 0:
            changed = np.log1p(values[:, position])
            if abs(skewness(changed)) < one.skewness:
                values[:, position] = changed
                logged.append(one.name)
    scaling = scaling_of(values)
    varies = scaling.scale > 0  # a rare value may be missing from the sample
    scaled = (values[:, varies] - scaling.center[varies]) / scaling.scale[varies]
    if needs_pca(*scaled.shape):
        return _reduced(scaled, tuple(logged), chosen)
    return Sample(np.ascontiguousarray(scaled), scaling.scale[varies], tuple(logged), 0, 1.0, chosen)


def _reduced(scaled: FloatArray, logged: tuple[str, ...], chosen: IntArray) -> Sample:
    """Return the leading principal components that hold 80 percent of the variance, as far as the rows support them."""
    axes = principal_axes(scaled)
    scores = scaled @ axes.T
    shares = np.square(scores).sum(axis=0) / np.square(scaled).sum()
    most = 1
    while count_parameters("tied", 2, most + 1) * ROWS_PER_PARAMETER <= len(scaled) and most < len(axes):
        most += 1
    count = min(most, 1 + int(np.searchsorted(shares.cumsum(), _KEPT_VARIANCE)))
    kept = scores[:, :count]
    standardized = np.ascontiguousarray(kept / kept.std(axis=0))
    return Sample(standardized, np.ones(count), logged, count, float(shares[:count].sum()), chosen)


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The evidence measured on the sample."""

    sample: Sample
    fit: QuickFit
    clusters: Clusterability
    dense: DenseClusters
    levels: Nesting
    normality: tuple[ComponentNormality, ...]
    merging: SegmentMerging

    @property
    def n_merged(self) -> int | None:
        """How many segments components make that are clearly parts of one group; None where none are, or all."""
        return self.merging.offered


def analyze(sample: Sample, seed: int, rng: np.random.Generator) -> Analysis:
    """Fit mixtures, test for clusters, find dense clusters and hierarchy, test components for normality."""
    fit = quick_fit(sample.scaled, sample.scale, seed)
    return Analysis(
        sample=sample,
        fit=fit,
        clusters=clusterability(sample.scaled, fit.mixture, rng),
        dense=dense_clusters(sample.scaled, fit.labels, rng),
        levels=hierarchy(fit.mixture),
        normality=component_normality(sample.scaled, fit.mixture, rng),
        merging=merging_of(fit.mixture, fit.mixture.responsibilities(sample.scaled), None, seed),
    )
