"""Models of R's packages mclust and mixtools, kept with ``saveRDS``."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import replace
from lzma import LZMAError
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._optional import require_extra
from mixtura._typing import FloatArray
from mixtura.exceptions import ModelFileError
from mixtura.io.foreign.foreign_model import ForeignModel, mixture_of
from mixtura.kernels.terms.background import Background, Box

__all__ = ["read_rds_model"]

_SINGLE = {"X": "V", "XII": "VII", "XXI": "VVI", "XXX": "VVV"}
"""What mclust calls a single component."""


def read_rds_model(path: Path) -> ForeignModel:
    """Return the mixture of an ``.rds`` file of mclust (``Mclust``, ``densityMclust``) or mixtools.

    Raises
    ------
    ModelFileError
        It is truncated, or holds something else.
    OptionalDependencyError
        The package rdata is not installed.
    """
    held = _read(path)
    try:
        if {"modelName", "parameters"} <= held.keys():
            return _of_mclust(held)
        if {"lambda", "mu", "sigma"} <= held.keys():
            return _of_mixtools(held)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{str(path)!r} is not a whole model of mclust or mixtools ({error!r})."
        ) from error
    raise ModelFileError(
        f"{str(path)!r} holds no mixture. A model of mclust or mixtools is required, kept with saveRDS."
    )


def _read(path: Path) -> Mapping[str, Any]:
    with require_extra("rdata", extra="import", purpose="read files of R"):
        import rdata
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # classes of R, which are read as the lists that they are
            held = rdata.read_rds(path)
    except FileNotFoundError as error:
        raise ModelFileError(f"There is no file {str(path)!r}. Check the path.") from error
    except (
        *(
            OSError,
            EOFError,
            ValueError,
            NotImplementedError,
            AttributeError,
            TypeError,
            KeyError,
            IndexError,
        ),
        *(zlib.error, LZMAError, struct.error, RecursionError, OverflowError, MemoryError),
    ) as error:
        raise ModelFileError(
            f"{str(path)!r} is truncated, or not a file of saveRDS ({type(error).__name__}: {error})."
        ) from error
    return {str(name): value for name, value in held.items()} if isinstance(held, dict) else {}


def _array(value: Any) -> FloatArray:
    return np.asarray(value, dtype=np.float64)


def _number(held: Mapping[str, Any], name: str) -> float | None:
    found = held.get(name)
    return None if found is None else float(np.ravel(found)[0])


def _of_mclust(held: Mapping[str, Any]) -> ForeignModel:
    """Noise is one weight more than there are components, over a volume of ``1 / Vinv``."""
    parameters = held["parameters"]
    name = str(np.ravel(held["modelName"])[0])
    mean, weights = _array(parameters["mean"]), _array(parameters["pro"]).ravel()
    variance = parameters["variance"]
    one_column = mean.ndim < 2
    means = mean.reshape(-1, 1) if one_column else mean.T
    if "sigma" in variance:
        covariances = np.moveaxis(_array(variance["sigma"]), -1, 0)
    else:
        covariances = np.broadcast_to(_array(variance["sigmasq"]).ravel(), len(means)).reshape(-1, 1, 1)
    components = weights[: len(means)]
    mixture = mixture_of(components / components.sum(), means, covariances, _SINGLE.get(name, name))
    if len(weights) > len(means):
        noise = _background(float(weights[-1]), float(np.ravel(parameters["Vinv"])[0]), means.shape[1])
        mixture = replace(mixture, weights=components, offsets=None, background=noise)
    n_rows, log_likelihood = _number(held, "n"), _number(held, "loglik")
    columns = None if one_column else _names(parameters["mean"], 0)
    return ForeignModel(mixture, columns, "mclust", None if n_rows is None else int(n_rows), log_likelihood)


def _background(weight: float, inverse_volume: float, n_features: int) -> Background:
    """Return noise over a cube of the volume: mclust keeps no more of it."""
    side = np.full(n_features, inverse_volume ** (-1 / n_features))
    box = Box(np.zeros(n_features), side)
    return Background(weight, box, box)


def _of_mixtools(held: Mapping[str, Any]) -> ForeignModel:
    """The sigma of ``normalmixEM`` is a standard deviation, that of ``mvnormalmixEM`` a covariance."""
    weights = _array(held["lambda"]).ravel()
    sigma, rows = held["sigma"], held["x"]
    if isinstance(sigma, list) or np.ndim(sigma) == 2:
        matrices = sigma if isinstance(sigma, list) else [sigma]
        covariances = np.stack([_array(matrix) for matrix in matrices])
        centers = held["mu"] if isinstance(held["mu"], list) else [held["mu"]]
        means = np.broadcast_to(
            np.stack([_array(one) for one in centers]), (len(weights), len(covariances[0]))
        )
    else:
        deviations = np.broadcast_to(_array(sigma).ravel(), len(weights))
        covariances = np.square(deviations).reshape(-1, 1, 1)
        means = np.broadcast_to(_array(held["mu"]).ravel(), len(weights)).reshape(-1, 1)
    covariances = np.broadcast_to(covariances, (len(weights), *covariances.shape[1:]))
    names = _names(rows, 1) if means.shape[1] > 1 else None
    mixture = mixture_of(weights / weights.sum(), means, covariances)
    return ForeignModel(mixture, names, "mixtools", len(rows), _number(held, "loglik"))


def _names(value: Any, axis: int) -> tuple[str, ...] | None:
    """Return what R calls the entries of a matrix along an axis."""
    dimensions = getattr(value, "dims", ())
    if len(dimensions) <= axis or dimensions[axis] not in getattr(value, "coords", {}):
        return None
    return tuple(str(name) for name in value.coords[dimensions[axis]].values)
