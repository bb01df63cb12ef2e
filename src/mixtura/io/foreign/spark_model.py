"""Models of Spark ML: the folder that ``GaussianMixtureModel.save`` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._optional import require_extra
from mixtura._typing import FloatArray
from mixtura.exceptions import ModelFileError
from mixtura.io.foreign.foreign_model import ForeignModel, mixture_of

__all__ = ["read_spark_model"]

_CLASS = "org.apache.spark.ml.clustering.GaussianMixtureModel"


def read_spark_model(folder: Path) -> ForeignModel:
    """Return the mixture of a model folder of Spark ML.

    Spark's own probabilities depend on the units of the columns, since it adds a constant to each density; those of
    the mixture are computed from its parameters.

    Raises
    ------
    ModelFileError
        The folder holds something else, or not all of a model.
    """
    name = repr(str(folder))
    kind = _metadata(folder).get("class")
    if kind != _CLASS:
        raise ModelFileError(f"{name} holds a {kind!r}. A GaussianMixtureModel of Spark ML is required.")
    with require_extra("pyarrow", extra="cli", purpose="read models of Spark"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    try:
        found = pa.concat_tables(
            [pq.read_table(part) for part in sorted((folder / "data").glob("*.parquet"))]
        )
        row = found.to_pylist()[0]
        means = np.stack([_vector(one) for one in row["mus"]])
        covariances = np.stack([_matrix(one) for one in row["sigmas"]])
        weights = np.array(row["weights"], dtype=np.float64)
    except (OSError, ValueError, KeyError, IndexError, TypeError, pa.ArrowException) as error:
        raise ModelFileError(f"{name} is not a whole model of Spark ML ({error}).") from error
    return ForeignModel(mixture_of(weights / weights.sum(), means, covariances), None, "Spark ML")


def _metadata(folder: Path) -> dict[str, Any]:
    parts = sorted((folder / "metadata").glob("part-*"))
    try:
        found = json.loads(parts[0].read_text(encoding="utf-8"))
    except (OSError, ValueError, IndexError) as error:
        raise ModelFileError(
            f"{str(folder)!r} is not a model folder of Spark ML: its metadata cannot be read."
        ) from error
    return found if isinstance(found, dict) else {}


def _vector(held: dict[str, Any]) -> FloatArray:
    """Return a vector that Spark keeps whole, or by the places of its entries."""
    values = np.array(held["values"], dtype=np.float64)
    if held["size"] is None:
        return values
    found = np.zeros(held["size"])
    found[held["indices"]] = values
    return found


def _matrix(held: dict[str, Any]) -> FloatArray:
    """Return a symmetric matrix, which Spark keeps column by column."""
    if held["colPtrs"] is not None:
        raise ValueError("its covariances are sparse")
    return np.array(held["values"], dtype=np.float64).reshape(held["numRows"], held["numCols"])
