"""Degenerate components are found, by what causes them; clusters are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from mixtura.core.covariance import FAMILIES, get_family
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.prior import Conjugate, Floor, Prior, Ridge
from mixtura.engine import as_data
from mixtura.fit import (
    AbsoluteChange,
    Degeneracy,
    DegeneracyKind,
    FromPartition,
    Problem,
    Settings,
    find_degeneracies,
    fit_mixture,
)
from mixtura.fit.degeneracy import _Scale


def found_in(
    rows: Any, labels: Any, family: str, kind: str = "floor", weights: Any = None
) -> tuple[Degeneracy, ...]:
    data = as_data(np.asarray(rows, dtype=float), weights)
    total, n_components = data.total, int(labels.max()) + 1
    prior: Prior = {
        "floor": Floor.of(total),
        "conjugate": Conjugate.of(total, n_components),
        "ridge": Ridge(),
    }[kind]
    problem = Problem(data, GaussianModel(n_components, get_family(family), prior))
    draws = np.random.RandomState(0)
    settings = Settings(AbsoluteChange(1e-8), 60)
    mixture = fit_mixture(problem, FromPartition(labels), settings, random_state=draws).mixture
    return find_degeneracies(data, mixture)


def spike() -> tuple[Any, Any]:
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((300, 3)) @ rng.standard_normal((3, 3))
    rows[:90, 2] = 0.0
    return rows, np.r_[np.zeros(90, int), 1 + np.arange(210) % 2]


@pytest.mark.parametrize("kind", ["floor", "ridge", "conjugate"])
@pytest.mark.parametrize("family", FAMILIES)
def test_clusters_are_not_degenerate(family: str, kind: str) -> None:
    iris = load_iris()
    assert found_in(iris.data, iris.target, family, kind) == ()


@pytest.mark.parametrize("kind", ["floor", "conjugate"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("width", [1e-3, 3e-2])
def test_tight_clusters_are_not_degenerate(family: str, kind: str, width: float) -> None:
    rng = np.random.RandomState(1)
    centers = np.array([[0.0, 1.0], [1.5, -1.0], [-1.0, -0.7]])
    rows = np.vstack([width * rng.standard_normal((50, 2)) + center for center in centers])
    turned = family in ("EVE", "VVE", "EEV", "VEV")  # axes that are no columns have no digits in such units
    units = [1.0, 1.0] if turned else [1e-4, 1e4]
    assert found_in(rows * units, np.repeat(np.arange(3), 50), family, kind) == ()


def test_whole_numbers_are_not_degenerate() -> None:
    """More than half of a cluster's rows share a value, but the cluster has a width."""
    rng = np.random.RandomState(11)
    rows = np.round(
        np.vstack([rng.normal([2, 5], [0.6, 2.0], (100, 2)), rng.normal([6, 9], [1.5, 2.0], (100, 2))])
    )
    assert (rows[:100, 0] == 2).mean() > 0.5
    for family in ("full", "diag"):
        assert found_in(rows, np.repeat([0, 1], 100), family) == ()


@pytest.mark.parametrize("kind", ["floor", "ridge"])
@pytest.mark.parametrize("family", ["full", "diag"])
def test_a_spike_in_one_column(family: str, kind: str) -> None:
    rows, labels = spike()
    if kind == "ridge":
        # With a width of 0.001 it takes in other rows that come near.
        (one,) = found_in(rows, labels, family, kind)
        assert (one.component, one.kind, one.columns, one.n_equal) == (0, DegeneracyKind.SPIKE, (2,), 90)
        assert one.reason == (
            f"component 0 has no width in column 2: 90 of its {one.n_rows} rows have the value 0.0"
        )
        return
    (one,) = found_in(rows, labels, family, kind)
    assert (one.component, one.kind, one.columns, one.n_rows) == (0, DegeneracyKind.SPIKE, (2,), 90)
    np.testing.assert_array_equal(one.rows, np.arange(90))
    np.testing.assert_array_equal(one.ranges, [[0.0, 0.0]])
    assert one.describe(first=1) == one.reason.replace("component 0", "component 1")
    assert one.reason == "component 0 has no width in column 2: its 90 rows all have the value 0.0"
    assert one.describe(["a", "b", "debt"]) == (
        "component 0 has no width in column 'debt': its 90 rows all have the value 0.0"
    )


@pytest.mark.parametrize("family", ["tied", "EII", "EEI", "spherical", "VEI", "VEE", "EEV"])
def test_a_spike_harms_no_family_that_shares_the_width(family: str) -> None:
    assert found_in(*spike(), family) == ()


@pytest.mark.parametrize("units", [[1.0, 1.0, 1.0], [1e4, 1.0, 1e-4]])
def test_nearly_equal_values(units: Any) -> None:
    rows, labels = spike()
    rows[:90, 2] = 3 + 1e-6 * np.random.RandomState(2).standard_normal(90)
    (one,) = found_in(rows * units, labels, "full")
    assert (one.kind, one.columns) == (DegeneracyKind.NARROW, (2,))
    assert "has almost no width in column 2: its 90 rows lie from" in one.reason
    low, high = one.ranges[0] / units[2]
    assert 2.99999 < low < 3 < high < 3.00001


@pytest.mark.parametrize("kind", ["floor", "conjugate", "ridge"])
@pytest.mark.parametrize("family", ["full", "diag", "spherical"])
def test_a_row_many_times(family: str, kind: str) -> None:
    rows = np.random.RandomState(3).standard_normal((200, 4))
    rows[:50] = rows[0]
    (one,) = found_in(rows, np.r_[np.zeros(50, int), 1 + np.arange(150) % 2], family, kind)
    assert (one.kind, one.columns, one.n_rows) == (DegeneracyKind.SPIKE, (0, 1, 2, 3), 50)
    assert (
        one.reason
        == "component 0 has no width in columns 0, 1, 2 and 3: its 50 rows all have the same values"
    )


def test_two_columns_without_width_are_told_with_their_values() -> None:
    rows, labels = spike()
    rows[:90, 0] = 1.5
    (one,) = found_in(rows, labels, "full")
    assert one.reason == (
        "component 0 has no width in columns 0 and 2: its 90 rows all have the values 1.5 and 0.0"
    )


def test_collinear_columns() -> None:
    rng = np.random.RandomState(4)
    rows = rng.standard_normal((200, 4))
    rows[:, 3] = rows[:, 0] + 2 * rows[:, 1]
    labels = rng.randint(2, size=200)
    for family in ("full", "tied", "VEE"):
        found = found_in(rows * [1.0, 1e3, 1.0, 1e-3], labels, family)
        assert {one.kind for one in found} == {DegeneracyKind.FLAT}
        assert {one.columns for one in found} == {(0, 1, 3)}
        assert "in a combination of columns 0, 1 and 3" in found[0].reason
    for family in ("diag", "spherical", "EEI"):
        assert found_in(rows, labels, family) == ()


def test_rows_of_one_component_on_a_plane() -> None:
    rows, labels = spike()
    rows[:90, 2] = 2 * rows[:90, 0] - rows[:90, 1]
    found = found_in(rows, labels, "full")
    assert [one.kind for one in found] == [DegeneracyKind.FLAT]
    assert found[0].columns == (0, 1, 2)
    assert found[0].n_rows >= 90


@pytest.mark.parametrize(("family", "needed"), [("full", 5), ("diag", 2), ("spherical", 2)])
def test_an_outlier_as_its_own_component(family: str, needed: int) -> None:
    rows = np.random.RandomState(5).standard_normal((200, 4))
    rows[0] += 1000
    labels = np.r_[0, 1 + np.arange(199) % 2]
    (one,) = found_in(rows, labels, family)
    assert (one.component, one.kind, one.n_rows, one.rows.tolist()) == (0, DegeneracyKind.FEW_ROWS, 1, [0])
    assert one.reason == f"component 0 has 1 row; a covariance of its own takes at least {needed}"
    # Where the width is that of all components, a row alone is nothing to speak of.
    assert found_in(rows, labels, "tied") == ()
    (alone,) = found_in(rows, labels, "VEI")
    assert alone.reason == "component 0 has no width in columns 0, 1, 2 and 3: it has 1 row"


def test_a_component_without_rows() -> None:
    rows = np.random.RandomState(6).standard_normal((50, 2))
    (one,) = found_in(rows, np.r_[np.zeros(25, int), np.full(25, 2)], "tied")
    assert (one.component, one.kind, one.n_rows) == (1, DegeneracyKind.EMPTY, 0)
    assert one.reason == "component 1 has no rows"


def test_a_component_that_is_first_for_no_row() -> None:
    rows = np.random.RandomState(7).standard_normal((50, 2))
    covariances = np.array([np.eye(2), np.diag([1.0, 1e-12])])
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [0.0, 9.0]], covariances)
    data = as_data(rows)
    (one,) = find_degeneracies(data, mixture)
    assert one.reason == "component 1 has no width in column 1, and is the most probable of no row"


def test_a_constant_column_is_no_components_fault() -> None:
    rows = np.random.RandomState(8).standard_normal((100, 3))
    rows[:, 1] = 7.0
    for family in FAMILIES:
        assert found_in(rows, np.arange(100) % 2, family) == ()
    assert found_in(np.full((20, 2), 3.0), np.arange(20) % 2, "tied") == ()


def test_weights_of_rows_do_not_count_as_rows() -> None:
    rows, labels = spike()
    (one,) = found_in(rows, labels, "full", weights=np.full(300, 1e-3))
    assert (one.kind, one.n_rows) == (DegeneracyKind.SPIKE, 90)


def test_many_rows_are_counted_and_the_first_thousand_named() -> None:
    rng = np.random.RandomState(9)
    rows = rng.standard_normal((4000, 2))
    rows[:1500, 1] = 0.0
    (one,) = found_in(rows, (np.arange(4000) >= 1500).astype(int), "full")
    assert one.n_equal == 1500
    assert 1500 <= one.n_rows < 1510
    np.testing.assert_array_equal(one.rows, np.arange(1000))


@pytest.mark.parametrize("units", [1e-4, 1.0, 1e4])
def test_the_best_of_those_not_degenerate_does_not_depend_on_units(units: float) -> None:
    """30 % zeros in one column: the spike wins by as much as it is allowed to be narrow, and is told apart."""
    rng = np.random.RandomState(10)
    rows = rng.standard_normal((400, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
    rows[:120, 2] = 0.0
    labels = (np.arange(400) >= 120).astype(int)
    flagged = {
        name: bool(found_in(rows * [1.0, 1.0, units], labels, name))
        for name in ("full", "diag", "tied", "EEI")
    }
    assert flagged == {"full": True, "diag": True, "tied": False, "EEI": False}


@pytest.mark.parametrize("family", ["full", "tied", "diag", "spherical"])
def test_components_that_a_bound_says_are_wide_are_not_narrow_in_any_direction(family: str) -> None:
    """The bound is right of components of all widths, and says so of those that are as wide as the data."""
    rng, seen = np.random.default_rng(3), set[bool]()
    rows = rng.normal(size=(400, 3)) @ np.diag([1, 5, 9])
    scale, root = _Scale.of(as_data(rows).total), np.linalg.cholesky(np.cov(rows.T))
    for width in np.geomspace(1e-3, 1.0, 40):
        maps = width * root @ (np.eye(3) + 0.2 * rng.normal(size=(2, 3, 3)))
        full = maps @ maps.transpose(0, 2, 1)
        variances = full.diagonal(axis1=1, axis2=2)
        stored = {"full": full, "tied": full[0], "diag": variances, "spherical": variances.mean(axis=1)}
        mixture = Mixture.from_parameters([0.5, 0.5], np.zeros((2, 3)), stored[family], family)
        is_wide = scale.are_wide(mixture.factors.whitening, mixture.family)
        widths = scale.widths(mixture.full_covariances(), mixture.family)
        assert not is_wide or min(one.smallest for one in widths) >= 1e-2
        seen.add(is_wide)
    assert seen == {False, True}
