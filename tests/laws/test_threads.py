"""The same result to the last bit for any number of threads; nothing breaks after a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import mixtura
from mixtura.core.covariance import FAMILIES
from mixtura.run import threads

TYPES = ("full", "tied", "diag", "spherical")
OTHERS = tuple(name for name in FAMILIES if name not in TYPES)
N, D, K = 20_000, 3, 4


@pytest.fixture(autouse=True)
def all_work_is_shared_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Otherwise passes this small would stay on the calling thread."""
    monkeypatch.setattr(threads, "_SMALL_WORK", 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def rows(dtype: Any = np.float64) -> Any:
    rng = np.random.RandomState(0)
    X = rng.standard_normal((N, D)) * rng.uniform(0.5, 2, (1, D)) + 3 * rng.randint(3, size=(N, 1))
    return X.astype(dtype)


def with_threads(n_threads: int, estimator: Any, X: Any, **arguments: Any) -> Any:
    with mixtura.set_threads(n_threads):
        return estimator.fit(X, **arguments)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("n_threads", [2, 5])
@pytest.mark.parametrize(
    ("covariance_type", "init_params", "n_init"),
    [
        *product(TYPES, ["kmeans", "random", "k-means++"], [1, 6]),
        *product(OTHERS, ["kmeans"], [1]),
        *product(OTHERS, ["random"], [6]),
    ],
)
def test_fits_are_the_same_to_the_last_bit(
    covariance_type: str, init_params: str, n_init: int, n_threads: int
) -> None:
    """With six restarts they run beside each other, with one its blocks do."""
    X = rows()
    weight = np.random.RandomState(1).uniform(0.5, 2, N) if init_params == "kmeans" else None
    models = [
        with_threads(
            count,
            mixtura.GaussianMixture(
                K,
                covariance_type=covariance_type,
                init_params=init_params,
                n_init=n_init,
                max_iter=6,
                random_state=3,
            ),
            X,
            sample_weight=weight,
        )
        for count in (1, n_threads)
    ]
    one, many = models
    assert (one.result_.n_threads, many.result_.n_threads) == (1, n_threads)
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_", "lower_bounds_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name), err_msg=name)
    assert one.result_.best == many.result_.best
    assert [trace.objectives for trace in one.result_.traces] == [
        trace.objectives for trace in many.result_.traces
    ]
    for method in ("predict", "predict_proba", "score_samples"):
        answers = []
        for count, model in ((1, one), (n_threads, many)):
            with mixtura.set_threads(count):
                answers.append(getattr(model, method)(X))
        np.testing.assert_array_equal(*answers, err_msg=method)


@pytest.mark.parametrize("n_threads", [2, 5])
@pytest.mark.parametrize("n_init", [1, 6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kmeans_is_the_same_to_the_last_bit(dtype: Any, n_init: int, n_threads: int) -> None:
    X = rows(dtype)
    one, many = (
        with_threads(count, mixtura.KMeans(K, n_init=n_init, max_iter=8, random_state=0), X)
        for count in (1, n_threads)
    )
    np.testing.assert_array_equal(one.cluster_centers_, many.cluster_centers_)
    np.testing.assert_array_equal(one.labels_, many.labels_)
    assert one.inertia_ == many.inertia_
    assert one.n_iter_ == many.n_iter_


FORK = """
import os, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
import mixtura
from mixtura.core.covariance import FAMILIES
from mixtura.run import threads
threads._SMALL_WORK = 0.0
mixtura.set_threads(3)
X = np.random.RandomState(0).standard_normal((12000, 3))
def fit(n_init):
    return mixtura.GaussianMixture(3, n_init=n_init, max_iter=5, random_state=0).fit(X).means_
wanted = [fit(1), fit(4)]
assert threads._pools._by_size
child = os.fork()
if child == 0:
    same = [np.array_equal(found, means) for found, means in zip([fit(1), fit(4)], wanted)]
    os._exit(0 if all(same) else 3)
_, status = os.waitpid(child, 0)
assert np.array_equal(fit(1), wanted[0])
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_fits() -> None:
    """A child has none of its parent's threads; waiting for them would take for ever."""
    done = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
