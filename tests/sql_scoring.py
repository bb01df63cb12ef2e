"""Tests of statements in the engines they are written for: one body, the library's answer in each.

A module of tests imports all of them, and says which engines are meant: ``engine = engine_of("duckdb")``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from engines import Engine, started
from mixtura.core.mixture import Mixture
from mixtura.segments import Scaling, SegmentModel, TrainingInfo, assign_table, segment_table
from mixtura.segments.transforms.transforms import IDENTITY, Log1p, Winsorized, YeoJohnson

FAR = -5e4
HOSTILE = ('a"b', "x`y", "back\\slash", "l1", "select", "row_id0", "{{ jinja }}", "-- é", "e1'; DROP")
HOSTILE_SEGMENTS = ('it\'s \\ "quoted"', "{% raw %} -- ü\n")

TRAINING = TrainingInfo(
    "t", "2026-01-01T00:00:00+00:00", None, 10, 0, 0, 1, "bic", 0.0, 0.0, 0.0, 1, True, ""
)

__all__ = [
    "engine_of",
    "test_a_component_without_weight_and_a_single_one",
    "test_every_type_every_transform_and_missing_values",
    "test_far_rows_and_offsets",
    "test_many_segments_of_many_columns",
    "test_names_of_any_kind",
    "test_point_masses_counts_and_categories",
    "test_some_missing_values_of_many_columns",
    "test_values_beyond_all_bounds_give_null_and_disturb_no_other_row",
]


def engine_of(*names: str) -> Any:
    """A fixture of some engines: the dialect, and what speaks it."""

    first = [pytest.param(name, marks=pytest.mark.first) if "spark" in name else name for name in names]

    @pytest.fixture(scope="module", params=first)
    def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, Engine]]:
        with started(request.param) as one:
            yield request.param.split()[0], one

    return engine


def random_mixture(rng: np.random.Generator, k: int, d: int, spread: float = 2.0) -> Mixture:
    roots = rng.normal(size=(k, d, d)) / np.sqrt(d)
    covariances = roots @ roots.transpose(0, 2, 1) + 0.2 * np.eye(d)
    return Mixture.from_parameters(rng.dirichlet(np.full(k, 3.0)), rng.normal(0, spread, (k, d)), covariances)


def model_of(mixture: Mixture, columns: tuple[str, ...], **more: Any) -> SegmentModel:
    d, k = mixture.n_features, mixture.n_components
    held = {
        "scaling": Scaling(np.zeros(d), np.ones(d)),
        "names": tuple(f"segment {number}" for number in range(k)),
        "anomaly_percentile": 1.0,
        "anomaly_threshold": -12.0,
        "training": TRAINING,
        "mixtura_version": "0",
    }
    return SegmentModel(mixture=mixture, columns=columns, **held | more)


def load(
    engine: Engine, table: str, rows: np.ndarray, kinds: list[str], names: tuple[str, ...]
) -> pl.DataFrame:
    """Fill a table whose first column numbers the rows; return it as the library reads it."""
    columns: dict[str, Any] = {"number": ("integer", list(range(len(rows))))}
    frame = {"number": np.arange(len(rows))}
    for name, kind, values in zip(names, kinds, rows.T, strict=True):
        columns[name] = (kind, [cell(kind, value) for value in values])
        frame[name] = [None if one is None else float(one) for one in columns[name][1]]
    engine.load(table, columns)
    return pl.DataFrame(frame)


def cell(kind: str, value: float) -> Any:
    if np.isnan(value):
        return None
    if kind == "integer":
        return round(value)
    if kind == "decimal":
        return Decimal(f"{value:.4f}")
    return float(np.float32(value)) if kind == "real" else float(value)


def check(
    engine: tuple[str, Engine], table: str, model: SegmentModel, frame: pl.DataFrame, **options: Any
) -> None:
    """Compare an engine's answer with the library's."""
    dialect, one = engine
    statement = model.to_sql(dialect, table=table, id_column="number", **options)
    names, rows = one.ask(statement)
    found = {name: [row[i] for row in sorted(rows)] for i, name in enumerate(names)}
    wanted = assign_table(model, frame, id_column="number", drop_missing=options.get("max_missing") == 0)
    assert names == ["number", *wanted.columns()]
    assert found["number"] == list(range(len(frame)))
    known = wanted.complete
    for name, values in wanted.columns().items():
        ours = [value for value, there in zip(found[name], known, strict=True) if there]
        assert [value for value, there in zip(found[name], known, strict=True) if not there] == [None] * (
            ~known
        ).sum()
        if name in {"segment", "segment_name", "anomaly"}:
            assert ours == values[known].tolist(), name
        elif name == "log_density":
            np.testing.assert_allclose(ours, values[known], rtol=1e-12, atol=1e-11)
        else:
            np.testing.assert_allclose(np.array(ours, dtype=float), values[known], rtol=0, atol=1e-12)


@contextmanager
def quiet() -> Iterator[None]:
    with pytest.warns(UserWarning, match="missing"):
        yield


def test_every_type_every_transform_and_missing_values(engine) -> None:
    rng = np.random.default_rng(1)
    mixture = random_mixture(rng, 2, 5)
    transforms = (IDENTITY, Log1p(), YeoJohnson(0.3), Winsorized(-1.0, 2.5), YeoJohnson(2.0))
    scaling = Scaling(rng.normal(size=5), rng.uniform(0.5, 2, 5), transforms)
    model = model_of(mixture, ("a", "b", "c", "d", "e"), scaling=scaling)
    rows = scaling.restore(mixture.sample(80, random_state=2)[0])
    rows[:, 1] = np.abs(rows[:, 1])
    rows[rng.uniform(size=rows.shape) < 0.25] = np.nan
    rows[:4, 1] = -1.5, 1e-9, 0.0, -1e-12
    rows[4] = np.nan
    with quiet():
        frame = load(
            engine[1], "every", rows, ["double", "real", "decimal", "double", "integer"], model.columns
        )
        check(engine, "every", model, frame)
        check(engine, "every", model, frame, max_missing=0)


def test_some_missing_values_of_many_columns(engine) -> None:
    rng = np.random.default_rng(2)
    mixture = random_mixture(rng, 2, 8)
    model = model_of(mixture, tuple("abcdefgh"))
    rows = mixture.sample(30, random_state=2)[0]
    rows[np.arange(10), np.arange(10) % 8] = np.nan
    frame = load(engine[1], "many", rows, ["double"] * 8, model.columns)
    with quiet():
        check(engine, "many", model, frame, max_missing=1)


def test_far_rows_and_offsets(engine) -> None:
    rng = np.random.default_rng(3)
    center, scale = np.array([1e8 + 0.1234567, -3e8 / 7, 1 / 3]), np.array([0.3, 1.7, 2.2])
    mixture = random_mixture(rng, 4, 3)
    model = model_of(mixture, ("a", "b", "c"), scaling=Scaling(center, scale), anomaly_threshold=FAR)
    scaled = mixture.sample(60, random_state=1)[0]
    scaled[40:] *= np.geomspace(2, 400, 20)[:, None]
    rows = model.scaling.restore(scaled)
    assert model.log_density(rows).min() < FAR
    frame = load(engine[1], "far", rows, ["double"] * 3, model.columns)
    check(engine, "far", model, frame)


def test_names_of_any_kind(engine) -> None:
    mixture = random_mixture(np.random.default_rng(4), 2, len(HOSTILE))
    model = model_of(mixture, HOSTILE, names=HOSTILE_SEGMENTS, anomaly_threshold=None)
    rows = mixture.sample(10, random_state=2)[0]
    frame = load(engine[1], 'odd; na"me', rows, ["double"] * len(HOSTILE), HOSTILE)
    check(engine, '"odd; na""me"', model, frame, max_missing=0)


def test_a_component_without_weight_and_a_single_one(engine) -> None:
    means, covariances = [[0.0, 0.0], [3.0, 1.0], [1.0, 1.0]], [1.0, 2.0, 0.5]
    mixture = Mixture.from_parameters([0.4, 0.0, 0.6], means, covariances, "spherical")
    model = model_of(mixture, ("a", "b"))
    rows = np.array([[0.0, 0.5], [3.0, 1.0], [np.nan, 1.0], [np.nan, np.nan]])
    frame = load(engine[1], "weightless", rows, ["double"] * 2, model.columns)
    with quiet():
        check(engine, "weightless", model, frame)
        single = model_of(Mixture.from_parameters([1.0], means[:1], [[1.0, 0.5]], "diag"), ("a", "b"))
        check(engine, "weightless", single, frame)


def shopping(n: int = 400) -> pl.DataFrame:
    """An amount with two point masses, ages, visits, channels, grades, members, orders; a tenth of all is missing."""
    rng = np.random.default_rng(8)
    groups = rng.integers(2, size=n)
    amount = np.where(
        rng.uniform(size=n) < 0.4 - 0.2 * groups, 0.0, rng.gamma(4.0, 5.0 + 10 * groups).round(2)
    )
    amount[rng.uniform(size=n) < 0.1] = 99.5
    shares = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    values = {
        "amount": amount,
        "age": rng.normal(40 + 9 * groups, 6.0).round(1),
        "visits": rng.poisson(1.0 + 5.0 * groups),
        "channel": [rng.choice(["web", "Web", "it's"], p=shares[k]) for k in groups],
        "grade": [int(rng.choice([1, 2, 5], p=shares[k])) for k in groups],
        "member": (rng.uniform(size=n) < 0.3 + 0.4 * groups).tolist(),
        "orders": 1 + rng.poisson(0.5 + 3.0 * groups),
    }
    frame = pl.DataFrame(values, strict=False)
    gaps = rng.uniform(size=(n, 7)) < 0.1
    gaps[3], gaps[4], gaps[5] = (
        True,
        [True, True, False, False, False, True, True],
        [True, True, True, False, True, True, True],
    )
    return frame.with_columns(
        pl.when(pl.Series(gap)).then(None).otherwise(pl.col(name)).alias(name)
        for name, gap in zip(values, gaps.T, strict=True)
    )


def test_point_masses_counts_and_categories(engine) -> None:
    kinds = {"amount": "spike", "age": "continuous", "visits": "count", "channel": "category"}
    kinds |= {"grade": "ordered", "member": "category", "orders": "count"}
    frame = shopping()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = segment_table(frame, kinds=kinds, components=[3], transform={"amount": "log1p"}).model
    assert model.coding is not None
    assert len(model.coding.columns) >= 6
    assert {one.name: one.first for one in model.coding.columns if one.kind == "count"} == {
        "visits": 0,
        "orders": 1,
    }
    frame = frame.with_row_index("number").with_columns(
        channel=pl.when(pl.col("number") == 7).then(pl.lit("letter")).otherwise("channel"),
        visits=pl.when(pl.col("number") == 8).then(1000).otherwise("visits"),
        orders=pl.when(pl.col("number").is_between(9, 11)).then(0).otherwise("orders"),
    )
    types = dict(
        zip(kinds, ("double", "decimal", "integer", "text", "integer", "boolean", "integer"), strict=True)
    )
    columns = {name: (types[name], frame[name].to_list()) for name in kinds}
    columns["age"] = ("decimal", [None if one is None else Decimal(str(one)) for one in frame["age"]])
    engine[1].load("shopping", {"number": ("integer", frame["number"].to_list()), **columns})
    with quiet():
        check(engine, "shopping", model, frame)
        check(engine, "shopping", model, frame, max_missing=0)


def test_values_beyond_all_bounds_give_null_and_disturb_no_other_row(engine) -> None:
    mixture = random_mixture(np.random.default_rng(6), 2, 2)
    model = model_of(mixture, ("a", "b"))
    rows = np.array([[0.0, 0.5], [1e150, 1.0], [1.0, -1e300], [0.5, -1e99]])
    frame = load(engine[1], "extreme", rows, ["double"] * 2, model.columns)
    _, found = engine[1].ask(model.to_sql(engine[0], table="extreme", id_column="number"))
    found = sorted(found)
    assert [set(row[1:]) for row in found[1:3]] == [{None}, {None}]
    assert found[3][1] in {1, 2}
    np.testing.assert_allclose(found[0][4:6], model.memberships(rows[:1])[0], rtol=0, atol=1e-12)
    assert len(frame) == 4


@pytest.mark.slow
def test_many_segments_of_many_columns(engine) -> None:
    """As large as each engine takes; ClickHouse and Firebird's driver limit the length of a statement."""
    dialect, one = engine
    k, d = {"clickhouse": (10, 20), "firebird": (4, 6), "spark": (10, 20)}.get(dialect, (20, 50))
    mixture = random_mixture(np.random.default_rng(5), k, d, spread=0.5)
    names = tuple(f"c{i}" for i in range(d))
    rows = mixture.sample(50, random_state=1)[0]
    frame = load(one, "large", rows, ["double"] * d, names)
    check(engine, "large", model_of(mixture, names, anomaly_threshold=-100.0), frame, max_missing=0)
