"""The M-step in one call: the mixture is the one that the general path makes, and that path is taken where it must."""

from __future__ import annotations

import numpy as np
import pytest

from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.maximize import RepairKind, maximize
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Conjugate, Floor, Ridge
from mixtura.engine import as_data
from mixtura.fit import EMStep, Problem

CLOSED = [name for name, family in FAMILIES.items() if family.closed_form is not None]
DATA = as_data(
    np.random.default_rng(0).normal(size=(240, 3)) @ [[2.0, 1.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.3]]
)
PRIORS = {
    "ridge": Ridge(1e-3),
    "no ridge": Ridge(0.0),
    "floor": Floor.of(DATA.total),
    "high floor": Floor.of(DATA.total, 1e-2),
}


def start(name: str, prior: Ridge | Floor | Conjugate, n_components: int = 3):
    """Sums of a pass in which every component has rows, and what they lead to."""
    rng = np.random.default_rng(1)
    family = get_family(name)
    shape = family.storage.shape(n_components, 3)
    covariances = np.broadcast_to(np.eye(3), shape) if family.stores_matrices else np.ones(shape)
    weights = np.full(n_components, 1 / n_components)
    mixture = Mixture.from_parameters(weights, rng.normal(size=(n_components, 3)), covariances, name)
    step = EMStep(Problem(DATA, GaussianModel(n_components, family, prior)))
    return step.gather(step.init(mixture)), family, mixture


@pytest.fixture
def general(monkeypatch):
    """The M-step without closed forms."""

    def run(statistics, family, prior, previous):
        with monkeypatch.context() as patched:
            patched.setattr(type(family), "closed_form", None)
            return maximize(statistics, family, prior, previous)

    return run


@pytest.mark.parametrize("kind", PRIORS)
@pytest.mark.parametrize("name", CLOSED)
def test_it_is_the_mixture_of_the_general_path(general, name, kind):
    prior = PRIORS[kind]
    statistics, family, mixture = start(name, prior)
    found, repairs = maximize(statistics, family, prior, mixture)
    expected, _ = general(statistics, family, prior, mixture)
    assert repairs == ()
    assert found.offsets is not None
    assert expected.offsets is None
    for one, other in (
        (found.weights, expected.weights),
        (found.means, expected.means),
        (found.covariances, expected.covariances),
        (found.factors.whitening, expected.factors.whitening),
        (found.factors.log_determinants, expected.factors.log_determinants),
        (found.components().offsets, expected.components().offsets),
    ):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.abs(other).max())


@pytest.mark.parametrize("name", CLOSED)
def test_a_floor_that_binds_is_kept(general, name):
    statistics, family, mixture = start(name, Ridge(0.0))
    prior = Floor.of(as_data(DATA.rows(np.arange(240)) * 1e3).total, 1e-2)
    found, repairs = maximize(statistics, family, prior, mixture)
    expected, _ = general(statistics, family, prior, mixture)
    assert found.offsets is not None
    assert expected.offsets is None
    assert not repairs
    np.testing.assert_allclose(found.means, expected.means, rtol=1e-12)
    np.testing.assert_allclose(found.covariances, expected.covariances, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(found.components().offsets, expected.components().offsets, rtol=1e-12)
    assert (found.full_covariances().diagonal(axis1=1, axis2=2).mean(axis=1) > 100).all()


@pytest.mark.parametrize("name", CLOSED)
def test_a_conjugate_prior_is_not_passed_over(general, name):
    prior = Conjugate.of(DATA.total, 3)
    statistics, family, mixture = start(name, prior)
    found, expected = (
        maximize(statistics, family, prior, mixture)[0],
        general(statistics, family, prior, mixture)[0],
    )
    assert found.offsets is None
    assert np.array_equal(found.covariances, expected.covariances)


@pytest.mark.parametrize("name", CLOSED)
def test_an_empty_component_is_said(name):
    statistics, family, mixture = start(name, Ridge())
    statistics.counts[1] = 0.0
    statistics.first[1] = 0.0
    _, repairs = maximize(statistics, family, Ridge(), mixture)
    assert (1, RepairKind.EMPTY) in {(repair.component, repair.kind) for repair in repairs}


def test_refined_factors_have_offsets_of_their_own():
    statistics, family, mixture = start("full", Ridge())
    found, _ = maximize(statistics, family, Ridge(), mixture)
    assert found.refined() is found
    close = 1.0 - 1e-9
    narrow = Mixture.from_parameters([1.0], [[0.0, 0.0]], [[[1.0, close], [close, 1.0]]])
    refined = narrow.refined()
    assert refined.offsets is None
    exact = -0.5 * np.log((1.0 - close) * (1.0 + close)) - np.log(2 * np.pi)
    np.testing.assert_allclose(refined.components().offsets, exact, rtol=1e-12)
