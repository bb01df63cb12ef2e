"""Fitting inside a database: one body of tests, over the engines that a test module names.

from database_fitting import *
engine = engine_of("duckdb")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import make_blobs

from engines import Engine, started
from mixtura import DatabaseTable, GaussianMixture
from mixtura.core.accumulate import AccumulateAbout, EStep
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.mixture import Mixture
from mixtura.core.model import GaussianModel
from mixtura.core.moments import DENSE, DIAGONAL
from mixtura.core.prior import Ridge
from mixtura.engine import as_data
from mixtura.exceptions import ColumnError, DataError, MissingValuesError, TableError
from mixtura.fit import Problem, Settings, continue_fit
from mixtura.fit.evaluation import score_mixture
from mixtura.fit.loop.stopping import AbsoluteChange
from mixtura.fit.steps.accelerated import AcceleratedEMStep
from naive import naive_accumulate

__all__ = [
    "fixtures_of",
    "test_a_fit_begins_with_a_sample_and_ends_where_one_in_memory_does",
    "test_a_pass_is_one_query",
    "test_a_table_that_grows_while_it_is_fitted_is_refused",
    "test_far_from_zero_nothing_cancels",
    "test_missing_values_are_reported_before_work_is_done",
    "test_parameters_are_those_of_the_fit_in_memory",
    "test_rows_by_number_are_those_of_the_table",
    "test_scores_are_those_of_rows_in_memory",
    "test_sums_are_those_of_rows_in_memory",
    "test_sums_of_an_e_step_are_those_of_a_naive_loop",
    "test_what_is_no_table_is_refused",
]

N, D, K = 3_000, 3, 3
COLUMNS = ["income", "spending in $", 'the "rest"']


@cache
def rows() -> Any:
    return make_blobs(N, D, centers=K, cluster_std=[1.0, 2.0, 3.0], random_state=3)[0]


@cache
def weights() -> Any:
    return np.random.default_rng(0).integers(0, 4, N).astype(float)


@cache
def mixture(family: str) -> Mixture:
    """A mixture that is not an optimum."""
    start = GaussianMixture(K, covariance_type=family, random_state=0, max_iter=2, tol=1e3).fit(rows())
    return start.mixture_  # type: ignore[no-any-return]


def fixtures_of(name: str, aggregate: Sequence[bool]) -> Any:
    """The engine, loaded, and what names its tables, by each kind of queries."""

    @pytest.fixture(scope="module")
    def engine() -> Iterator[Engine]:
        with started(name) as one:
            columns: dict[str, Any] = {
                name: ("double", column.tolist()) for name, column in zip(COLUMNS, rows().T, strict=True)
            }
            count = ("integer", weights().astype(int).tolist())
            one.load("customers", columns | {"count": count, "word": ("text", ["x"] * N)})
            far = {
                name: ("double", (column + 1e8).tolist())
                for name, column in zip("abc", rows().T, strict=True)
            }
            one.load("far", far)
            gaps = {"a": ("double", [1.0, None, 2.0]), "b": ("double", [3.0, 4.0, float("nan")])}
            one.load("gaps", gaps)
            yield one

    @pytest.fixture(params=aggregate, ids=["aggregates" if one else "batches" for one in aggregate])
    def tables(engine: Any, request: pytest.FixtureRequest) -> Callable[..., DatabaseTable]:
        return partial(DatabaseTable, engine.connection, aggregate=request.param)

    return engine, tables


def both(tables: Callable[..., DatabaseTable], weighted: bool) -> tuple[Data, Data]:
    """The rows in the database, and in memory."""
    table = tables("customers", columns=COLUMNS)
    if weighted:
        return as_data(table, "count"), as_data(rows(), weights())
    return as_data(table), as_data(rows())


def assert_same(one: Any, other: Any) -> None:
    scale = np.abs(other.sums).max()
    assert_allclose(one.sums, other.sums, rtol=1e-11, atol=1e-12 * scale)


@pytest.mark.parametrize(
    ("family", "weighted"), [("full", False), ("tied", True), ("diag", True), ("VVE", False)]
)
def test_sums_are_those_of_rows_in_memory(tables: Any, family: str, weighted: bool) -> None:
    there, here = both(tables, weighted)
    assert there.n_rows == N
    assert there.total_weight == here.total_weight
    assert_allclose(there.mean, here.mean, rtol=1e-13)
    assert_same(there.total, here.total)
    for components in {
        id(c): c for c in map(mixture(family).components, (None, *moments_of(family)))
    }.values():
        assert_same(
            there.reduce(EStep(components, there.kernel)), here.reduce(EStep(components, here.kernel))
        )
        about = mixture(family).means + 0.5
        for moments in (DENSE, DIAGONAL):
            passes = [AccumulateAbout(components, about, moments, one.kernel) for one in (there, here)]
            found, wanted = there.reduce(passes[0]), here.reduce(passes[1])
            # In memory such a pass has no log-likelihood.
            found.sums[0] = wanted.sums[0] = 0.0
            assert_same(found, wanted)


def moments_of(family: str) -> Any:
    return [one for one in GaussianModel(K, get_family(family), Ridge()).moments if not one.needs_total]


def test_sums_of_an_e_step_are_those_of_a_naive_loop(tables: Any) -> None:
    there, _ = both(tables, True)
    means, covariances = mixture("full").means, mixture("full").full_covariances()
    # The last component has no rows.
    components = Mixture.from_parameters(np.array([0.3, 0.7, 0.0]), means, covariances).components()
    found = there.reduce(EStep(components, there.kernel))
    wanted = naive_accumulate(
        rows(), weights(), "dense", components.means, components.factors, components.offsets
    )[0]
    assert_allclose(found.sums, wanted, rtol=1e-10, atol=1e-9)


def test_a_pass_is_one_query(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tables("customers", columns=COLUMNS)
    data, asked = as_data(table), []
    ask, batches = table.ask, table.batches
    monkeypatch.setattr(table, "ask", lambda text: asked.append("sums") or ask(text))
    monkeypatch.setattr(table, "batches", lambda text: asked.append("batches") or batches(text))
    data.reduce(EStep(mixture("full").components(), data.kernel))
    assert asked == ["sums" if table.aggregate else "batches"]


def test_scores_are_those_of_rows_in_memory(tables: Any) -> None:
    there, here = both(tables, True)
    found, wanted = score_mixture(there, mixture("full")), score_mixture(here, mixture("full"))
    assert found.log_likelihood == pytest.approx(wanted.log_likelihood, rel=1e-12)
    assert found.entropy == pytest.approx(wanted.entropy, rel=1e-9)
    assert found.classification_entropy == pytest.approx(wanted.classification_entropy, rel=1e-9)


def test_rows_by_number_are_those_of_the_table(tables: Any) -> None:
    there, here = both(tables, True)
    numbers = np.array([2_999, 0, 17, 17, 1_500])
    for found, wanted in zip(there.rows_and_weights(numbers), here.rows_and_weights(numbers), strict=True):
        assert_allclose(found, wanted, rtol=0)
    sample, wanted = there.sample(1_200, 5), here.sample(1_200, 5)
    assert_allclose(sample.rows(np.arange(1_200)), wanted.rows(np.arange(1_200)), rtol=0)


@pytest.mark.parametrize("family", ["full", "tied", "VVE"])
def test_parameters_are_those_of_the_fit_in_memory(tables: Any, family: str) -> None:
    fits = []
    for data in both(tables, True):
        problem = Problem(data, GaussianModel(K, get_family(family), Ridge(1e-6)))
        settings = Settings(AbsoluteChange(1e-9), 60, step=AcceleratedEMStep)
        fits.append(continue_fit(problem, mixture(family), settings).mixture)
    there, here = fits
    assert_allclose(there.weights, here.weights, rtol=1e-8)
    assert_allclose(there.means, here.means, rtol=1e-8)
    assert_allclose(there.full_covariances(), here.full_covariances(), rtol=1e-8, atol=1e-8)


def test_a_fit_begins_with_a_sample_and_ends_where_one_in_memory_does(tables: Any) -> None:
    table = tables("customers", columns=COLUMNS)
    found = GaussianMixture(K, random_state=0, tol=1e-12, max_iter=300).fit(table)
    given = {"weights_init": found.weights_, "means_init": found.means_, "precisions_init": found.precisions_}
    wanted = GaussianMixture(K, tol=1e-12, max_iter=300, **given).fit(rows())
    frame = pl.DataFrame(rows(), schema=COLUMNS)
    assert found.converged_
    assert list(found.feature_names_in_) == COLUMNS
    assert_allclose(found.means_, wanted.means_, rtol=1e-5)
    assert found.lower_bound_ == pytest.approx(wanted.lower_bound_, abs=1e-10)
    assert found.score(table) == pytest.approx(found.score(frame), rel=1e-12)
    assert found.bic(table) == pytest.approx(found.bic(frame), rel=1e-12)
    # Columns are those of the fit by their names, in whatever order they are chosen.
    assert found.score(tables("customers", columns=COLUMNS[::-1])) == pytest.approx(
        found.score(frame), rel=1e-12
    )
    with pytest.raises(DataError, match=f"got none named '{COLUMNS[0]}'"):
        found.score(tables("customers", columns=COLUMNS[1:]))
    again = GaussianMixture(K, random_state=0, tol=1e-12, max_iter=300).fit(table)
    assert_allclose(again.means_, found.means_, rtol=1e-12)


def test_far_from_zero_nothing_cancels(tables: Any) -> None:
    near = GaussianMixture(K, random_state=0, tol=1e-9, max_iter=200).fit(
        tables("customers", columns=COLUMNS)
    )
    far = GaussianMixture(K, random_state=0, tol=1e-9, max_iter=200).fit(tables("far"))
    # At 1e8 a value keeps eight digits behind the point.
    assert_allclose(far.means_ - 1e8, near.means_, atol=1e-4)
    assert_allclose(far.covariances_, near.covariances_, rtol=1e-4, atol=1e-4)


def test_missing_values_are_reported_before_work_is_done(tables: Any) -> None:
    with pytest.raises(MissingValuesError, match=r"1 missing and 1 that are NaN.*'a', column 'b'") as found:
        GaussianMixture(1).fit(tables("gaps"))
    assert list(found.value.columns) == ["a", "b"]
    assert found.value.count == 2
    tried = [f'"{one}" BETWEEN -1e100 AND 1e100' for one in ("a", "b")]
    assert tried[0] in str(found.value)
    assert GaussianMixture(1).fit(tables(sql=f"SELECT a, b FROM gaps WHERE {' AND '.join(tried)}"))
    kept = tables(sql="SELECT a FROM gaps WHERE a IS NOT NULL;")
    assert GaussianMixture(1).fit(kept).means_.tolist() == [[pytest.approx(1.5)]]


def test_a_table_that_grows_while_it_is_fitted_is_refused(tables: Any) -> None:
    table = tables(sql='SELECT "count" FROM customers')
    data = as_data(table)
    data.blocks.n_rows = N - 1
    with pytest.raises(DataError, match="had 2,999 rows, and now has 3,000"):
        _ = data.mean, data.total


def test_what_is_no_table_is_refused(tables: Any) -> None:
    with pytest.raises(TableError, match="'nothing' cannot be read"):
        tables("nothing")
    with pytest.raises(TableError, match="the query' cannot be read"):
        tables(sql="SELECT income FROM")
    with pytest.raises(ColumnError, match=r"`columns` names 'incom'.*'income'"):
        tables("customers", columns=["incom"])
    with pytest.raises(ColumnError, match="Column 'word' must hold numbers"):
        GaussianMixture(2).fit(tables("customers"))
    # The connection is as good as before.
    assert tables("customers", columns=COLUMNS).columns == tuple(COLUMNS)
