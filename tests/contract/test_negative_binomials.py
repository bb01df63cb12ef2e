"""Negative binomial distributions of counts: every algebra against SciPy's, and the compiled ones against the twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import nbinom, poisson

from mixtura.kernels.iterations.negative_binomials import LARGEST_SIZE
from mixtura.kernels.native import supported_instruction_sets
from mixtura.kernels.native_algebra import NativeAlgebra, why_not_native
from mixtura.kernels.numpy_algebra import NumpyAlgebra

COMPILED = supported_instruction_sets() if why_not_native() is None else ()


@pytest.fixture(params=["numpy", *COMPILED])
def algebra(request: pytest.FixtureRequest) -> Any:
    return NumpyAlgebra() if request.param == "numpy" else NativeAlgebra(request.param)


def drawn(mean: float, size: float) -> Any:
    values = nbinom.rvs(size, size / (size + mean), size=5000, random_state=1)
    return np.bincount(values).astype(float)[:, None]


@pytest.mark.parametrize(("mean", "size"), [(0.3, 0.4), (4.0, 2.5), (30.0, 1.0), (2.0, 100.0)])
def test_they_are_the_likeliest(algebra: Any, mean: float, size: float) -> None:
    counts = drawn(mean, size)
    logs, (found_mean,), (found_size,) = algebra.negative_binomials(counts)
    x = np.arange(len(counts))

    def loss(log_size: float) -> float:
        r = np.exp(log_size)
        return -float(counts[:, 0] @ nbinom.logpmf(x, r, r / (r + found_mean)))

    best = minimize_scalar(loss, bounds=(-6, 12), method="bounded", options={"xatol": 1e-10})
    assert found_mean == pytest.approx((x @ counts[:, 0]) / counts.sum(), rel=1e-12)
    assert loss(np.log(found_size)) <= best.fun + 1e-11 * abs(best.fun)
    assert np.log(found_size) == pytest.approx(best.x, abs=1e-4)
    expected = nbinom.logpmf(x, found_size, found_size / (found_size + found_mean))
    np.testing.assert_allclose(logs[:, 0], expected, rtol=1e-11)


def test_components_side_by_side_have_what_each_has_alone(algebra: Any) -> None:
    counts = np.random.default_rng(0).gamma(0.5, 5.0, size=(30, 5)) * np.exp(-np.arange(5) / 3)
    together = algebra.negative_binomials(counts)
    for k in range(5):
        alone = algebra.negative_binomials(np.ascontiguousarray(counts[:, [k]]))
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one[..., [k]] if one.ndim == 2 else one[[k]], other, rtol=1e-12)


def test_counts_of_little_variance_are_of_poisson_distributions(algebra: Any) -> None:
    values = np.random.default_rng(0).binomial(10, 0.5, size=1000)
    logs, means, sizes = algebra.negative_binomials(np.bincount(values).astype(float)[:, None])
    assert sizes.tolist() == [LARGEST_SIZE]
    np.testing.assert_allclose(logs[:, 0], poisson.logpmf(np.arange(len(logs)), means[0]), atol=2e-4)


def test_zeros_alone_are_certain(algebra: Any) -> None:
    logs, means, sizes = algebra.negative_binomials(np.array([[9.0], [0.0], [0.0]]))
    assert logs[:, 0].tolist() == [0.0, -np.inf, -np.inf]
    assert (means.tolist(), sizes.tolist()) == ([0.0], [LARGEST_SIZE])


def test_numbers_that_nobody_has_leave_the_distribution_as_it_is(algebra: Any) -> None:
    counts = drawn(4.0, 2.5)
    logs, means, sizes = algebra.negative_binomials(counts)
    longer, *same = algebra.negative_binomials(np.vstack([counts, np.zeros((40, 1))]))
    np.testing.assert_allclose(longer[: len(counts)], logs, rtol=1e-13)
    np.testing.assert_allclose(same, [means, sizes], rtol=1e-12)


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_ones_are_those_of_the_twin(name: str) -> None:
    """Sizes are known to the square of how little of the variance they explain: near Poisson distributions less."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        n_numbers, n_components = rng.integers(2, 200), rng.integers(1, 9)
        widths = rng.uniform(0.5, 60.0, n_components)
        counts = rng.gamma(0.3, size=(n_numbers, n_components)) * 10.0 ** rng.uniform(-3, 6)
        counts *= np.exp(-np.arange(n_numbers)[:, None] / widths)
        (logs, means, sizes), expected = (
            one.negative_binomials(counts) for one in (NativeAlgebra(name), NumpyAlgebra())
        )
        condition = (1.0 + expected[2] / expected[1]) ** 2
        known = expected[2] < 1e4
        np.testing.assert_allclose(means, expected[1], rtol=1e-13)
        assert (np.abs(sizes / expected[2] - 1.0) <= 1e-13 * condition)[known].all()
        np.testing.assert_allclose(logs[:, known], expected[0][:, known], rtol=1e-11, atol=1e-11)


@pytest.mark.skipif(not COMPILED, reason="the compiled algebra is not built")
def test_arrays_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="another type or shape"):
        NativeAlgebra().negative_binomials(np.ones(3)[None, None])
