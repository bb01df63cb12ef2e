"""Any table of finite numbers gives a valid model, or one of our own errors; never a stack trace from below.

Hypothesis makes the tables: columns of magnitudes from 1e-150 to 1e150, constant, duplicated, whole numbers,
float32, one row by the thousand, one row, one column.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

import mixtura
from mixtura.core.covariance import FAMILIES
from mixtura.exceptions import DataError, IllDefinedCovarianceError, TooFewRowsError

TYPES = tuple(FAMILIES)
STARTS = ("kmeans", "k-means++", "random", "random_from_data")
COLUMNS = ("normal", "uniform", "clumps", "whole", "constant", "duplicate", "heavy", "two values", "offset")
TABLES = {"mixture": (500, 1500), "clustering": (300, 800)}
"""How many are tried in `make test`, and in `make test-all`."""
DOCUMENTED = (DataError, IllDefinedCovarianceError, TooFewRowsError)


@dataclass(frozen=True)
class Table:
    """A recipe: small to print, so that a failing example can be read."""

    seed: int
    n_rows: int
    columns: tuple[tuple[str, int], ...]  # kind and power of ten
    repeated: int  # how often one row is repeated besides
    float32: bool

    def rows(self) -> Any:
        rng = np.random.RandomState(self.seed)
        columns: list[Any] = []
        for kind, power in self.columns:
            before = columns[-1] if columns else rng.standard_normal(self.n_rows)
            scale = 1.0 if kind == "duplicate" else 10.0**power
            columns.append(column(kind, before, rng) * scale)
        X = np.column_stack(columns)
        if self.repeated:
            X = np.vstack([X, np.repeat(X[:1], self.repeated, axis=0)])
        if self.float32:
            X = np.clip(X, -1e38, 1e38).astype(np.float32)
        return X


def column(kind: str, before: Any, rng: np.random.RandomState) -> Any:
    n = len(before)
    return {
        "normal": lambda: rng.standard_normal(n),
        "uniform": lambda: rng.random_sample(n),
        "clumps": lambda: rng.randint(4, size=n) + 1e-6 * rng.standard_normal(n),
        "whole": lambda: rng.randint(-5, 6, size=n).astype(float),
        "constant": lambda: np.full(n, rng.standard_normal()),
        "duplicate": lambda: before,
        "heavy": lambda: rng.standard_cauchy(n),
        "two values": lambda: rng.randint(2, size=n).astype(float),
        "offset": lambda: 1e6 + rng.standard_normal(n),
    }[kind]()


tables = st.builds(
    Table,
    seed=st.integers(0, 2**16),
    n_rows=st.one_of(st.integers(1, 5), st.integers(2, 60)),
    columns=st.lists(
        st.tuples(
            st.sampled_from(COLUMNS), st.one_of(st.just(0), st.integers(-3, 3), st.integers(-150, 150))
        ),
        min_size=1,
        max_size=5,
    ).map(tuple),
    repeated=st.sampled_from([0, 0, 0, 0, 10, 2000]),
    float32=st.booleans(),
)
requests = st.fixed_dictionaries(
    {
        "n_components": st.integers(1, 6),
        "covariance_type": st.sampled_from(TYPES),
        "init_params": st.sampled_from(STARTS),
        "reg_covar": st.sampled_from([1e-6, 1e-6, 0.0, 1e-3]),
        "tol": st.sampled_from([1e-3, 0.0]),
        "random_state": st.integers(0, 3),
        "max_iter": st.just(30),
    }
)


def assert_positive_definite(model: Any) -> None:
    """Finite variances, and correlations without a negative eigenvalue but for rounding."""
    for matrix in model.mixture_.full_covariances():
        assert np.isfinite(matrix).all()
        assert (matrix.diagonal() > 0).all()
        scale = np.sqrt(matrix.diagonal())
        correlation = matrix / scale[:, None] / scale[None, :]
        assert np.linalg.eigvalsh((correlation + correlation.T) / 2).min() > -1e-10


def assert_valid(model: Any, X: Any) -> None:
    k = model.n_components
    assert np.isfinite(model.weights_).all()
    assert (model.weights_ >= 0).all()
    assert model.weights_.sum() == pytest.approx(1.0, abs=1e-6)
    for value in (model.mixture_.means, model.mixture_.covariances, model.mixture_.factors.whitening):
        assert np.isfinite(value).all()
    assert_positive_definite(model)
    assert np.isfinite(model.lower_bound_)
    assert np.isfinite(model.mixture_.log_density(X)).all()
    memberships = model.predict_proba(X)
    assert memberships.shape == (len(X), k)
    np.testing.assert_allclose(memberships.sum(axis=1), 1.0, atol=1e-5)
    assert set(model.predict(X)) <= set(range(k))


deterministic = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def outcome_of(fit: Callable[[], object], floor: float) -> str:
    """Run a fit; name how it ended. Anything but a model or a documented error goes through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            fit()
        except DOCUMENTED as error:
            assert len(str(error)) > 40
            # Where a floor is allowed, no covariance is an error.
            assert floor == 0 or not isinstance(error, IllDefinedCovarianceError)
            return type(error).__name__
        except ValueError as error:
            # scikit-learn's own words for a table of one row, which its checks of estimators require.
            assert "minimum of 2 is required" in str(error)
            return "one row"
    return "model"


def test_a_hard_table_gives_a_valid_mixture_or_one_of_our_errors(thorough: bool) -> None:
    outcomes: Counter[str] = Counter()
    n_tables = TABLES["mixture"][thorough]

    @settings(deterministic, max_examples=n_tables)
    @given(table=tables, request=requests)
    def try_one(table: Table, request: dict[str, Any]) -> None:
        X = table.rows()
        model = mixtura.GaussianMixture(**request)
        outcome = outcome_of(lambda: model.fit(X), request["reg_covar"])
        outcomes[outcome] += 1
        if outcome == "model":
            assert_valid(model, X)

    try_one()
    assert outcomes.total() >= n_tables
    # The suite would say nothing if errors were the rule.
    assert outcomes["model"] > 0.6 * outcomes.total()


def test_a_hard_table_gives_a_valid_clustering_or_one_of_our_errors(thorough: bool) -> None:
    outcomes: Counter[str] = Counter()

    @settings(deterministic, max_examples=TABLES["clustering"][thorough])
    @given(table=tables, n_clusters=st.integers(1, 6), init=st.sampled_from(["k-means++", "random"]))
    def try_one(table: Table, n_clusters: int, init: str) -> None:
        X = table.rows()
        model = mixtura.KMeans(n_clusters, init=init, n_init=2, random_state=0)
        outcome = outcome_of(lambda: model.fit(X), 1.0)
        outcomes[outcome] += 1
        if outcome == "model":
            assert np.isfinite(model.cluster_centers_).all()
            assert 0 <= model.inertia_ < np.inf
            # Of float32 rows the public centers are rounded to float32, and rows may lie evenly between two.
            assert table.float32 or (model.labels_ == model.predict(X)).all()

    try_one()
    assert outcomes["model"] > 0.5 * outcomes.total()


@pytest.mark.parametrize("init_params", STARTS)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_numbers_whose_squares_overflow_are_an_error_that_says_so(
    covariance_type: str, init_params: str
) -> None:
    X = 1e200 * np.random.RandomState(0).standard_normal((50, 2))
    model = mixtura.GaussianMixture(
        2, covariance_type=covariance_type, init_params=init_params, random_state=0
    )
    with pytest.raises(DataError, match="rescale the columns"):
        model.fit(X)
