"""Covariances of few factors: against scikit-learn's factor analysis, principal components, and naive counts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA, FactorAnalysis

from mixtura import GaussianMixture, Mixture, fit
from mixtura.core.covariance import FACTOR_FAMILIES, choose_families, count_parameters, get_family, is_factor
from mixtura.core.covariance.algebra.factor_analysis import factor_covariance, factor_loss
from mixtura.core.model import GaussianModel
from mixtura.core.parts.discrete import DiscreteColumns
from mixtura.core.parts.known_labels import with_known
from mixtura.core.parts.level_models import CATEGORICAL
from mixtura.core.prior import Ridge
from mixtura.core.protocols import MixedRows
from mixtura.engine import as_data
from mixtura.exceptions import ParameterError
from mixtura.fit import AbsoluteChange, EMStep, FromPartition, Problem, fit_mixture
from mixtura.segments.options import COVARIANCE_TYPES, FACTOR_TYPES, Settings
from mixtura.select import search

MODELS = ("UUU", "UUC", "UCC", "CCU", "CCC")


def factor_rows(n_rows: int, n_features: int, q: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_features, q))
    noise = rng.normal(size=(n_rows, n_features)) * rng.uniform(0.3, 2.0, n_features)
    return rng.normal(size=(n_rows, q)) @ loadings.T + noise


def planted(n_rows: int = 300, n_features: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Three components, each with two factors of its own."""
    rng = np.random.default_rng(1)
    labels = rng.integers(3, size=n_rows)
    loadings, means = rng.normal(size=(3, n_features, 2)), 0.5 * rng.normal(size=(3, n_features))
    factors = np.einsum("ndq,nq->nd", loadings[labels], rng.normal(size=(n_rows, 2)))
    rows = means[labels] + factors + 0.7 * rng.normal(size=(n_rows, n_features))
    return (rows - rows.mean(axis=0)) / rows.std(axis=0), labels


@pytest.mark.parametrize(
    ("n_rows", "n_features", "q"), [(400, 20, 1), (150, 20, 2), (300, 30, 4), (25, 30, 2)]
)
def test_a_factor_covariance_is_scikit_learns(n_rows: int, n_features: int, q: int) -> None:
    rows = factor_rows(n_rows, n_features, q)
    sample = np.cov(rows.T, bias=True)
    found = factor_covariance(sample, q)
    theirs = FactorAnalysis(q, tol=1e-10, max_iter=20_000, svd_method="lapack").fit(rows).get_covariance()
    assert factor_loss(found[None], sample[None])[0] <= factor_loss(theirs[None], sample[None])[0] + 1e-8
    np.testing.assert_allclose(factor_covariance(found, q), found, atol=1e-8 * np.abs(found).max())


@pytest.mark.parametrize("model", ["UUU", "CCU"])
def test_one_component_is_factor_analysis(model: str) -> None:
    rows = factor_rows(200, 20, 2)
    fitted = GaussianMixture(1, covariance_type=f"{model}-2", reg_covar=0).fit(rows)
    theirs = FactorAnalysis(2, tol=1e-10, max_iter=20_000, svd_method="lapack").fit(rows)
    assert fitted.score(rows) == pytest.approx(theirs.score(rows), abs=1e-8)


@pytest.mark.parametrize("model", ["UUC", "UCC", "CCC"])
def test_one_component_with_equal_noise_is_probabilistic_pca(model: str) -> None:
    rows = factor_rows(200, 20, 3)
    fitted = GaussianMixture(1, covariance_type=f"{model}-3", reg_covar=0).fit(rows)
    # Probabilistic PCA by eigenvalues (Tipping and Bishop 1999), of the covariance that is divided by n.
    values, axes = np.linalg.eigh(np.cov(rows.T, bias=True))
    noise = values[:-3].mean()
    expected = (axes * np.concatenate([np.full(17, noise), values[-3:]])) @ axes.T
    own = Mixture.from_parameters([1.0], [rows.mean(axis=0)], expected[None]).log_likelihood(rows) / 200
    assert fitted.score(rows) == pytest.approx(own, abs=1e-9)
    assert fitted.score(rows) == pytest.approx(PCA(3).fit(rows).score(rows), abs=1e-2)


def naive_dimension(model: str, k: int, d: int, q: int) -> int:
    """Dimension of all covariances of a model: the rank of the derivatives at random loadings and noise."""
    rng = np.random.default_rng(2)
    own_loadings, own_noise = (k if letter == "U" else 1 for letter in model[:2])
    n_noise = d if model[2] == "U" else 1
    sizes = own_loadings * d * q, own_noise * n_noise

    def covariances(point: np.ndarray) -> np.ndarray:
        loadings = point[: sizes[0]].reshape(own_loadings, d, q)
        noise = point[sizes[0] :].reshape(own_noise, n_noise)
        return np.concatenate(
            [
                (
                    loadings[j % own_loadings] @ loadings[j % own_loadings].T
                    + np.diag(np.broadcast_to(noise[j % own_noise], d))
                ).ravel()
                for j in range(k)
            ]
        )

    point = np.concatenate([rng.normal(size=sizes[0]), rng.uniform(1, 2, sizes[1])])
    step = 1e-6
    columns = [
        (covariances(point + step * one) - covariances(point - step * one)) / (2 * step)
        for one in np.eye(point.size)
    ]
    return int(np.linalg.matrix_rank(np.array(columns), tol=1e-4))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("k", "d", "q"), [(1, 6, 1), (3, 7, 2), (2, 8, 3)])
def test_parameters_are_counted(model: str, k: int, d: int, q: int) -> None:
    family = get_family(f"{model}-{q}")
    assert family.n_parameters(k, d) == naive_dimension(model, k, d, q)
    assert count_parameters(f"{model}-{q}", k, d) == k - 1 + k * d + family.n_parameters(k, d)


def naive_log_likelihood(rows: np.ndarray, k: int, q: int, shares: np.ndarray, n_iter: int) -> float:
    """EM of a mixture of factor analysers with equal noise of each component, row by row sums written out."""
    for _ in range(n_iter):
        counts = shares.sum(axis=0)
        weights, means = counts / len(rows), shares.T @ rows / counts[:, None]
        logs = np.empty((len(rows), k))
        for j in range(k):
            apart = rows - means[j]
            values, axes = np.linalg.eigh((shares[:, j, None] * apart).T @ apart / counts[j])
            noise = values[:-q].mean()
            loadings = axes[:, -q:] * np.sqrt(np.maximum(values[-q:] - noise, 0.0))
            covariance = loadings @ loadings.T + noise * np.eye(rows.shape[1])
            quadratic = np.einsum("nd,de,ne->n", apart, np.linalg.inv(covariance), apart)
            determinant = np.linalg.slogdet(2.0 * np.pi * covariance)[1]
            logs[:, j] = np.log(weights[j]) - 0.5 * (determinant + quadratic)
        total = np.logaddexp.reduce(logs, axis=1)
        shares = np.exp(logs - total[:, None])
    return float(total.sum())


def test_a_fit_is_that_of_a_naive_loop() -> None:
    rows, labels = planted(200)
    shares = np.eye(3)[labels]
    problem = Problem(as_data(rows), GaussianModel(3, get_family("UUC-2"), Ridge(0.0)))
    settings = fit.Settings(AbsoluteChange(0.0), 9, step=EMStep)
    found = fit_mixture(problem, FromPartition(shares), settings, random_state=np.random.RandomState(0))
    assert found.n_iter == 9
    expected = naive_log_likelihood(rows, 3, 2, shares, 10)
    assert found.mixture.log_likelihood(rows) == pytest.approx(expected, abs=1e-8)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", MODELS)
def test_the_log_likelihood_never_falls(model: str) -> None:
    rows, _ = planted()
    fitted = GaussianMixture(
        3, covariance_type=f"{model}-2", random_state=0, max_iter=25, tol=1e-5, reg_covar=1e-9
    )
    result = fitted.fit(rows).result_
    objectives = [event.objective for event in result.trace.events]
    assert np.diff(objectives).min() >= -1e-9


@pytest.mark.parametrize("model", MODELS)
def test_parameters_survive_a_round_trip(model: str) -> None:
    rows, _ = planted()
    fitted = search(rows, components=[2], covariance_types=f"{model}-2").best.mixture
    assert fitted is not None
    again = Mixture.from_parameters(fitted.weights, fitted.means, fitted.covariances, f"{model}-2")
    np.testing.assert_allclose(again.log_density(rows), fitted.log_density(rows), rtol=1e-9)
    free = np.cov(np.random.default_rng(0).normal(size=(60, 20)).T)
    stored = free if fitted.covariances.ndim == 2 else np.stack([free, free])
    with pytest.raises(ParameterError):
        Mixture.from_parameters(fitted.weights, fitted.means, stored, f"{model}-2")


def test_components_with_few_rows_are_fitted() -> None:
    rng = np.random.default_rng(5)
    rows = np.vstack([rng.normal(size=(14, 25)), rng.normal(size=(14, 25)) + 3.0])
    for model in MODELS:
        best = search(rows, components=[2], covariance_types=f"{model}-1").candidates[0]
        assert best.mixture is not None
        assert np.isfinite(best.log_likelihood)


def test_planted_factors_are_preferred() -> None:
    rows, labels = planted()
    found = search(rows, components=[1, 3], covariance_types=["full", "diag", "UUU-2", "UUC-2"])
    assert found.best.covariance_type == "UUU-2"
    assert found.best.n_components == 3
    assert np.bincount(found.best.mixture.predict(rows) * 3 + labels, minlength=9).max() > 80


def test_they_are_tried_with_many_columns_alone() -> None:
    plain = Settings(None, COVARIANCE_TYPES, "bic", 1, 0)
    assert plain.families(np.zeros((3, 19))) == COVARIANCE_TYPES
    assert plain.families(np.zeros((3, 20))) == (*COVARIANCE_TYPES, *FACTOR_TYPES)
    asked = Settings(None, list(COVARIANCE_TYPES), "bic", 1, 0)
    assert asked.families(np.zeros((3, 40))) == COVARIANCE_TYPES
    assert all(is_factor(name) and name in FACTOR_FAMILIES for name in FACTOR_TYPES)


def test_spherical_ones_are_not_tried_beside_discrete_columns() -> None:
    columns = DiscreteColumns((CATEGORICAL,), (np.array([0.5, 0.5]),))
    mixed = MixedRows(np.zeros((4, 2)), np.array([[0], [1], [0], [1]], dtype=np.int32), columns)
    plain, asked = (Settings(None, types, "bic", 1, 0) for types in (COVARIANCE_TYPES, ["spherical"]))
    assert plain.families(mixed) == ("full", "tied", "diag")
    assert asked.families(mixed) == ("spherical",)
    # Labels of known rows are no column of the table.
    assert plain.families(with_known(np.zeros((4, 2)), np.array([0, 1, -1, -1]))) == COVARIANCE_TYPES


def test_names_are_checked() -> None:
    assert choose_families(["UUU-2", "full"], 20) == ["UUU-2", "full"]
    with pytest.raises(ParameterError, match="6 columns do not determine 4 factors"):
        choose_families(["UUU-4"], 6)
    with pytest.raises(ParameterError, match="must be one of"):
        get_family("UUU-0")
