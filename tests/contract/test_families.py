"""What every covariance family must do; one body, all families. A new family arrives tested."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal, ortho_group
from sklearn.datasets import make_spd_matrix

from mixtura.core.accumulate import AccumulateGiven
from mixtura.core.covariance import (
    FACTOR_FAMILIES,
    FAMILIES,
    MCLUST_NAMES,
    NAMES,
    NotPositiveDefiniteError,
    Structure,
    get_family,
)
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE, FIRST, Moments
from mixtura.core.prior import Ridge
from mixtura.core.protocols import Block
from mixtura.core.statistics import Statistics
from mixtura.estimators.precisions import mixture_from_precisions_cholesky, precisions, precisions_cholesky
from mixtura.exceptions import ParameterError
from mixtura.kernels import Outputs, get_kernel
from naive import (
    LETTERS,
    naive_best_structure,
    naive_covariances,
    naive_full_covariances,
    naive_n_parameters,
    naive_structure_loss,
    naive_structures,
)

K, D, N = 3, 4, 60
MOMENTS = [(family, moments) for family in FAMILIES.values() for moments in family.moments]
CLOSED = [(family, moments) for family, moments in MOMENTS if family.name in LETTERS]
FOLLOW_UNITS = {"full", "tied", "diag", "EEI", "VEI", "EVI", "VEE", "EVV"}
FOLLOW_SQUARE_MAPS = {"full", "tied", "VEE", "EVV"}
FOLLOW_ALL_MAPS = {"full", "tied", "VEE"}
FOLLOW_ROTATIONS = set(FAMILIES) - {"diag", "EEI", "VEI", "EVI"}


@pytest.fixture(params=FAMILIES.values(), ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Structure:
    found: Structure = request.param
    return found


def matrices() -> Any:
    return np.stack([make_spd_matrix(D, random_state=k) for k in range(K)])


def some_covariances(family: Structure, seed: int = 0) -> Any:
    """Positive definite ones of the family, in its shape."""
    rng = np.random.RandomState(seed)
    full = naive_structures(family.name, K, D, lambda size: 0.7 * rng.standard_normal(size))
    if family.stores_matrices:
        return full[0] if len(family.storage.shape(K, D)) == 2 else full
    return full[:, 0, 0].copy() if len(family.storage.shape(K, D)) == 1 else np.einsum("kii->ki", full).copy()


def full_of(family: Structure, covariances: Any) -> Any:
    return naive_full_covariances(family.name, covariances, K, D)


def a_mixture(family: Structure) -> Mixture:
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


def statistics_of(moments: Moments, rows: Any, weight: Any, shares: Any, means: Any) -> Statistics:
    rows, shares = np.ascontiguousarray(rows), np.ascontiguousarray(shares)
    block = Block(rows, weight, 0, 0)
    found = AccumulateGiven(means, moments.gathered, get_kernel("numpy"))(block, shares)
    if not moments.needs_total:
        return found
    return found.complete(AccumulateGiven(rows.mean(axis=0)[None], DENSE, get_kernel("numpy"))(block))


def assert_structure(name: str, full: Any) -> None:
    """Check what is equal and what is round by eigen-decompositions, to 1e-9."""
    volume, shape, orientation = LETTERS.get(name, name)
    volumes = np.exp(np.linalg.slogdet(full)[1] / full.shape[-1])
    unit = full / volumes[:, None, None]
    eigenvalues = np.linalg.eigvalsh(unit)
    if volume == "E":
        np.testing.assert_allclose(volumes, volumes[0], rtol=1e-9)
    if shape == "I":
        np.testing.assert_allclose(eigenvalues, 1, rtol=1e-9)
    elif shape == "E":
        np.testing.assert_allclose(eigenvalues, np.repeat(eigenvalues[:1], len(full), 0), rtol=1e-8)
    if orientation == "I":
        np.testing.assert_array_equal(unit * (1 - np.eye(full.shape[-1])), 0)
    elif orientation == "E":
        # Symmetric matrices have their axes in common if and only if they commute.
        products = unit[:, None] @ unit[None, :]
        scale = np.abs(products).max()
        np.testing.assert_allclose(products, products.transpose(1, 0, 2, 3), atol=1e-9 * scale)
    if shape == "E" and orientation != "V":
        np.testing.assert_allclose(unit, np.repeat(unit[:1], len(full), 0), rtol=1e-8, atol=1e-9)


def test_names_lead_to_families(family: Structure) -> None:
    assert get_family(family.name) is family


def test_mclusts_names_lead_to_all_families() -> None:
    assert {get_family(name).name for name in MCLUST_NAMES} == set(FAMILIES)
    for name, letters in LETTERS.items():
        assert get_family(letters) is get_family(name)
    assert set(NAMES) == {*FAMILIES, *MCLUST_NAMES, *FACTOR_FAMILIES, "E", "V"}
    assert (get_family("E").name, get_family("V").name) == ("tied", "full")


@pytest.mark.parametrize("name", ["Full", "", None, [1]])
def test_an_unknown_name_is_an_error_that_lists_the_known(name: Any) -> None:
    with pytest.raises(ParameterError, match=r"`covariance_type` must be one of .*'diag', 'full'.*; got "):
        get_family(name)


def test_shapes_and_free_parameters(family: Structure) -> None:
    assert some_covariances(family).shape == family.storage.shape(K, D)
    assert a_mixture(family).n_parameters == naive_n_parameters(family.name, K, D)


@pytest.mark.parametrize("ridge", [0.0, 0.25])
@pytest.mark.parametrize(("family", "moments"), CLOSED, ids=lambda value: getattr(value, "name", value))
def test_the_estimate_is_its_closed_form(family: Structure, moments: Moments, ridge: float) -> None:
    rows, weight, shares = some_rows()
    counts = weight @ shares
    means = (weight[:, None] * shares).T @ rows / counts[:, None]
    about = means + np.random.RandomState(3).standard_normal(means.shape)
    statistics = statistics_of(moments, rows, weight, shares, about)
    found = family.estimate(statistics, means, Ridge(ridge))
    wanted = naive_covariances(family.name, rows, weight, shares, means, ridge)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


@lru_cache(maxsize=64)
def best_loss(name: str, ridge: float) -> tuple[Any, float, Any]:
    """The scatter in three columns, and the least loss that a general minimizer finds for it, and where."""
    rows, weight, shares = some_rows()
    means = (weight[:, None] * shares).T @ rows[:, :3] / (weight @ shares)[:, None]
    own = naive_covariances("full", rows[:, :3], weight, shares, means, ridge)
    best = naive_best_structure(name, weight @ shares, own, starts=2)
    return own, naive_structure_loss(best, weight @ shares, own), best


@pytest.mark.sampled(3)
@pytest.mark.parametrize("ridge", [0.0, 0.25])
@pytest.mark.parametrize(("family", "moments"), MOMENTS, ids=lambda value: getattr(value, "name", value))
def test_the_estimate_is_the_best_of_its_structure(family: Structure, moments: Moments, ridge: float) -> None:
    rows, weight, shares = some_rows()
    rows, counts = rows[:, :3], weight @ shares
    means = (weight[:, None] * shares).T @ rows / counts[:, None]
    about = means + np.random.RandomState(3).standard_normal(means.shape)
    statistics = statistics_of(moments, rows, weight, shares, about)
    own, least, best = best_loss(family.name, ridge)
    cold = family.estimate(statistics, means, Ridge(ridge))
    some = family.storage.marginal(some_covariances(family), np.arange(3))
    for found in (cold, family.estimate(statistics, means, Ridge(ridge), cold)):
        full = family.storage.full(found, K, 3)
        assert_structure(family.name, full)
        np.testing.assert_allclose(naive_structure_loss(full, counts, own), least, atol=1e-8)
        np.testing.assert_allclose(full, best, atol=2e-3 * best.max())
    if get_family(family.general).contains(some, K, 3):
        # From elsewhere: it may end at another optimum where there are several, but never above its start.
        warm = family.storage.full(family.estimate(statistics, means, Ridge(ridge), some), K, 3)
        assert_structure(family.name, warm)
        loss = naive_structure_loss(warm, counts, own)
        assert loss <= naive_structure_loss(family.storage.full(some, K, 3), counts, own) + 1e-12
        if family.name not in ("EVE", "VVE"):
            np.testing.assert_allclose(loss, least, atol=1e-8)


def test_a_structure_is_its_own_estimate(family: Structure) -> None:
    covariances = some_covariances(family)
    assert_structure(family.name, full_of(family, covariances))
    assert family.contains(covariances, K, D)
    projected = family.project(covariances, K, D)
    np.testing.assert_allclose(projected, covariances, rtol=1e-9, atol=1e-9)


def test_another_structure_is_refused(family: Structure) -> None:
    """Else a family evaluated with one factor for all would be read wrongly, and free parameters miscounted."""
    other = matrices() if family.stores_matrices else np.einsum("kii->ki", matrices()).copy()
    if family.free:
        return
    assert not family.contains(other, K, D)
    with pytest.raises(ParameterError, match=f"`covariances` must be of the family '{family.name}'.*'full'"):
        Mixture.from_parameters([0.2, 0.3, 0.5], np.zeros((K, D)), other, family.name)


def test_one_component_and_one_column(family: Structure) -> None:
    """All families of a kind are one there: the scatter, or its diagonal or its mean; equal variances, or any."""
    rows, weight, shares = some_rows()
    moments = family.moments[-1]
    letters = LETTERS.get(family.name, family.name)
    one = np.ones((N, 1))
    mean = np.average(rows, axis=0, weights=weight)[None]
    found = family.estimate(statistics_of(moments, rows, weight, one, mean), mean, Ridge(0.0))
    covariance = np.cov(rows.T, aweights=weight, ddof=0)
    wanted = covariance if letters[2] != "I" else np.diag(covariance.diagonal())
    if letters[1] == "I":
        wanted = np.eye(D) * covariance.trace() / D
    np.testing.assert_allclose(family.storage.full(found, 1, D)[0], wanted, rtol=1e-8, atol=1e-9)
    column = rows[:, :1]
    means = (weight[:, None] * shares).T @ column / (weight @ shares)[:, None]
    found = family.estimate(statistics_of(moments, column, weight, shares, means), means, Ridge(0.0))
    name = "tied" if letters[0] == "E" else "full"
    wanted = naive_covariances(name, column, weight, shares, means, 0.0).reshape(-1, 1, 1)
    np.testing.assert_allclose(
        family.storage.full(found, K, 1), np.broadcast_to(wanted, (K, 1, 1)), rtol=1e-10
    )


@pytest.mark.parametrize(("family", "moments"), MOMENTS, ids=lambda value: getattr(value, "name", value))
def test_a_component_without_rows_changes_no_other(family: Structure, moments: Moments) -> None:
    rows, weight, shares = some_rows()
    shares = shares.copy()
    shares[:, 1] = 0.0
    means = (weight[:, None] * shares).T @ rows / np.maximum(weight @ shares, 1e-9)[:, None]
    previous = some_covariances(family)
    statistics = statistics_of(moments, rows, weight, shares, means)
    found = family.storage.full(family.estimate(statistics, means, Ridge(0.0), previous), K, D)
    assert_structure(family.name, found)
    assert np.linalg.eigvalsh(found).min() > 0
    few = statistics_of(moments, rows, weight, shares[:, [0, 2]], means[[0, 2]])
    before = previous if family.storage.shape(K, D) == family.storage.shape(2, D) else previous[[0, 2]]
    alone = family.storage.full(family.estimate(few, means[[0, 2]], Ridge(0.0), before), 2, D)
    np.testing.assert_allclose(found[[0, 2]], alone, rtol=1e-6, atol=1e-6)


def test_factors_whiten(family: Structure) -> None:
    covariances = some_covariances(family)
    factors = family.storage.factor(covariances, K, D)
    full = full_of(family, covariances)
    np.testing.assert_allclose(family.storage.full(covariances, K, D), full, rtol=1e-15)
    log_determinants = np.broadcast_to(factors.log_determinants, K)
    np.testing.assert_allclose(log_determinants, -0.5 * np.linalg.slogdet(full)[1], rtol=1e-10)
    for moments in (*family.moments, DENSE):
        whitening = family.storage.whitening(factors, moments, K)
        for k in range(K):
            one = whitening if moments.one_factor else whitening[k]
            matrix = np.diag(one) if one.ndim == 1 else one
            np.testing.assert_allclose(matrix @ full[k] @ matrix.T, np.eye(D), atol=1e-10)
            np.testing.assert_array_equal(matrix, np.tril(matrix))


@pytest.mark.parametrize(("family", "moments"), MOMENTS, ids=lambda value: getattr(value, "name", value))
def test_a_pass_for_any_moments_evaluates_the_density(family: Structure, moments: Moments) -> None:
    mixture, rows = a_mixture(family), some_rows()[0]
    full = full_of(family, mixture.covariances)
    found = np.empty(N)
    get_kernel("numpy").accumulate(rows, None, mixture.components(moments), None, Outputs(log_density=found))
    parts = [
        w * multivariate_normal(m, c).pdf(rows)
        for w, m, c in zip(mixture.weights, mixture.means, full, strict=True)
    ]
    np.testing.assert_allclose(found, np.log(np.sum(parts, axis=0)), rtol=1e-10)


def test_scikit_learns_precisions(family: Structure) -> None:
    mixture = a_mixture(family)
    covariances = mixture.covariances
    roots = precisions_cholesky(mixture)
    found = precisions(roots, family)
    if family.stores_matrices:
        np.testing.assert_allclose(found, np.linalg.inv(covariances), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(roots @ np.swapaxes(roots, -1, -2), found, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(roots, np.triu(roots))
    else:
        np.testing.assert_allclose(found, 1 / covariances, rtol=1e-12)
        np.testing.assert_allclose(roots, covariances**-0.5, rtol=1e-12)
    back = mixture_from_precisions_cholesky(mixture.weights, mixture.means, roots, family)
    np.testing.assert_allclose(back.factors.whitening, mixture.factors.whitening, rtol=1e-12)
    np.testing.assert_allclose(back.factors.log_determinants, mixture.factors.log_determinants, rtol=1e-12)
    np.testing.assert_allclose(back.covariances, covariances, rtol=1e-10, atol=1e-12)


def spoiled(family: Structure, bad: float) -> tuple[Any, list[int]]:
    """Covariances of which the second component (all, where one is stored) is not positive definite."""
    covariances = some_covariances(family)
    if covariances.ndim == 3:
        covariances[1] = bad * np.ones((D, D))
    elif family.name == "tied":
        covariances[...] = bad * np.ones((D, D))
    else:
        covariances[1] = min(bad - 1.0, 0.0)
    return covariances, list(range(K)) if family.name == "tied" else [1]


@pytest.mark.parametrize("bad", [1.0, 0.0, -1.0, np.nan, np.inf, 1e-320])
def test_what_is_not_positive_definite_is_named_and_mended(family: Structure, bad: float) -> None:
    covariances, names = spoiled(family, bad)
    with pytest.raises(NotPositiveDefiniteError, match="not positive definite") as caught:
        family.storage.factor(covariances, K, D)
    assert list(caught.value.components) == names
    if np.isfinite(bad):
        repaired = family.repair(covariances.copy(), names, 1e-4, np.ones(D))
        family.storage.factor(repaired, K, D)
        full = family.storage.full(repaired, K, D)
        assert np.linalg.eigvalsh(full[1]).min() > 0
        assert family.contains(repaired, K, D)
        if family.free and family.storage.per_component:
            assert (np.einsum("kii->ki", full)[1] >= 1e-4 * (1 - 1e-9)).all()
            np.testing.assert_allclose(full[0], full_of(family, covariances)[0])


def test_equal_variances_have_every_structure(family: Structure) -> None:
    """Of each column the geometric mean over the components, as large as can be factored where one overflows."""
    covariances = some_covariances(family)
    equal = family.storage.full(family.storage.equalize(covariances), K, D)
    full = full_of(family, covariances)
    wanted = np.exp(np.log(np.einsum("kii->ki", full)).mean(axis=0))
    np.testing.assert_allclose(equal, np.repeat(np.diag(wanted)[None], K, axis=0), rtol=1e-12)
    assert family.isotropic or family.project(family.storage.equalize(covariances), K, D) == pytest.approx(
        family.storage.equalize(covariances), rel=1e-9
    )
    huge = family.storage.equalize(np.where(covariances != 0, 1e308, 0.0))
    family.storage.factor(huge, K, D)


def test_a_component_can_keep_what_it_had(family: Structure) -> None:
    """One that all share is kept for all."""
    old, new = some_covariances(family), 2.0 * some_covariances(family)
    kept = family.storage.full(family.storage.keep(new.copy(), old, np.array([1])), K, D)
    wanted = full_of(family, old if family.name == "tied" else new)
    wanted[1] = full_of(family, old)[1]
    np.testing.assert_allclose(kept, wanted)
    all_kept = family.storage.full(family.storage.keep(new.copy(), old, np.arange(K)), K, D)
    np.testing.assert_allclose(all_kept, full_of(family, old))


def test_columns_scaling_and_linear_maps(family: Structure) -> None:
    covariances = some_covariances(family)
    full = full_of(family, covariances)
    columns = np.array([2, 0])
    marginal, general = family.storage.marginal(covariances, columns), get_family(family.general)
    np.testing.assert_allclose(general.storage.full(marginal, K, 2), full[:, columns[:, None], columns])
    assert general.contains(marginal, K, 2)
    for scale in (np.full(D, -3.0), np.array([1.0, -2.0, 3.0, 4.0])):
        assert family.maps.allow(scale) == (np.ptp(scale**2) == 0 or family.name in FOLLOW_UNITS)
        if family.maps.allow(scale):
            rescaled = family.storage.rescale(covariances, scale)
            np.testing.assert_allclose(family.storage.full(rescaled, K, D), full * scale[:, None] * scale)
            assert family.contains(rescaled, K, D)
    rng = np.random.RandomState(4)
    for matrix, follow in (
        (rng.standard_normal((2, D)), FOLLOW_ALL_MAPS),
        (rng.standard_normal((D, D)), FOLLOW_SQUARE_MAPS),
        (-7.0 * ortho_group.rvs(D, random_state=rng), FOLLOW_ROTATIONS),
    ):
        assert family.maps.allow(matrix) == (family.name in follow)
        if family.maps.allow(matrix):
            mapped, size = family.storage.transform(covariances, matrix), len(matrix)
            wanted = matrix @ full @ matrix.T
            found = family.storage.full(mapped, K, size)
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * wanted.max())
            assert family.contains(mapped, K, size)


def test_conditioning_is_the_inverse_of_a_block(family: Structure) -> None:
    """The covariance of some columns given the others is the inverse of their block of the precisions."""
    covariances = some_covariances(family)
    given, rest = np.array([1, 3]), np.array([0, 2])
    gain, conditional = family.storage.condition(covariances, given, rest, K)
    precisions = np.linalg.inv(full_of(family, covariances))
    block = np.linalg.inv(precisions[:, rest[:, None], rest])
    general = get_family(family.general)
    np.testing.assert_allclose(general.storage.full(conditional, K, 2), block, rtol=1e-9, atol=1e-12)
    assert general.contains(conditional, K, 2)
    np.testing.assert_allclose(gain, -block @ precisions[:, rest[:, None], given], rtol=1e-9, atol=1e-12)


def test_draws_have_the_covariance(family: Structure) -> None:
    covariances = some_covariances(family)
    mean = np.arange(D, dtype=float)
    rows = family.storage.draw(np.random.RandomState(5), mean, covariances, 1, 40_000)
    full = full_of(family, covariances)[1]
    error = 5 * np.sqrt(2 * full.diagonal().max() ** 2 / len(rows))
    np.testing.assert_allclose(np.cov(rows.T), full, atol=error)
    np.testing.assert_allclose(rows.mean(axis=0), mean, atol=5 * np.sqrt(full.diagonal().max() / len(rows)))


def test_a_shared_covariance_needs_second_moments() -> None:
    statistics = Statistics.zero(FIRST, np.zeros((K, D)))
    with pytest.raises(ParameterError, match=r"must have second moments.*complete\(total\)"):
        get_family("tied").estimate(statistics, np.zeros((K, D)), Ridge())


def test_the_variances_of_the_columns(family: Structure) -> None:
    covariances = some_covariances(family)
    found = np.broadcast_to(family.storage.variances(covariances, D), (K, D))
    np.testing.assert_array_equal(found, np.einsum("kii->ki", full_of(family, covariances)))
