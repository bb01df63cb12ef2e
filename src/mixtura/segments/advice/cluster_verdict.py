"""Whether the customers of a segmentation form separate clusters, by the tests of `advise`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.mixture import Mixture
from mixtura.exceptions import OptionalDependencyError
from mixtura.segments.advice.analyze import FEWEST_ROWS, draw_sample
from mixtura.segments.advice.evidence.clusterability import clusterability
from mixtura.segments.advice.evidence.density_clusters import DenseClusters, dense_clusters
from mixtura.segments.advice.evidence.quick_fit import rows_by_weight
from mixtura.segments.advice.findings.column_findings import column_statistics
from mixtura.segments.advice.recommend import LEVEL, modes_reason, show_clusters

__all__ = ["ClusterVerdict", "cluster_verdict"]


@dataclass(frozen=True, slots=True)
class ClusterVerdict:
    """Whether there are separate clusters.

    Parameters
    ----------
    found : bool
    reasons : tuple of str
        What the tests say.
    """

    found: bool
    reasons: tuple[str, ...]

    @property
    def explanation(self) -> str:
        """The verdict with its reasons, and what it means for segments."""
        reasons = " ".join(self.reasons)
        if self.found:
            return f"There are separate clusters. {reasons}"
        return (
            f"No separate clusters were found. {reasons} Customers form one group; the segments divide it, and the "
            "borders between them are constructed."
        )


def cluster_verdict(
    rows: FloatArray,
    mixture: Mixture,
    labels: IntArray,
    overlap: float,
    *,
    seed: int,
    weights: FloatArray | None = None,
) -> ClusterVerdict | None:
    """Test whether a table has separate clusters, as `advise` does, beside the mixture that was chosen for it.

    The dip test of Hartigan and Hartigan (1985) along several axes, and where it finds a single mode, HDBSCAN's dense
    clusters, in a random sample of at most 2,000 rows without missing values.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        In the user's units; rows with missing values are left out.
    mixture : Mixture
        Its family and number of components say which directions are looked along.
    labels : ndarray of shape (N,)
        The component of each row.
    overlap : float
        Expected share of rows in the wrong component.
    seed : int
    weights : ndarray of shape (N,) or None, default=None
        A row of weight two is two rows.

    Returns
    -------
    ClusterVerdict or None
        None where fewer than 20 rows are complete, or diptest is not installed.
    """
    rng = np.random.default_rng(seed)
    whole = np.flatnonzero(~np.isnan(rows).any(axis=1))
    if weights is not None:
        whole = whole[rows_by_weight(weights[whole], rng)]
    if whole.size < FEWEST_ROWS:
        return None
    rows, labels = rows[whole], labels[whole]
    varying = np.flatnonzero(np.ptp(rows, axis=0) > 0)
    if not varying.size:
        return None
    facts = [column_statistics(str(d), rows[:, d]) for d in varying]
    sample = draw_sample(np.ascontiguousarray(rows[:, varying]), facts, rng)
    try:
        modes = clusterability(sample.scaled, mixture, rng)
    except OptionalDependencyError:
        return None
    if modes.p_value <= LEVEL:
        return ClusterVerdict(True, (modes_reason(modes),))
    # Second, because it takes longer: scikit-learn is loaded for it.
    dense = dense_clusters(sample.scaled, labels[sample.chosen], rng)
    found = show_clusters(modes, dense, overlap, sample.scaled.shape[1])
    return ClusterVerdict(found, (modes_reason(modes), _dense_reason(dense)))


def _dense_reason(dense: DenseClusters) -> str:
    number = len(dense.clusters)
    return (
        f"HDBSCAN finds {number} dense {'cluster' if number == 1 else 'clusters'} and leaves {dense.noise:.0%} of the "
        "rows out."
    )
