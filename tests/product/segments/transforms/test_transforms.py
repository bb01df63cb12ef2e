"""Transforms: there and back, densities in the user's units, and the rule that recommends them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn.preprocessing import PowerTransformer

from mixtura.exceptions import ColumnError, ParameterError
from mixtura.segments import advise_transform, assign_table, fit_transform, segment_table, select_table
from mixtura.segments.transforms.recommend_transform import check_transforms
from mixtura.segments.transforms.scaling import scaling_of
from mixtura.segments.transforms.transforms import IDENTITY, Log1p, Winsorized, YeoJohnson

RNG = np.random.default_rng(8)
NUMBERS = np.array([-1e4, -37.5, -1.0, -1e-9, 0.0, 1e-9, 0.3, 1.0, 5.5, 2e5])
INVERTIBLE = [IDENTITY, Log1p(), *(YeoJohnson(p) for p in (0.0, 0.3, 1.0, 1.7, 2.0))]


@pytest.mark.parametrize("transform", INVERTIBLE, ids=repr)
def test_there_and_back(transform) -> None:
    np.testing.assert_allclose(transform.inverse(transform.forward(NUMBERS)), NUMBERS, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("transform", [*INVERTIBLE, Winsorized(-1e6, 1e6)], ids=repr)
def test_derivatives_are_slopes(transform) -> None:
    step = 1e-6 * np.maximum(np.abs(NUMBERS), 1)
    slope = (transform.forward(NUMBERS + step) - transform.forward(NUMBERS - step)) / (2 * step)
    np.testing.assert_allclose(np.exp(transform.log_derivative(NUMBERS)), slope, rtol=1e-5)


@pytest.mark.parametrize("exponent", [0.0, 0.4, 1.0, 1.5, 2.0])
def test_yeo_johnson_is_scipys(exponent) -> None:
    moved = YeoJohnson(exponent).forward(NUMBERS)
    np.testing.assert_allclose(moved, stats.yeojohnson(NUMBERS, exponent), rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize(
    "values", [RNG.gamma(2, 3, 300), RNG.gamma(2, 3, 300) - 4, -RNG.gamma(1, 2, 300), RNG.normal(size=300)]
)
def test_the_exponent_is_scikit_learns(values) -> None:
    expected = PowerTransformer(standardize=False).fit(values[:, None]).lambdas_[0]
    fitted = fit_transform("yeo-johnson", "x", values)
    assert fitted.exponent == pytest.approx(np.clip(expected, 0, 2), abs=2e-4)


def test_the_exponent_stays_where_there_is_an_inverse() -> None:
    values = RNG.lognormal(1, 2, size=300)
    assert PowerTransformer(standardize=False).fit(values[:, None]).lambdas_[0] < 0
    assert fit_transform("yeo-johnson", "x", values).exponent == 0


def test_a_weight_is_so_many_rows() -> None:
    values, weights = RNG.gamma(2, 3, 100), RNG.integers(0, 4, 100).astype(float)
    repeated = np.repeat(values, weights.astype(int))
    for kind in ("yeo-johnson", "winsorize"):
        one, other = fit_transform(kind, "x", values, weights), fit_transform(kind, "x", repeated)
        assert one.parameters() == pytest.approx(other.parameters(), abs=1e-5)
    one, other = advise_transform("x", values, weights), advise_transform("x", repeated)
    assert one.skewness == pytest.approx(other.skewness)


def test_what_a_transform_does_not_take() -> None:
    with pytest.raises(ParameterError, match="holds -3"):
        fit_transform("log1p", "x", np.array([1.0, -3.0]))
    with pytest.raises(ParameterError, match=r"`transform` must be one of .* got .sqrt."):
        fit_transform("sqrt", "x", np.array([1.0]))
    with pytest.raises(ParameterError, match="got 'sqrt' for the column 'x'"):
        check_transforms({"x": "sqrt"})
    with pytest.raises(ParameterError, match="must name columns that build the segments; got 'y'"):
        check_transforms({"y": "log1p"}, ["x"])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (RNG.normal(size=500), "none"),
        (RNG.lognormal(3, 1, size=500), "log1p"),
        (RNG.lognormal(3, 1, size=500) - 30, "yeo-johnson"),
        (-RNG.gamma(0.8, 2, size=500), "yeo-johnson"),
        (np.append(RNG.normal(100, 5, size=470), RNG.normal(160, 5, size=30)), "none"),
        (np.append(RNG.normal(size=998), [-60.0, 60.0]), "winsorize"),
        (np.append(RNG.lognormal(3, 1, size=300), np.zeros(200)), "log1p"),
        (np.append(RNG.normal(50, 5, size=300), np.zeros(200)), "none"),
        (RNG.lognormal(3, 1, size=19), "none"),
        (RNG.poisson(0.5, size=500).astype(float), "none"),
    ],
    ids=[
        "bell",
        "money",
        "profit",
        "left",
        "two groups",
        "far",
        "money and zeros",
        "zeros",
        "short",
        "counts",
    ],
)
def test_the_rule(values, kind) -> None:
    advice = advise_transform("x", values)
    assert advice.kind == kind
    assert advice.share_zero == np.mean(values == 0)
    judged = values[values != 0] if advice.share_zero >= 0.1 else values
    if kind in {"log1p", "yeo-johnson"}:
        assert advice.skewness == pytest.approx(stats.skew(judged))
        moved = fit_transform(kind, "x", values).forward(judged)
        assert advice.skewness_after == pytest.approx(stats.skew(moved))


@pytest.fixture(scope="module")
def money() -> pl.DataFrame:
    group = RNG.integers(0, 2, 400)
    return pl.DataFrame(
        {"revenue": np.exp(RNG.normal(3 + 2 * group, 0.5)), "profit": RNG.gamma(2, 3, 400) - 4 + 2 * group}
    )


def test_a_single_bell_of_logarithms_is_the_lognormal_distribution(money) -> None:
    result = segment_table(money, columns=["revenue"], components=[1], transform="log1p")
    revenue = money["revenue"].to_numpy()
    logs = np.log1p(revenue)
    expected = stats.lognorm(s=logs.std(), loc=-1, scale=np.exp(logs.mean())).logpdf(revenue)
    np.testing.assert_allclose(result.assignment.log_density, expected, rtol=1e-5)
    assert result.best.log_likelihood == pytest.approx(expected.sum(), rel=1e-6)


@pytest.mark.parametrize("transform", ["log1p", "yeo-johnson"])
def test_densities_in_the_users_units_integrate_to_one(money, transform) -> None:
    model = segment_table(money, columns=["revenue"], components=[2], transform=transform).model
    # The transform stretches the axis: equal steps of it, so that tails are reached.
    grid = model.scaling.restore(np.linspace(-12, 12, 20_001)[:, None])[:, 0]
    grid = grid[np.isfinite(grid)]
    assert np.trapezoid(np.exp(model.log_density(grid[:, None])), grid) == pytest.approx(1, abs=1e-4)


def test_criteria_of_transforms_can_be_compared(money) -> None:
    raw = segment_table(money, components=[1, 2])
    moved = segment_table(money, components=[1, 2], transform={"revenue": "log1p", "profit": "yeo-johnson"})
    rows = money.to_numpy()
    for result in (raw, moved):
        density = result.model.log_density(rows)
        assert result.best.log_likelihood == pytest.approx(density.sum(), rel=1e-9)
        parameters = result.model.mixture.n_parameters + result.model.scaling.n_parameters
        assert result.best.n_parameters == parameters
        assert result.best.bic == pytest.approx(parameters * np.log(400) - 2 * density.sum(), rel=1e-9)
    assert moved.model.scaling.n_parameters == 1
    assert moved.best.bic < raw.best.bic - 100
    selection = select_table(
        money, components=[1, 2], transform={"revenue": "log1p", "profit": "yeo-johnson"}
    )
    assert selection.found.best.bic == pytest.approx(moved.ranking[0].bic, rel=1e-12)


def test_what_is_told_is_in_the_users_units(money) -> None:
    result = segment_table(money, components=[2], transform="auto")
    assert [one.kind for one in result.model.scaling.transforms] == [one.kind for one in result.advice]
    assert result.model.scaling.transforms[0].kind == "log1p"
    table = money.with_columns(pl.Series("segment", result.assignment.labels + 1))
    means = table.group_by("segment").mean().sort("segment")
    np.testing.assert_allclose([one.means[0] for one in result.segments], means["revenue"])
    assert result.population.numbers["revenue"].mean == pytest.approx(money["revenue"].mean())
    assert not any("--transform" in note for note in result.notes)


def test_without_a_transform_one_is_recommended(money) -> None:
    for result in (segment_table(money, components=[2]), select_table(money, components=[2])):
        assert any("log1p of revenue" in note and 'transform="auto"' in note for note in result.notes)
    named = segment_table(money, components=[2], transform={"*": "auto", "revenue": "none"})
    assert named.model.scaling.transforms[0] == IDENTITY
    clipped = segment_table(money, components=[2], transform="winsorize")
    assert any("winsorized" in note for note in clipped.notes)


def test_a_transformed_model_is_kept(money, tmp_path) -> None:
    transform = {"revenue": "winsorize", "profit": "yeo-johnson"}
    result = segment_table(money, components=[2], transform=transform)
    result.model.save(tmp_path / "model.json")
    loaded = type(result.model).load(tmp_path / "model.json")
    assert loaded.scaling.transforms == result.model.scaling.transforms
    again = assign_table(loaded, money)
    np.testing.assert_array_equal(again.log_density, result.assignment.log_density)
    refund = assign_table(loaded, pl.DataFrame({"revenue": [-50.0], "profit": [-900.0]}))
    assert np.isfinite(refund.log_density).all()


def test_a_later_negative_value_has_a_place(money) -> None:
    model = segment_table(money, columns=["revenue"], components=[2], transform="log1p").model
    assignment = assign_table(model, pl.DataFrame({"revenue": [-50.0, 20.0]}))
    assert assignment.anomaly.tolist() == [True, False]


def test_a_column_that_a_transform_makes_constant() -> None:
    values = np.zeros(1000)
    values[:5] = 7.0
    frame = pl.DataFrame({"x": values, "y": RNG.normal(size=1000)})
    with pytest.raises(ColumnError, match=r"'x' \(transform winsorize\) has no differences"):
        segment_table(frame, columns=["x", "y"], transform={"x": "winsorize"})


def test_points_come_back() -> None:
    rows = RNG.gamma(2, 3, (50, 3))
    scaling = scaling_of(rows, None, (Log1p(), IDENTITY, YeoJohnson(0.4)))
    np.testing.assert_allclose(scaling.restore(scaling.apply(rows)), rows, rtol=1e-9)
    np.testing.assert_allclose(
        scaling.restore(scaling.apply(rows)[:, [2, 0]], [2, 0]), rows[:, [2, 0]], rtol=1e-9
    )
    plain = scaling_of(rows)
    np.testing.assert_allclose(plain.restore(plain.apply(rows)), rows, rtol=1e-9)


def test_the_mixture_of_transformed_rows(money) -> None:
    model = segment_table(money, components=[2], transform={"revenue": "log1p"}).model
    rows = money.to_numpy()
    with pytest.raises(ParameterError, match="log1p of revenue, profit"):
        model.in_user_units()
    moved = np.column_stack([np.log1p(rows[:, 0]), rows[:, 1]])
    np.testing.assert_allclose(model.scaling.transformed(rows), moved)
    density = model.in_transformed_units().log_density(moved) - np.log1p(rows[:, 0])
    np.testing.assert_allclose(model.log_density(rows), density, rtol=1e-9)
