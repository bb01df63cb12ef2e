"""Models of other programs as segment models: assigned, shown and exported like mixtura's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.exceptions import ParameterError
from mixtura.io.foreign import ForeignModel, model_of_sklearn, read_foreign_model
from mixtura.segments.model.component_order import ordered
from mixtura.segments.model.segment_model import SegmentModel
from mixtura.segments.profiles.profile import name_components
from mixtura.segments.transforms.scaling import Scaling
from mixtura.segments.updating.training_info import TrainingInfo

__all__ = ["IMPORTED", "import_model"]

IMPORTED = "imported"
"""The outcome in the training of a model that another program fitted."""


def import_model(source: str | Path | Any, *, columns: Sequence[str] | None = None) -> SegmentModel:
    """Return the model of another program, its segments ordered by weight and named by their means.

    Densities are those of its parameters, to the last digits. It has no threshold for anomalies, since the rows it was
    fitted to are not known.

    Parameters
    ----------
    source : str, Path or fitted estimator
        An ``.rds`` file of R's mclust or mixtools, a ``.skops`` file or a fitted `sklearn.mixture.GaussianMixture` of
        scikit-learn, or a model folder of Spark ML.
    columns : sequence of str or None, default=None
        Names of the columns, in the order of the model; by default those that the program keeps.

    Raises
    ------
    ModelFileError
        The file is missing, truncated, or holds something else.
    ParameterError
        There are not as many columns as the model has, or the program keeps no names and none are given, or the
        mixture has noise, which model files cannot hold.

    Examples
    --------
    >>> from sklearn.mixture import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.segments import import_model
    >>> fitted = GaussianMixture(3, random_state=0).fit(make_customers())
    >>> import_model(fitted, columns=["income", "spending"]).names
    ('average', 'high income, low spending', 'low income, high spending')
    """
    is_path = isinstance(source, str | Path)
    found = read_foreign_model(source) if is_path else model_of_sklearn(source)
    if found.mixture.background is not None:
        raise ParameterError(
            "`source` must be a mixture without noise, which model files cannot hold; got one with noise. Fit it "
            "without."
        )
    names = _columns(found, columns)
    order = np.argsort(-found.mixture.weights, kind="stable")
    mixture = ordered(found.mixture, order.tolist())
    segments = _names(mixture, names)
    where = Path(source).name if is_path else type(source).__name__
    return SegmentModel(
        mixture=mixture,
        columns=names,
        scaling=Scaling(np.zeros(len(names)), np.ones(len(names))),
        names=segments,
        anomaly_percentile=0.0,
        anomaly_threshold=None,
        training=_training(found, where),
        mixtura_version=version("mixtura"),
        automatic_names=segments,
    )


def _columns(found: ForeignModel, columns: Sequence[str] | None) -> tuple[str, ...]:
    d = found.mixture.n_features
    if columns is None and found.columns is None:
        raise ParameterError(
            f"`columns` is required: {found.program} keeps no names of its {d} columns. Give them in their order."
        )
    names = found.columns if columns is None else tuple(columns)
    assert names is not None, "one of them is there"
    if len(names) != d or len(set(names)) != d:
        raise ParameterError(f"`columns` must be {d} different names; got {list(names)!r}.")
    return names


def _names(mixture: Mixture, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return names from means and standard deviations of the components, in units of the whole mixture's."""
    center = mixture.weights @ mixture.means
    variances = np.diagonal(mixture.full_covariances(), axis1=1, axis2=2)
    spread = np.sqrt(mixture.weights @ (variances + np.square(mixture.means - center)))
    return name_components((mixture.means - center) / spread, columns, np.sqrt(variances) / spread)


def _training(found: ForeignModel, source: str) -> TrainingInfo:
    """Return what is known of how the model came about; zeros stand for what its program does not keep."""
    log_likelihood, n_rows = found.log_likelihood or 0.0, found.n_rows or 0
    n_parameters = found.mixture.n_parameters
    known = found.log_likelihood is not None and found.n_rows is not None
    return TrainingInfo(
        source=f"{source} of {found.program}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        id_column=None,
        rows=n_rows,
        rows_dropped=0,
        seed=0,
        n_init=1,
        criterion="bic",
        log_likelihood=log_likelihood,
        bic=n_parameters * float(np.log(n_rows)) - 2 * log_likelihood if known else 0.0,
        aic=2 * n_parameters - 2 * log_likelihood if known else 0.0,
        n_iter=0,
        converged=True,
        outcome=IMPORTED,
    )
