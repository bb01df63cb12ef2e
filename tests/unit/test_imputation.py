"""Missing values filled by a mixture: conditional means, draws, multiple imputations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixtura
from mixtura import GaussianMixture, GaussianMixtureIC, Mixture, impute, multiple_imputations
from mixtura.core.impute import expected_log_density
from mixtura.exceptions import DataError, ParameterError

NAN = float("nan")
RHO, SIGMA, MU = 0.6, (2.0, 3.0), (10.0, -5.0)


@pytest.fixture(scope="module")
def one() -> Mixture:
    """One Gaussian of two columns, of which everything is known in closed form."""
    cross = RHO * SIGMA[0] * SIGMA[1]
    return Mixture.from_parameters([1.0], [MU], [[[SIGMA[0] ** 2, cross], [cross, SIGMA[1] ** 2]]])


@pytest.fixture(scope="module")
def two() -> Mixture:
    """Two overlapping components with different slopes."""
    covariances = [[[1.0, 0.8], [0.8, 1.0]], [[1.0, -0.5], [-0.5, 2.0]]]
    return Mixture.from_parameters([0.3, 0.7], [[0.0, 0.0], [2.0, 5.0]], covariances)


def normal_density(x: float, mean: float, variance: float) -> float:
    return math.exp(-0.5 * (x - mean) ** 2 / variance) / math.sqrt(2.0 * math.pi * variance)


def shares_and_means(x: float) -> tuple[list[float], list[float]]:
    """Of `two`, given the first column: the responsibilities and each component's conditional mean of the second."""
    densities = [0.3 * normal_density(x, 0.0, 1.0), 0.7 * normal_density(x, 2.0, 1.0)]
    return [one / sum(densities) for one in densities], [0.8 * x, 5.0 - 0.5 * (x - 2.0)]


def test_conditional_means_of_a_bivariate_gaussian(one: Mixture) -> None:
    filled = impute(one, [[12.0, NAN], [NAN, 1.0], [3.0, 4.0], [NAN, NAN]])
    expected = [
        [12.0, MU[1] + RHO * SIGMA[1] / SIGMA[0] * 2.0],
        [MU[0] + RHO * SIGMA[0] / SIGMA[1] * 6.0, 1.0],
        [3.0, 4.0],
        list(MU),
    ]
    np.testing.assert_allclose(filled, expected, rtol=1e-12)


@pytest.mark.parametrize("x", [-2.0, 0.5, 1.0, 1.7, 6.0])
def test_conditional_means_of_components_count_by_their_responsibilities(two: Mixture, x: float) -> None:
    shares, means = shares_and_means(x)
    expected = sum(share * mean for share, mean in zip(shares, means, strict=True))
    np.testing.assert_allclose(impute(two, [[x, NAN]]), [[x, expected]], rtol=1e-12)


def test_a_row_without_any_value_gets_the_mean_of_the_mixture(two: Mixture) -> None:
    np.testing.assert_allclose(impute(two, [[NAN, NAN]]), [[0.7 * 2.0, 0.7 * 5.0]], rtol=1e-12)


@pytest.mark.parametrize("covariance_type", ["tied", "diag", "spherical"])
def test_conditional_means_follow_from_the_covariances_of_any_type(covariance_type: str) -> None:
    covariances: Any = {"tied": [[1.0, 0.8], [0.8, 1.0]], "diag": [[1.0, 2.0]] * 2, "spherical": [1.0, 1.0]}
    means = [[0.0, 0.0], [100.0, 7.0]]
    mixture = Mixture.from_parameters([0.5, 0.5], means, covariances[covariance_type], covariance_type)
    slope = 0.8 if covariance_type == "tied" else 0.0
    np.testing.assert_allclose(impute(mixture, [[1.5, NAN], [101.0, NAN]])[:, 1], [slope * 1.5, 7.0 + slope])


def test_draws_have_the_conditional_mean_and_variance(one: Mixture) -> None:
    n = 40_000
    drawn = impute(one, np.tile([12.0, NAN], (n, 1)), method="draw")[:, 1]
    mean, deviation = MU[1] + RHO * SIGMA[1] / SIGMA[0] * 2.0, SIGMA[1] * math.sqrt(1.0 - RHO**2)
    assert abs(drawn.mean() - mean) < 4.0 * deviation / math.sqrt(n)
    assert abs(drawn.std() / deviation - 1.0) < 4.0 / math.sqrt(2 * n)
    tails = np.mean(drawn > mean + deviation), np.mean(drawn < mean - deviation)
    np.testing.assert_allclose(tails, 0.158655, atol=4.0 * 0.366 / math.sqrt(n))


def test_draws_of_whole_rows_have_the_covariance(one: Mixture) -> None:
    n = 40_000
    drawn = impute(one, np.full((n, 2), NAN), method="draw")
    np.testing.assert_allclose(drawn.mean(axis=0), MU, atol=4.0 * 3.0 / math.sqrt(n))
    np.testing.assert_allclose(np.corrcoef(drawn.T)[0, 1], RHO, atol=4.0 * (1 - RHO**2) / math.sqrt(n))
    np.testing.assert_allclose(drawn.std(axis=0), SIGMA, rtol=4.0 / math.sqrt(2 * n))


def test_draws_come_from_the_components_by_their_responsibilities(two: Mixture) -> None:
    n, x = 40_000, 1.0
    drawn = impute(two, np.tile([x, NAN], (n, 1)), method="draw")[:, 1]
    shares, means = shares_and_means(x)
    variances = [1.0 - 0.8**2, 2.0 - 0.25]
    mean = sum(s * m for s, m in zip(shares, means, strict=True))
    variance = sum(s * (v + (m - mean) ** 2) for s, m, v in zip(shares, means, variances, strict=True))
    assert abs(drawn.mean() - mean) < 4.0 * math.sqrt(variance / n)
    np.testing.assert_allclose(drawn.var(), variance, rtol=0.03)


def test_filled_means_vary_less_than_draws_do(one: Mixture) -> None:
    rows = one.sample(5000, np.random.RandomState(0))[0]
    whole = rows.copy()
    rows[::2, 1] = NAN
    by_mean, by_draw = impute(one, rows), impute(one, rows, method="draw")
    assert by_mean[::2, 1].std() == pytest.approx(RHO * SIGMA[1], rel=0.05)
    assert by_draw[::2, 1].std() == pytest.approx(SIGMA[1], rel=0.05)
    assert np.corrcoef(by_draw.T)[0, 1] == pytest.approx(RHO, abs=0.03)
    np.testing.assert_array_equal(by_draw[1::2], whole[1::2])
    np.testing.assert_array_equal(by_mean[:, 0], whole[:, 0])


def test_what_is_given_stays_as_it_is(two: Mixture) -> None:
    rows = np.array([[1.0, NAN], [NAN, 2.0]])
    before = rows.copy()
    impute(two, rows)
    impute(two, rows, method="draw")
    np.testing.assert_array_equal(rows, before)
    complete = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(impute(two, complete), complete)


def test_draws_repeat_with_their_seed_alone(two: Mixture) -> None:
    rows = np.full((20, 2), NAN)
    one, same, other = (impute(two, rows, method="draw", random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()
    rng = np.random.RandomState(1)
    assert (impute(two, rows, method="draw", random_state=rng) == one).all()
    assert (impute(two, rows, method="draw", random_state=rng) != one).all()


def test_multiple_imputations_differ_where_values_were_missing_alone(two: Mixture) -> None:
    rows = np.array([[1.0, NAN], [0.0, 1.0], [NAN, NAN]])
    tables = list(multiple_imputations(two, rows, 4, random_state=3))
    assert len(tables) == 4
    missing = np.isnan(rows)
    for k, table in enumerate(tables):
        np.testing.assert_array_equal(table[~missing], rows[~missing])
        for other in tables[:k]:
            assert (table[missing] != other[missing]).all()
    again = list(multiple_imputations(two, rows, 4, random_state=3))
    np.testing.assert_array_equal(tables, again)
    assert len(list(multiple_imputations(two, rows))) == 20


def test_rubins_rules_cover_the_mean(one: Mixture) -> None:
    """Of 200 tables the 95 % interval of the mean of a column with missing values holds the true mean in about 95 %."""
    covered, n, m = 0, 120, 8
    for seed in range(200):
        rng = np.random.RandomState(seed)
        rows = one.sample(n, rng)[0]
        rows[rng.uniform(size=n) < 0.3, 1] = NAN
        tables = list(multiple_imputations(one, rows, m, random_state=rng))
        means = np.array([table[:, 1].mean() for table in tables])
        within = np.mean([table[:, 1].var(ddof=1) / n for table in tables])
        error = math.sqrt(within + (1.0 + 1.0 / m) * means.var(ddof=1))
        covered += abs(means.mean() - MU[1]) < 2.0 * error
    assert 180 <= covered <= 200


@pytest.mark.parametrize("kind", ["estimator", "search", "mixture"])
def test_every_kind_of_fitted_model_is_taken(kind: str) -> None:
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((100, 2))
    rows[:10, 1] = NAN
    found: Any = GaussianMixture(1, missing="fiml").fit(rows)
    if kind == "search":
        found = GaussianMixtureIC([1], covariance_type=["full"], missing="fiml").fit(rows)
    elif kind == "mixture":
        found = found.mixture_
    filled = impute(found, rows)
    assert np.isfinite(filled).all()
    slope, mean = _regression(found if kind == "mixture" else getattr(found, "best_model_", found))
    np.testing.assert_allclose(filled[:10, 1], mean[1] + slope * (rows[:10, 0] - mean[0]), rtol=1e-9)


def _regression(model: Any) -> tuple[float, Any]:
    mixture = model if isinstance(model, Mixture) else getattr(model, "mixture_", None) or model.mixture
    covariance = mixture.full_covariances()[0]
    return covariance[0, 1] / covariance[0, 0], mixture.means[0]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"X": [[1.0, 2.0, 3.0]]}, DataError, "`X` must have the 2 columns of the model; got 3"),
        ({"X": [1.0, 2.0]}, DataError, "`X` must hold rows"),
        ({"X": [[math.inf, NAN]]}, DataError, "infinite"),
        ({"X": [["a", "b"]]}, DataError, "`X`"),
        ({"method": "median"}, ParameterError, "`method`"),
        ({"model": GaussianMixture(2)}, ParameterError, "`model` must be a fitted"),
        ({"model": "model.json"}, ParameterError, "`model` must be a fitted"),
    ],
)
def test_what_cannot_be_filled_is_refused(arguments: Any, error: type, said: str, two: Mixture) -> None:
    with pytest.raises(error, match=said):
        impute(**({"model": two, "X": [[1.0, NAN]]} | arguments))


@pytest.mark.parametrize("number", [0, -1, 2.5])
def test_the_number_of_imputations_is_checked(number: Any, two: Mixture) -> None:
    with pytest.raises(ParameterError, match="`n_imputations`"):
        multiple_imputations(two, [[1.0, NAN]], number)


def test_columns_in_another_order_are_refused() -> None:
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, NAN], "b": [10.0, 12.0, 13.5, 11.0]})
    model = mixtura.GaussianMixture(missing="fiml", reg_covar=0.1).fit(frame)
    np.testing.assert_array_equal(impute(model, frame), impute(model, frame.to_numpy()))
    for fill in (impute, multiple_imputations):
        with pytest.raises(
            DataError, match=r"columns seen in fit, 'a', 'b', in this order; got 'b', 'a'\. Try `X\["
        ):
            fill(model, frame[["b", "a"]])


def test_both_are_public() -> None:
    assert {"impute", "multiple_imputations"} <= set(mixtura.__all__)


def expected_rest(mixture: Mixture, row: Any) -> list[float]:
    """Return minus half of ``log |2 pi e C_k|``, C_k the covariance of what is missing given the rest."""
    lacks, found = np.isnan(row), []
    for covariance in mixture.full_covariances():
        blocks = [covariance[np.ix_(a, b)] for a in (lacks, ~lacks) for b in (lacks, ~lacks)]
        left = blocks[0] - blocks[1] @ np.linalg.inv(blocks[3]) @ blocks[2]
        found.append(-0.5 * float(np.linalg.slogdet(2.0 * np.pi * np.e * left)[1]))
    return found


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_what_densities_lack_is_expected_pattern_by_pattern(covariance_type: str) -> None:
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(3, 4, 4))
    full = roots @ roots.transpose(0, 2, 1) + np.eye(4)
    full[2] *= 1e-160  # so narrow that its share of a wide one's density is no number
    covariances = {"full": full, "tied": full[0], "diag": full[:, 0] ** 2 + 1e-3, "spherical": full[:, 0, 0]}
    given = covariances[covariance_type]
    mixture = Mixture.from_parameters([0.2, 0.3, 0.5], rng.normal(size=(3, 4)), given, covariance_type)
    rows = rng.normal(size=(40, 4))
    rows[rng.uniform(size=rows.shape) < 0.4] = np.nan
    rows[0], rows[1] = np.nan, 1.0
    memberships = rng.dirichlet(np.ones(3), size=40)
    wanted = [share @ expected_rest(mixture, row) for share, row in zip(memberships, rows, strict=True)]
    np.testing.assert_allclose(expected_log_density(mixture, rows, memberships), wanted, rtol=1e-9)
