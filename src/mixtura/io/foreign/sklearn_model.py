"""Models of scikit-learn: a fitted object, or a file of skops."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mixtura._optional import require_extra
from mixtura.core.mixture import Mixture
from mixtura.exceptions import ModelFileError, ParameterError
from mixtura.io.foreign.foreign_model import ForeignModel

__all__ = ["model_of_sklearn", "read_skops_model"]


def model_of_sklearn(estimator: Any) -> ForeignModel:
    """Return the mixture of a fitted `sklearn.mixture.GaussianMixture`.

    Parameters
    ----------
    estimator : sklearn.mixture.GaussianMixture
        Fitted.

    Raises
    ------
    ParameterError
        It is something else, or not fitted. A `BayesianGaussianMixture` predicts by more than its parameters.

    Examples
    --------
    >>> from sklearn.mixture import GaussianMixture
    >>> from mixtura.datasets import make_customers
    >>> from mixtura.io.foreign import model_of_sklearn
    >>> rows = make_customers(as_frame="pandas")[["income", "spending"]]
    >>> found = model_of_sklearn(GaussianMixture(3, random_state=0).fit(rows))
    >>> found.columns, found.mixture.n_components
    (('income', 'spending'), 3)
    """
    from sklearn.mixture import GaussianMixture

    if type(estimator) is not GaussianMixture or not hasattr(estimator, "covariances_"):
        raise ParameterError(
            f"`estimator` must be a fitted GaussianMixture of scikit-learn; got {type(estimator).__name__}."
        )
    weights = np.asarray(estimator.weights_, dtype=np.float64)
    mixture = Mixture.from_parameters(
        weights / weights.sum(), estimator.means_, estimator.covariances_, estimator.covariance_type
    )
    names = getattr(estimator, "feature_names_in_", None)
    columns = None if names is None else tuple(str(name) for name in names)
    return ForeignModel(mixture, columns, "scikit-learn")


def read_skops_model(path: Path) -> ForeignModel:
    """Return the mixture of a ``.skops`` file that holds a fitted `sklearn.mixture.GaussianMixture`.

    Only types that skops trusts by itself are loaded.

    Raises
    ------
    ModelFileError
        It is truncated, or holds something else.
    OptionalDependencyError
        The package skops is not installed.
    """
    with require_extra("skops", extra="import", purpose="read models of scikit-learn"):
        from skops.io import load
        from skops.io.exceptions import UntrustedTypesFoundException
    name = repr(str(path))
    try:
        return model_of_sklearn(load(path, trusted=[]))
    except FileNotFoundError as error:
        raise ModelFileError(f"There is no file {name}. Check the path.") from error
    except UntrustedTypesFoundException as error:
        raise ModelFileError(
            f"{name} holds more than a model of scikit-learn, and is not loaded: {error}"
        ) from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{name} is not a fitted GaussianMixture of scikit-learn ({error}).") from error
