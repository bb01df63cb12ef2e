"""The guided tour: every figure that `mixtura demo` shows, on 300 generated customers.

All fits are ``GaussianMixture(3, random_state=42)`` with one parameter changed at a time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.datasets import customer_columns, make_customers, make_mall_customers, make_purchases
from mixtura.exceptions import ParameterError
from mixtura.io import output_file, translate_os_errors
from mixtura.segments.certainty.ambiguous import most_ambiguous

__all__ = ["CollapseRow", "CountRow", "ShapeRow", "Tour", "take_tour", "write_customers", "write_look_alike"]

SEED = 42
N_SEGMENTS = 3
ANOMALY_PERCENTILE = 4
COLLAPSED_SEGMENTS = 20
"""With this many segments for 300 customers one of them collapses onto a single customer."""

LookAlike: TypeAlias = Literal["mall", "purchases"]

_LOOK_ALIKES: Final[dict[str, Callable[..., Any]]] = {
    "mall": make_mall_customers,
    "purchases": make_purchases,
}


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """A covariance type (or K-means), how separated its clusters are, how well the model describes the table."""

    name: str
    silhouette: float
    bic: float | None


@dataclass(frozen=True, slots=True)
class CountRow:
    """A number of segments and its criteria."""

    n_components: int
    bic: float
    aic: float


@dataclass(frozen=True, slots=True)
class CollapseRow:
    """A floor `reg_covar`, and the narrowest segment under it: its width, its customers, the highest log density."""

    reg_covar: float
    deviation: float
    customers: float
    highest_log_density: float
    log_likelihood: float


@dataclass(frozen=True, slots=True, eq=False)
class Tour:
    """All figures of the tour.

    Parameters
    ----------
    columns : tuple of str
    customers : ndarray of shape (300, 2)
    memberships : ndarray of shape (300, 3)
    weights : ndarray of shape (3,)
    means : ndarray of shape (3, 2)
    converged : bool
    n_iter : int
    ambiguous : ndarray of shape (5,)
        Customer numbers, the least certain first.
    kmeans_label : int
        What K-means says of the first of them.
    kmeans_distances : ndarray of shape (3,)
        How far the K-means centers are from that customer.
    shapes : tuple of ShapeRow
    counts : tuple of CountRow
    log_density : ndarray of shape (300,)
    threshold : float
        The 4th percentile of the log density.
    anomalies : ndarray
        Customers below the threshold.
    collapse : tuple of CollapseRow
        The floor from low to high.
    """

    columns: tuple[str, ...]
    customers: FloatArray
    memberships: FloatArray
    weights: FloatArray
    means: FloatArray
    converged: bool
    n_iter: int
    ambiguous: IntArray
    kmeans_label: int
    kmeans_distances: FloatArray
    shapes: tuple[ShapeRow, ...]
    counts: tuple[CountRow, ...]
    log_density: FloatArray
    threshold: float
    anomalies: IntArray
    collapse: tuple[CollapseRow, ...]

    @property
    def best_by_bic(self) -> int:
        return min(self.counts, key=lambda row: row.bic).n_components

    @property
    def best_by_aic(self) -> int:
        return min(self.counts, key=lambda row: row.aic).n_components


def write_customers(path: str | Path, *, overwrite: bool = False) -> Path:
    """Write the tour's table as CSV: customer, income, spending; every digit, so that the figures can be repeated.

    Parameters
    ----------
    path : str or Path
        The file; its directory is made if only that is missing. A file that holds this table already is left as it is.
    overwrite : bool, default=False
        Replace a file of other content.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        The file exists with other content, or cannot be written.
    """
    lines = [",".join(("customer", *customer_columns()))]
    for number, values in enumerate(make_customers().tolist()):
        lines.append(",".join(map(repr, (number, *values))))
    return _written(path, lines, overwrite=overwrite)


def write_look_alike(table: LookAlike, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a table like one of those that segmentation is taught and tried on, as CSV.

    Parameters
    ----------
    table : {"mall", "purchases"}
        Of `mixtura.datasets.make_mall_customers` or `mixtura.datasets.make_purchases`, with their defaults.
    path : str or Path
        As in `write_customers`.
    overwrite : bool, default=False
        Replace a file of other content.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        There is no such table.
    OutputError
        As in `write_customers`.
    """
    if table not in _LOOK_ALIKES:
        raise ParameterError(f"`table` must be one of {sorted(_LOOK_ALIKES)}; got {table!r}. Try 'mall'.")
    columns = _LOOK_ALIKES[table](as_frame="pyarrow").to_pydict()
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    return _written(path, lines, overwrite=overwrite)


def _written(path: str | Path, lines: Sequence[str], *, overwrite: bool) -> Path:
    path, text = Path(path), "\n".join(lines) + "\n"
    with translate_os_errors(path):
        if path.is_file() and path.read_bytes() == text.encode():
            return path
        path.parent.mkdir(exist_ok=True)
    with output_file(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def take_tour() -> Tour:
    """Fit everything the tour shows; takes less than a second.

    Examples
    --------
    >>> from mixtura.demo import take_tour
    >>> tour = take_tour()
    >>> tour.n_iter, int(tour.ambiguous[0]), tour.best_by_bic
    (6, 119, 3)
    """
    from mixtura.estimators import GaussianMixture, KMeans

    customers = make_customers()
    model = GaussianMixture(N_SEGMENTS, random_state=SEED).fit(customers)
    kmeans = KMeans(N_SEGMENTS, n_init=10, random_state=SEED).fit(customers)
    memberships, log_density = model.predict_proba(customers), model.score_samples(customers)
    ambiguous = most_ambiguous(memberships, 5)
    threshold = float(np.percentile(log_density, ANOMALY_PERCENTILE))
    return Tour(
        columns=customer_columns(),
        customers=customers,
        memberships=memberships,
        weights=model.weights_,
        means=model.means_,
        converged=model.converged_,
        n_iter=model.n_iter_,
        ambiguous=ambiguous,
        kmeans_label=int(kmeans.labels_[ambiguous[0]]),
        kmeans_distances=np.linalg.norm(kmeans.cluster_centers_ - customers[ambiguous[0]], axis=1),
        shapes=_shapes(customers, kmeans.labels_.astype(np.intp)),
        counts=_counts(customers),
        log_density=log_density,
        threshold=threshold,
        anomalies=np.flatnonzero(log_density < threshold),
        collapse=_collapse(customers),
    )


def _shapes(customers: FloatArray, kmeans_labels: IntArray) -> tuple[ShapeRow, ...]:
    from sklearn.metrics import silhouette_score

    from mixtura.estimators import GaussianMixture

    rows = []
    for covariance_type in ("full", "tied", "diag", "spherical"):
        model = GaussianMixture(N_SEGMENTS, covariance_type=covariance_type, random_state=SEED).fit(customers)
        silhouette = float(silhouette_score(customers, model.predict(customers)))
        rows.append(ShapeRow(covariance_type, silhouette, float(model.bic(customers))))
    rows.append(ShapeRow("K-means", float(silhouette_score(customers, kmeans_labels)), None))
    return tuple(rows)


def _counts(customers: FloatArray) -> tuple[CountRow, ...]:
    from mixtura.estimators import GaussianMixture

    models = {k: GaussianMixture(k, random_state=SEED).fit(customers) for k in range(1, 8)}
    return tuple(
        CountRow(k, float(model.bic(customers)), float(model.aic(customers))) for k, model in models.items()
    )


def _collapse(customers: FloatArray) -> tuple[CollapseRow, ...]:
    from sklearn.exceptions import ConvergenceWarning

    from mixtura.estimators import GaussianMixture

    rows = []
    for reg_covar in (1e-12, 1e-9, 1e-6, 1e-3, 1.0):
        with warnings.catch_warnings():
            # A repaired component is warned about; here it is what is shown.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = GaussianMixture(COLLAPSED_SEGMENTS, reg_covar=reg_covar, random_state=SEED).fit(customers)
        variances = np.array([np.linalg.eigvalsh(covariance)[0] for covariance in model.covariances_])
        narrowest = int(variances.argmin())
        rows.append(
            CollapseRow(
                reg_covar=reg_covar,
                deviation=float(np.sqrt(variances[narrowest])),
                customers=float(model.weights_[narrowest] * len(customers)),
                highest_log_density=float(model.score_samples(customers).max()),
                log_likelihood=float(model.score(customers) * len(customers)),
            )
        )
    return tuple(rows)
