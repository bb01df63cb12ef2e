"""What a fitted mixture has as public attributes of an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.estimators.precisions import precisions, precisions_cholesky

__all__ = ["attributes_of", "contents_of"]


def attributes_of(mixture: Mixture, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the public attributes of a mixture, in the type of the rows as scikit-learn does.

    Where a number is too large for that type (the square of a float32 may be), they stay float64.
    """
    roots = precisions_cholesky(mixture)
    values = {
        "weights_": mixture.weights,
        "means_": mixture.means,
        "covariances_": mixture.covariances,
        "precisions_cholesky_": roots,
        "precisions_": precisions(roots, mixture.family),
    }
    largest = max(float(np.abs(value).max()) for value in values.values())
    dtype = dtype if largest <= float(np.finfo(dtype).max) else np.dtype(np.float64)
    shown = {name: value.astype(dtype) for name, value in values.items()}
    gaussian = np.full(mixture.n_components, np.inf)
    shown["degrees_of_freedom_"] = gaussian if mixture.tails is None else mixture.tails.freedom
    noise = 0.0 if mixture.background is None else mixture.background.weight
    return shown | {"noise_weight_": noise, "mixture_": mixture, "_fitted": contents_of(shown)}


def contents_of(attributes: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return the contents of what a mixture is evaluated by: users may replace them, or write into them."""
    return tuple(
        np.asarray(attributes[name]).tobytes() for name in ("weights_", "means_", "precisions_cholesky_")
    )
