"""Which program a model is from, by what its file is called."""

from __future__ import annotations

from pathlib import Path

from mixtura.exceptions import ModelFileError
from mixtura.io.foreign.foreign_model import ForeignModel
from mixtura.io.foreign.r_models import read_rds_model
from mixtura.io.foreign.sklearn_model import read_skops_model
from mixtura.io.foreign.spark_model import read_spark_model

__all__ = ["read_foreign_model"]

_READERS = {".rds": read_rds_model, ".skops": read_skops_model}


def read_foreign_model(path: str | Path) -> ForeignModel:
    """Return the mixture of another program's model. Files are data: reading one runs nothing that it holds.

    Parameters
    ----------
    path : str or Path
        ``.rds`` of R's mclust or mixtools, ``.skops`` of scikit-learn, or a model folder of Spark ML.

    Raises
    ------
    ModelFileError
        It is missing, truncated, or holds something else.
    OptionalDependencyError
        The package that reads it is not installed.
    """
    path = Path(path)
    if path.is_dir():
        return read_spark_model(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        pickled = path.suffix.lower() in {".pkl", ".pickle", ".joblib"}
        why = " Loading a pickle runs code that it holds." if pickled else ""
        raise ModelFileError(
            f"{str(path)!r} is not a model that can be read.{why} An .rds of mclust or mixtools, a .skops of "
            "scikit-learn or a model folder of Spark ML is required."
        )
    return reader(path)
