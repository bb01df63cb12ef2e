"""What a fitted mixture has as public attributes of an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.core.parts.draws import draw_rows
from mixtura.estimators.precisions import mixture_from_precisions_cholesky, precisions, precisions_cholesky
from mixtura.fit import FitResult

__all__ = ["attributes_of", "contents_of", "drawn_from", "mixture_of", "take_result"]


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


def take_result(model: Any, result: FitResult, dtype: np.dtype[Any]) -> None:
    """Copy the result of a fit to the public attributes of an estimator; those of `partial_fit` go."""
    for name in ("statistics_", "n_samples_seen_"):
        vars(model).pop(name, None)
    for name, value in attributes_of(result.mixture, dtype).items():
        setattr(model, name, value)
    model.result_ = result
    model.converged_ = result.converged
    model.n_iter_ = result.n_iter
    model.lower_bound_ = result.lower_bound
    model.lower_bounds_ = result.trace.objectives


def mixture_of(model: Any) -> Mixture:
    """Return the mixture that the public attributes of an estimator hold, which a user may have set.

    The fitted one while they are untouched: it keeps float64 where the attributes are float32.
    """
    if getattr(model, "_fitted", None) == contents_of(vars(model)):
        fitted: Mixture = model.mixture_
        return fitted
    weights, means, roots = (
        np.array(value, dtype=np.float64, order="C")
        for value in (model.weights_, model.means_, model.precisions_cholesky_)
    )
    mixture = mixture_from_precisions_cholesky(weights, means, roots, get_family(model.covariance_type))
    known = getattr(model, "mixture_", mixture)
    return replace(mixture, background=known.background, tails=known.tails)


def drawn_from(model: Any, n_samples: int, rng: np.random.RandomState) -> tuple[FloatArray, IntArray]:
    """Return rows drawn from the weights, means and covariances that an estimator has now, (n, D), and labels, (n,)."""
    values = (model.weights_, model.means_, model.covariances_)
    weights, means, covariances = (np.array(value, dtype=np.float64, order="C") for value in values)
    family, fitted = get_family(model.covariance_type), getattr(model, "mixture_", None)
    more = {} if fitted is None else {"tails": fitted.tails, "noise": fitted.background}
    return draw_rows(rng, n_samples, weights, means, covariances, family, **more)
