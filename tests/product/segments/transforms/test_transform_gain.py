"""Transforms are used where customers held out are more likely, and segments more stable."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from mixtura.exceptions import MixturaError
from mixtura.segments import advise_transform, segment_table
from mixtura.segments.options import Settings
from mixtura.segments.stability import transform_gain as module
from mixtura.segments.stability.transform_gain import TransformGain, transform_gain
from mixtura.segments.transforms.scaling import scaling_of
from mixtura.segments.transforms.transforms import IDENTITY, fit_transform

SETTINGS = Settings(None, ("full",), "bic", 1, 0)


def money(n_rows: int = 400) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    group = rng.integers(0, 2, n_rows)
    return pl.DataFrame(
        {"revenue": np.exp(rng.normal(3 + 2 * group, 0.4)), "margin": rng.normal(4 * group, 1)}
    )


def scalings(rows, *kinds):
    moved = tuple(
        IDENTITY if kind == "none" else fit_transform(kind, "x", values)
        for kind, values in zip(kinds, rows.T, strict=True)
    )
    return scaling_of(rows), scaling_of(rows, None, moved)


@pytest.mark.slow
def test_logarithms_of_lognormal_groups_gain() -> None:
    rows = money().to_numpy()
    gain = transform_gain(rows, None, *scalings(rows, "log1p", "none"), SETTINGS)
    assert gain.held_out > 1.96
    assert gain.is_gain == (gain.stability >= 1)


def test_a_transform_of_normal_groups_gains_nothing() -> None:
    rng = np.random.default_rng(6)
    rows = rng.normal(np.repeat([[20.0, 0.0], [40.0, 5.0]], 200, axis=0), 1.5)
    assert not transform_gain(rows, None, *scalings(rows, "log1p", "none"), SETTINGS).is_gain


def test_both_must_rise() -> None:
    assert TransformGain(2.0, 1.0).is_gain
    assert not TransformGain(1.9, 5.0).is_gain
    assert not TransformGain(9.0, 0.9).is_gain


def test_rows_in_the_sample_are_those_that_count_and_have_values() -> None:
    rows = money(60).to_numpy()
    weights = np.ones(60)
    weights[::3] = 0
    rows[1] = np.nan
    whole = np.flatnonzero((weights > 0) & ~np.isnan(rows).all(axis=1))
    both = scalings(rows[whole], "log1p", "none")
    found = transform_gain(rows, weights, *both, SETTINGS)
    assert found.held_out == transform_gain(rows[whole], None, *both, SETTINGS).held_out


def test_where_nothing_can_be_fitted_nothing_gains(monkeypatch) -> None:
    def fails(*_, **__):
        raise MixturaError("none of 1 candidates could be fitted")

    monkeypatch.setattr(module, "search", fails)
    rows = money(60).to_numpy()
    assert transform_gain(rows, None, *scalings(rows, "log1p", "none"), SETTINGS) == TransformGain(0.0, 0.0)


@pytest.mark.parametrize("gains", [True, False])
def test_auto_keeps_what_gains(monkeypatch, gains: bool) -> None:
    found = TransformGain(9.0, 9.0) if gains else TransformGain(9.0, 0.0)
    monkeypatch.setattr(module, "transform_gain", lambda *_: found)
    result = segment_table(money(), components=[2], transform="auto")
    (revenue, _) = result.advice
    assert result.model.scaling.transforms[0].kind == revenue.kind == ("log1p" if gains else "none")
    assert ("was tried and is not used" in revenue.reason) is not gains
    named = segment_table(money(), components=[2], transform={"revenue": "log1p"})
    assert named.model.scaling.transforms[0].kind == "log1p"


def test_auto_does_not_winsorize() -> None:
    values = np.append(np.random.default_rng(0).normal(size=398), [-60.0, 60.0])
    frame = money().with_columns(far=values)
    result = segment_table(frame, columns=["margin", "far"], components=[1], transform="auto")
    assert {one.kind for one in result.model.scaling.transforms} == {"none"}
    assert "its densities cannot be compared" in result.advice[1].reason


def test_what_stays_skewed_is_left_alone() -> None:
    """Unit prices with a handful of enormous ones: logarithms halve the skewness, and leave it large."""
    rng = np.random.default_rng(1)
    prices = np.exp(np.append(rng.normal(1, 0.5, 5_000), rng.normal(6, 1.5, 25)))
    before, after = stats.skew(prices), stats.skew(np.log1p(prices))
    assert before > 30
    assert 1 < after < before / 2
    assert advise_transform("price", prices).kind not in {"log1p", "yeo-johnson"}


def test_counts_are_left_alone() -> None:
    visits = np.random.default_rng(2).geometric(0.2, 1_000).astype(float)
    advice = advise_transform("visits", visits)
    assert stats.skew(visits) > 1
    assert (advice.kind, "discrete" in advice.reason) == ("none", True)
