"""What every covariance family must do; one body, all families. A new family arrives tested."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.datasets import make_spd_matrix

from mixtura.core.accumulate import accumulate_given
from mixtura.core.covariance import FAMILIES, CovarianceFamily, NotPositiveDefiniteError, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.prior import Ridge
from mixtura.core.protocols import Block
from mixtura.core.statistics import Statistics
from mixtura.exceptions import ParameterError
from mixtura.kernels import Layout, Outputs, get_kernel
from naive import naive_covariances, naive_full_covariances, naive_n_parameters

K, D, N = 3, 4, 60
LAYOUTS = [(family, layout) for family in FAMILIES.values() for layout in family.layouts]


@pytest.fixture(params=FAMILIES.values(), ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> CovarianceFamily:
    found: CovarianceFamily = request.param
    return found


def matrices() -> Any:
    return np.stack([make_spd_matrix(D, random_state=k) for k in range(K)])


def some_covariances(family: CovarianceFamily) -> Any:
    """Positive definite ones, in the family's shape."""
    full = matrices()
    return {
        "full": full,
        "tied": full[0],
        "diag": np.einsum("kii->ki", full).copy(),
        "spherical": np.trace(full, axis1=1, axis2=2) / D,
    }[family.name]


def full_of(family: CovarianceFamily, covariances: Any) -> Any:
    return naive_full_covariances(family.name, covariances, K, D)


def a_mixture(family: CovarianceFamily) -> Mixture:
    means = np.random.RandomState(1).standard_normal((K, D))
    return Mixture.from_parameters([0.2, 0.3, 0.5], means, some_covariances(family), family.name)


def some_rows() -> tuple[Any, Any, Any]:
    rng = np.random.RandomState(2)
    shares = rng.random_sample((N, K))
    return (
        rng.standard_normal((N, D)) @ matrices()[1],
        rng.uniform(0.5, 2, N),
        shares / shares.sum(1, keepdims=True),
    )


def statistics_of(layout: Layout, rows: Any, weight: Any, shares: Any, means: Any) -> Statistics:
    block = Block(rows, weight, slice(0, len(rows)))
    found = accumulate_given(block, shares, means, layout, get_kernel("numpy"))
    if layout is not Layout.SHARED:
        return found
    everyone = np.zeros(len(rows), dtype=np.intp)
    total = accumulate_given(block, everyone, rows.mean(axis=0)[None], Layout.DENSE, get_kernel("numpy"))
    return replace(found, total=total)


def test_names_lead_to_families(family: CovarianceFamily) -> None:
    assert get_family(family.name) is family


@pytest.mark.parametrize("name", ["Full", "", None, [1]])
def test_an_unknown_name_is_an_error_that_lists_the_known(name: Any) -> None:
    with pytest.raises(ParameterError, match=r"covariance_type=.* must be one of .*'diag', 'full'"):
        get_family(name)


def test_shapes_and_free_parameters(family: CovarianceFamily) -> None:
    assert some_covariances(family).shape == family.shape(K, D)
    assert a_mixture(family).n_parameters == naive_n_parameters(family.name, K, D)


@pytest.mark.parametrize("ridge", [0.0, 0.25])
@pytest.mark.parametrize(("family", "layout"), LAYOUTS, ids=lambda value: getattr(value, "name", value))
def test_the_estimate_is_its_definition(family: CovarianceFamily, layout: Layout, ridge: float) -> None:
    rows, weight, shares = some_rows()
    counts = weight @ shares
    means = (weight[:, None] * shares).T @ rows / counts[:, None]
    about = means + np.random.RandomState(3).standard_normal(means.shape)
    statistics = statistics_of(layout, rows, weight, shares, about)
    found = family.estimate(statistics, means, Ridge(ridge))
    wanted = naive_covariances(family.name, rows, weight, shares, means, ridge)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_factors_whiten(family: CovarianceFamily) -> None:
    covariances = some_covariances(family)
    factors = family.factor(covariances, K, D)
    full = full_of(family, covariances)
    np.testing.assert_allclose(family.full(covariances, K, D), full, rtol=1e-15)
    log_determinants = np.broadcast_to(factors.log_determinants, K)
    np.testing.assert_allclose(log_determinants, -0.5 * np.linalg.slogdet(full)[1], rtol=1e-10)
    for layout in family.layouts:
        whitening = family.whitening(factors, layout, K)
        for k in range(K):
            one = whitening if layout is Layout.SHARED else whitening[k]
            matrix = np.diag(one) if one.ndim == 1 else one
            np.testing.assert_allclose(matrix @ full[k] @ matrix.T, np.eye(D), atol=1e-10)
            np.testing.assert_array_equal(matrix, np.tril(matrix))


@pytest.mark.parametrize(("family", "layout"), LAYOUTS, ids=lambda value: getattr(value, "name", value))
def test_every_layout_evaluates_the_density(family: CovarianceFamily, layout: Layout) -> None:
    mixture, rows = a_mixture(family), some_rows()[0]
    full = full_of(family, mixture.covariances)
    found = np.empty(N)
    get_kernel("numpy").accumulate(rows, None, mixture.components(layout), None, Outputs(log_density=found))
    parts = [
        w * multivariate_normal(m, c).pdf(rows)
        for w, m, c in zip(mixture.weights, mixture.means, full, strict=True)
    ]
    np.testing.assert_allclose(found, np.log(np.sum(parts, axis=0)), rtol=1e-10)


def test_scikit_learns_precisions(family: CovarianceFamily) -> None:
    covariances = some_covariances(family)
    factors = family.factor(covariances, K, D)
    roots = family.precisions_cholesky(factors)
    precisions = family.precisions(roots)
    if family.stores_matrices:
        np.testing.assert_allclose(precisions, np.linalg.inv(covariances), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(roots @ np.swapaxes(roots, -1, -2), precisions, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(roots, np.triu(roots))
    else:
        np.testing.assert_allclose(precisions, 1 / covariances, rtol=1e-12)
        np.testing.assert_allclose(roots, covariances**-0.5, rtol=1e-12)
    back = family.from_precisions_cholesky(roots, D)
    np.testing.assert_allclose(back.whitening, factors.whitening, rtol=1e-12)
    np.testing.assert_allclose(back.log_determinants, factors.log_determinants, rtol=1e-12)
    np.testing.assert_allclose(family.covariances(factors), covariances, rtol=1e-10, atol=1e-12)


def spoiled(family: CovarianceFamily, bad: float) -> tuple[Any, list[int]]:
    """Covariances of which the second component (all, where they are shared) is not positive definite."""
    covariances = some_covariances(family)
    if family.name == "full":
        covariances[1] = bad * np.ones((D, D))
    elif family.name == "tied":
        covariances[...] = bad * np.ones((D, D))
    else:
        covariances[1] = min(bad - 1.0, 0.0)
    return covariances, list(range(K)) if family.name == "tied" else [1]


@pytest.mark.parametrize("bad", [1.0, 0.0, -1.0, np.nan, np.inf, 1e-320])
def test_what_is_not_positive_definite_is_named_and_mended(family: CovarianceFamily, bad: float) -> None:
    covariances, names = spoiled(family, bad)
    with pytest.raises(NotPositiveDefiniteError, match="not positive definite") as caught:
        family.factor(covariances, K, D)
    assert list(caught.value.components) == names
    if np.isfinite(bad):
        repaired = family.repair(covariances.copy(), names, 1e-4, np.ones(D))
        family.factor(repaired, K, D)
        full = family.full(repaired, K, D)
        assert np.linalg.eigvalsh(full[1]).min() > 0
        assert (np.einsum("kii->ki", full)[1] >= 1e-4 * (1 - 1e-9)).all()
        if 0 not in names:
            np.testing.assert_allclose(full[0], full_of(family, covariances)[0])


def test_a_component_can_keep_what_it_had(family: CovarianceFamily) -> None:
    """One shared covariance is kept only where nothing else is left of it."""
    old, new = some_covariances(family), 2.0 * some_covariances(family)
    shared = family.name == "tied"
    kept = family.full(family.keep(new.copy(), old, np.array([1]), K), K, D)
    wanted = full_of(family, new)
    if not shared:
        wanted[1] = full_of(family, old)[1]
    np.testing.assert_allclose(kept, wanted)
    all_kept = family.full(family.keep(new.copy(), old, np.arange(K), K), K, D)
    np.testing.assert_allclose(all_kept, full_of(family, old))


def test_columns_scaling_and_linear_maps(family: CovarianceFamily) -> None:
    covariances = some_covariances(family)
    full = full_of(family, covariances)
    columns = np.array([2, 0])
    np.testing.assert_allclose(
        family.full(family.marginal(covariances, columns), K, 2), full[:, columns[:, None], columns]
    )
    for scale in (np.full(D, -3.0), np.array([1.0, 2.0, 3.0, 4.0])):
        rescaled = family.rescale(covariances, scale)
        if rescaled is None:
            assert family.name == "spherical"
        else:
            np.testing.assert_allclose(family.full(rescaled, K, D), full * scale[:, None] * scale)
    matrix = np.random.RandomState(4).standard_normal((2, D))
    mapped = family.transform(covariances, matrix)
    if mapped is None:
        assert not family.stores_matrices
    else:
        np.testing.assert_allclose(family.full(mapped, K, 2), matrix @ full @ matrix.T)


def test_conditioning_is_the_inverse_of_a_block(family: CovarianceFamily) -> None:
    """The covariance of some columns given the others is the inverse of their block of the precisions."""
    covariances = some_covariances(family)
    given, rest = np.array([1, 3]), np.array([0, 2])
    gain, conditional = family.condition(covariances, given, rest, K)
    precisions = np.linalg.inv(full_of(family, covariances))
    block = np.linalg.inv(precisions[:, rest[:, None], rest])
    np.testing.assert_allclose(family.full(conditional, K, 2), block, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gain, -block @ precisions[:, rest[:, None], given], rtol=1e-9, atol=1e-12)


def test_draws_have_the_covariance(family: CovarianceFamily) -> None:
    covariances = some_covariances(family)
    mean = np.arange(D, dtype=float)
    rows = family.draw(np.random.RandomState(5), mean, covariances, 1, 40_000)
    full = full_of(family, covariances)[1]
    error = 5 * np.sqrt(2 * full.diagonal().max() ** 2 / len(rows))
    np.testing.assert_allclose(np.cov(rows.T), full, atol=error)
    np.testing.assert_allclose(rows.mean(axis=0), mean, atol=5 * np.sqrt(full.diagonal().max() / len(rows)))


def test_a_shared_covariance_needs_the_total_scatter() -> None:
    statistics = Statistics.zero(Layout.SHARED, np.zeros((K, D)))
    with pytest.raises(ParameterError, match="without the total scatter"):
        get_family("tied").estimate(statistics, np.zeros((K, D)), Ridge())
    assert get_family("tied").is_precise(statistics, np.eye(D))
