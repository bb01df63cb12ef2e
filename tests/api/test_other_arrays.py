"""Arrays of other libraries: as NumPy's where it can read them, and an error that says so where it cannot.

The stand-in has what torch tensors have, as far as scikit-learn and NumPy ask for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
import sklearn
from sklearn.datasets import load_iris
from sklearn.utils.fixes import parse_version

import mixtura
from mixtura.exceptions import DataError

X = load_iris().data
WEIGHTS = np.linspace(0.5, 2.0, len(X))


class Tensor:
    """An array that is not NumPy's, in main memory: shared through DLPack alone."""

    device = "cpu"

    def __init__(self, array: Any) -> None:
        self._array = np.array(array)
        self.shape, self.ndim = self._array.shape, self._array.ndim

    def __len__(self) -> int:
        return len(self._array)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return np

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError("can't convert this tensor to numpy")

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__()

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


class FarTensor(Tensor):
    """The same on a GPU."""

    device = "cuda:0"

    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError("no")


ESTIMATORS = [
    mixtura.GaussianMixture(3, random_state=0),
    mixtura.GaussianMixtureIC([1, 2], covariance_type=["EEE"], random_state=0),
    mixtura.KMeans(3, random_state=0),
]
names = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)


@names
def test_arrays_of_other_libraries_are_read(estimator: Any) -> None:
    wanted = sklearn.clone(estimator).fit(X, sample_weight=WEIGHTS)
    found = sklearn.clone(estimator).fit(Tensor(X), sample_weight=Tensor(WEIGHTS))
    np.testing.assert_array_equal(found.predict(Tensor(X)), wanted.predict(X))
    assert found.score(Tensor(X), sample_weight=Tensor(WEIGHTS)) == wanted.score(X, sample_weight=WEIGHTS)


@names
def test_what_numpy_cannot_read_is_said(estimator: Any) -> None:
    with pytest.raises(DataError, match=r"`X` must be an array that NumPy can read.*cuda:0.*cpu\(\)"):
        sklearn.clone(estimator).fit(FarTensor(X))
    with pytest.raises(DataError, match=r"`sample_weight` must be an array"):
        sklearn.clone(estimator).fit(X, sample_weight=FarTensor(WEIGHTS))


def test_parameters_may_be_such_arrays() -> None:
    found = mixtura.GaussianMixture(3, means_init=Tensor(X[[0, 60, 120]]), random_state=0).fit(X)
    wanted = mixtura.GaussianMixture(3, means_init=X[[0, 60, 120]], random_state=0).fit(X)
    np.testing.assert_array_equal(found.means_, wanted.means_)


@pytest.mark.skipif(
    parse_version(scipy.__version__) < parse_version("1.14"),
    reason="scikit-learn dispatches with SciPy from 1.14 on",
)
def test_results_are_numpys_with_scikit_learns_dispatch_on() -> None:
    code = (
        "import numpy as np, sklearn, mixtura\n"
        "from test_other_arrays import Tensor, X, WEIGHTS\n"
        "with sklearn.config_context(array_api_dispatch=True):\n"
        "    model = mixtura.GaussianMixture(3, random_state=0).fit(Tensor(X), sample_weight=Tensor(WEIGHTS))\n"
        "    labels = model.predict(Tensor(X))\n"
        "    assert sklearn.get_config()['array_api_dispatch']\n"
        "wanted = mixtura.GaussianMixture(3, random_state=0).fit(X, sample_weight=WEIGHTS)\n"
        "assert type(labels) is np.ndarray and (labels == wanted.predict(X)).all()\n"
    )
    environment = os.environ | {"SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    folder = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
