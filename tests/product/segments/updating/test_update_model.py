"""Models that are given further customers: where segments go, what is forgotten, what later tables are held against."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fitted import remembered
from mixtura.datasets import make_customers
from mixtura.engine import as_data
from mixtura.exceptions import ColumnError, DataError, ParameterError
from mixtura.segments import SegmentModel, segment_table, site_statistics, update_model, with_reference
from mixtura.segments.change import drift_of_table
from mixtura.segments.change.renewal import keep_names
from mixtura.segments.model.component_order import ordered
from mixtura.segments.model.read_rows import read_rows
from mixtura.segments.updating.effective_rows import effective_rows
from mixtura.segments.updating.half_life import parse_half_life
from mixtura.select.inference.refit import Refit
from reference.tables import COLUMNS, rows_of

FIRST = date(2024, 1, 1)


def customers(seed: int = 0, n: int = 600) -> pl.DataFrame:
    frame = make_customers(n, random_state=seed, as_frame="polars")
    days = [FIRST + timedelta(days=30 * seed + i % 30) for i in range(n)]
    return frame.with_columns(day=pl.Series(days), revenue=frame["spending"] * 2)


def learned(frame: pl.DataFrame, **options: Any) -> SegmentModel:
    def make() -> SegmentModel:
        found = segment_table(frame, **{"components": [3]} | options)
        return with_reference(
            found.model, found.table, found.weights, found.outlier_rows, found.outlier_weights
        )

    return remembered("update-model", frame.to_dict(as_series=False), sorted(options.items()), make=make)


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    return learned(customers(), columns=["income", "spending"], value="revenue")


def mean_density(model: SegmentModel, frame: pl.DataFrame) -> float:
    """Of a row of a table, as the likelihood of the whole table has it."""
    statistics = site_statistics(model, frame, min_rows=0).statistics
    return statistics.log_likelihood / statistics.weight


def test_what_a_file_keeps_are_sums_of_rows(model: SegmentModel, tmp_path: Path) -> None:
    """Against a loop over the customers."""
    model.save(tmp_path / "model.json")
    kept = SegmentModel.load(tmp_path / "model.json").statistics
    assert kept is not None
    rows = (customers().select(model.columns).to_numpy() - model.scaling.center) / model.scaling.scale
    shares = model.mixture.responsibilities(rows)
    counts, first = np.zeros(3), np.zeros((3, 2))
    for row, share in zip(rows, shares, strict=True):
        counts += share
        first += share[:, None] * (row - model.mixture.means)
    np.testing.assert_allclose(kept.components.counts, counts, rtol=1e-10)
    np.testing.assert_allclose(kept.components.first, first, atol=1e-9)
    assert kept.log_likelihood == pytest.approx(model.training.log_likelihood, rel=1e-9)
    assert kept.weight == 600.0


def test_an_update_keeps_segments_and_says_what_was_added(model: SegmentModel, tmp_path: Path) -> None:
    found = update_model(model, customers(1), source="february.csv")
    new = found.model
    assert (new.names, new.columns, new.n_segments) == (model.names, model.columns, 3)
    assert [(one.kind, one.source, one.rows, one.kept) for one in new.training.history] == [
        ("learned", "table", 600, 0.0), ("updated", "february.csv", 600, 1.0),
    ]  # fmt: skip
    assert (new.training.rows, found.weight_before, found.weight_added) == (1200, 600.0, 600.0)
    assert found.log_likelihoods[1] > found.log_likelihoods[0]
    new.save(tmp_path / "new.json")
    again = SegmentModel.load(tmp_path / "new.json")
    assert again.training == new.training
    third = update_model(again, customers(2)).model, update_model(new, customers(2)).model
    np.testing.assert_array_equal(third[0].mixture.means, third[1].mixture.means)
    assert third[0].training.learned_from == "table and 2 added later"


def test_parts_lead_to_about_where_the_whole_leads(model: SegmentModel) -> None:
    found = model
    for seed in (1, 2, 3):
        found = update_model(found, customers(seed)).model
    everyone = pl.concat([customers(seed) for seed in range(4)])
    read = read_rows(model, everyone)
    whole = Refit("floor").from_mixture(as_data(model.scaling.seen(read.table)), model.mixture).mixture
    gap = mean_density(replace(model, mixture=whole), everyone) - mean_density(found, everyone)
    assert -1e-9 < gap < 1e-3
    # The likelihood that the file says is a bound below the true one, and near it.
    true = mean_density(found, everyone) * 2400
    assert true - 5.0 < found.training.log_likelihood <= true + 1e-6


@pytest.mark.parametrize(
    ("name", "components"),
    [("old_faithful", 2), ("thyroid_gland", 3), ("swiss_banknote", 2), ("penguins", 2)],
)
def test_so_they_do_on_real_tables_in_random_order(shared_data: Path, name: str, components: int) -> None:
    """Within 0.02 nats of a customer, and a tenth of what the further parts have to teach, as the docs say."""
    parts = 3
    frame = pl.DataFrame(rows_of(shared_data, name), schema=COLUMNS[name])
    frame = frame.sample(fraction=1.0, shuffle=True, seed=0)
    size = -(-len(frame) // parts)
    chunks = [frame[start : start + size] for start in range(0, len(frame), size)]
    first = learned(chunks[0], columns=frame.columns, components=[components], kinds="continuous")
    found = first
    for chunk in chunks[1:]:
        found = update_model(found, chunk).model
    read = read_rows(first, frame)
    whole = Refit("floor").from_mixture(as_data(first.scaling.seen(read.table)), first.mixture).mixture
    best = mean_density(replace(first, mixture=whole), frame)
    assert best - mean_density(found, frame) < 0.02
    assert best - mean_density(found, frame) < 0.1 * (best - mean_density(first, frame))


def test_the_table_learned_from_added_again_changes_nothing_but_is_said(model: SegmentModel) -> None:
    found = update_model(model, customers(), source="table")
    np.testing.assert_allclose(found.model.mixture.means, model.mixture.means, atol=2e-3)
    assert any("'table' was learned from before" in note for note in found.notes)


def test_with_a_half_life_earlier_customers_count_less(model: SegmentModel) -> None:
    """Weights in closed form: of each row by its age, and of all before by theirs."""
    first = update_model(model, customers(1), time="day", half_life="30d")
    # The model's customers count as being from the earliest day of the table: 29 days before the latest.
    assert first.kept == pytest.approx(0.5 ** (29 / 30))
    assert first.weight_before == pytest.approx(600 * 0.5 ** (29 / 30))
    ages = np.array([29 - i % 30 for i in range(600)])
    assert first.weight_added == pytest.approx((0.5 ** (ages / 30)).sum())
    later = update_model(first.model, customers(3), time="day", half_life="30d")
    assert later.kept == pytest.approx(0.5 ** (60 / 30))
    assert later.model.training.history[-1].kept == later.kept
    assert later.model.statistics is not None
    assert later.model.statistics.as_of == "2024-04-29T00:00:00"
    with pytest.raises(
        ParameterError, match="holds numbers, and the times of the model are dates, the latest 2024-04-29"
    ):
        update_model(later.model, customers(3).with_columns(day=pl.lit(4)), time="day")
    # Late rows are older than what is known: they count less, and nothing is forgotten.
    late = update_model(later.model, customers(2), time="day", half_life="30d")
    assert late.kept == 1.0
    assert late.weight_added == pytest.approx((0.5 ** ((ages + 30) / 30)).sum())


def test_what_is_forgotten_does_not_hold_segments_back(model: SegmentModel) -> None:
    moved = customers(4).with_columns(pl.col("income") + 6.0)
    slow, fast = update_model(model, moved), update_model(model, moved, time="day", half_life="10d")
    shift = [
        (one.model.mixture.means - model.mixture.means)[:, 0].mean() * model.scaling.scale[0]
        for one in (slow, fast)
    ]
    assert 0.0 < shift[0] < shift[1] < 7.0
    assert shift[1] > 1.5 * shift[0]


def test_a_column_of_numbers_may_say_when(model: SegmentModel) -> None:
    frame = customers(1).with_columns(month=pl.Series(np.repeat([1.0, 2.0], 300)))
    found = update_model(model, frame, time="month", half_life=1)
    assert found.kept == 0.5
    assert found.weight_added == pytest.approx(300 + 150)
    without = frame.with_columns(
        month=pl.when(pl.int_range(pl.len()) < 10).then(None).otherwise(pl.col("month"))
    )
    some = update_model(model, without, time="month", half_life=1)
    assert "10 rows without a time in 'month' are left out." in some.notes


@pytest.mark.parametrize("robust", ["noise", "t"])
def test_outliers_and_heavy_tails_are_learned_on(robust: str) -> None:
    rng = np.random.RandomState(0)
    frames = []
    for seed in (0, 1):
        frame = customers(seed)
        far = pl.DataFrame(rng.uniform(-200, 300, (30, 2)), schema=["income", "spending"])
        frame = pl.concat([far, frame.select("income", "spending")[30:]])
        frames.append(frame)
    first = learned(frames[0], columns=["income", "spending"], covariance_types=["diag"], robust=robust)
    found = update_model(first, frames[1])
    new = found.model.mixture
    assert (new.background is None, new.tails is None) == (robust == "t", robust == "noise")
    assert found.log_likelihoods[1] > found.log_likelihoods[0]
    if new.background is not None:
        assert new.background.weight == pytest.approx(0.05, abs=0.02)
    assert drift_of_table(found.model, frames[1], renewed=False).verdict.word in {"keep", "update", "refit"}


def test_counts_categories_and_missing_values_are_learned_on() -> None:
    rng = np.random.RandomState(0)

    def frame(seed: int) -> pl.DataFrame:
        made = customers(seed).drop("day", "revenue")
        rich = made["income"].to_numpy() > 60
        visits = rng.poisson(np.where(rich, 6.0, 1.0))
        region = np.where(rng.uniform(size=len(made)) < np.where(rich, 0.8, 0.2), "north", "south")
        made = made.with_columns(visits=pl.Series(visits), region=pl.Series(region))
        missing = pl.Series(rng.uniform(size=len(made)) < 0.1)
        return made.with_columns(income=pl.when(missing).then(None).otherwise(pl.col("income")))

    first_table, second_table = frame(0), frame(1)
    first = learned(first_table, components=[2], kinds={"visits": "count", "region": "category"})
    assert first.coding is not None
    found = update_model(first, second_table)
    assert found.log_likelihoods[1] > found.log_likelihoods[0]
    assert found.model.statistics is not None
    levels = found.model.statistics.components.levels
    assert levels is not None
    starts = first.coding.discrete.starts
    column = first.coding.names.index("region")
    counted = levels[starts[column] : starts[column + 1]].sum()
    assert counted == pytest.approx(1200, abs=1e-6)  # each customer has a region


def test_weights_and_values_are_taken_along() -> None:
    rng = np.random.RandomState(0)
    frame = customers().with_columns(w=pl.Series(rng.uniform(0.5, 2.0, 600)))
    first = learned(frame, columns=["income", "spending"], weight="w", value="revenue")
    with pytest.raises(ColumnError, match="w"):
        update_model(first, customers(1))
    more = customers(1).with_columns(w=pl.lit(3.0), revenue=pl.lit(1000.0))
    found = update_model(first, more)
    assert found.weight_added == pytest.approx(1800.0)
    for before, after in zip(first.mean_values, found.model.mean_values, strict=True):
        assert before is not None
        assert after is not None
        assert before < after < 1000.0


def test_later_tables_are_compared_with_all_that_was_learned_from(model: SegmentModel) -> None:
    found = model
    for seed in (1, 2, 3):
        found = update_model(found, customers(seed)).model
    assert found.reference is not None
    assert found.reference.sums.n_rows == 2400
    # Against the sums that a pass over all rows gives: first and second moments are moved exactly.
    everyone = pl.concat([customers(seed) for seed in range(4)])
    whole = with_reference(replace(found, reference=None), read_rows(found, everyone).table).reference
    assert whole is not None
    np.testing.assert_allclose(found.reference.sums.shares, whole.sums.shares, rtol=0.01)
    np.testing.assert_allclose(found.reference.sums.second, whole.sums.second, rtol=0.05, atol=25.0)
    density = [one.sums.totals[3] / one.sums.totals[1] for one in (found.reference, whole)]
    assert density[0] == pytest.approx(density[1], abs=0.02)
    assert found.anomaly_threshold == pytest.approx(
        np.percentile(found.log_density(everyone.select(found.columns).to_numpy()), 4.0), abs=0.15
    )
    words = [drift_of_table(found, customers(seed, 400)).verdict.word for seed in range(10, 22)]
    assert words.count("keep") >= 11
    moved = customers(30).with_columns(income=pl.col("income") + 5.0)
    assert drift_of_table(found, moved).verdict.word != "keep"


def test_a_table_that_hardly_fits_is_said_to(model: SegmentModel) -> None:
    assert not any("hardly expects" in note for note in update_model(model, customers(1)).notes)
    other_units = customers(1).with_columns(pl.col("income") * 1000)
    found = update_model(model, other_units)
    assert any("The model hardly expects 100 % of the new customers" in note for note in found.notes)
    empty = customers(1).with_columns(income=pl.lit(None, dtype=pl.Float64))
    with pytest.raises(DataError, match="no values in 'income'"):
        update_model(model, empty)


def test_a_few_rows_do_not_say_what_columns_are_rounded_to(model: SegmentModel) -> None:
    whole = customers().with_columns(pl.col("income", "spending").round(0))
    first = learned(whole, columns=["income", "spending"])
    assert first.statistics is not None
    steps = 1.0 / first.scaling.scale
    np.testing.assert_allclose(first.statistics.rounding, steps, rtol=1e-9)
    one = update_model(first, whole[:1]).model.statistics
    assert one is not None
    np.testing.assert_allclose(one.rounding, steps, rtol=1e-9)
    exact = update_model(first, customers(1)).model.statistics
    assert exact is not None
    np.testing.assert_array_equal(exact.rounding, 0.0)


def test_models_of_earlier_versions_are_taken_at_their_word(model: SegmentModel) -> None:
    old = replace(model, statistics=None, reference=None)
    found = update_model(old, customers(1))
    assert any("does not have the sums" in note for note in found.notes)
    exact = update_model(model, customers(1)).model
    np.testing.assert_allclose(found.model.mixture.means, exact.mixture.means, atol=0.01)
    unknown = replace(old, training=replace(old.training, rows=0))
    with pytest.raises(ParameterError, match="from how many rows"):
        update_model(unknown, customers(1))


def test_segments_that_take_their_old_places_take_their_sums_along(model: SegmentModel) -> None:
    """A model that was searched for again is given the numbers of the old segments."""
    assert model.reference is not None
    assert model.statistics is not None
    order = [2, 0, 1]
    other = replace(
        model,
        mixture=ordered(model.mixture, order),
        names=tuple(model.names[k] for k in order),
        automatic_names=(),
        mean_values=tuple(model.mean_values[k] for k in order),
        reference=model.reference.ordered(order),
        statistics=model.statistics.ordered(order),
    )
    rows = customers().select(model.columns).to_numpy()
    kept, _ = keep_names(model, other, model.memberships(rows), other.memberships(rows))
    assert kept.names == model.names
    assert kept.statistics is not None
    assert kept.reference is not None
    np.testing.assert_array_equal(kept.mixture.means, model.mixture.means)
    np.testing.assert_array_equal(kept.statistics.components.sums, model.statistics.components.sums)
    for field in fields(model.reference.sums):
        wanted = getattr(model.reference.sums, field.name)
        np.testing.assert_array_equal(getattr(kept.reference.sums, field.name), wanted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"half_life": "90d"}, "`half_life` requires the column"),
        ({"time": "day", "half_life": "-3d"}, "`half_life` must be a positive time"),
        ({"time": "day", "half_life": "soon"}, "`half_life` must be a positive time"),
        ({"time": "month", "half_life": "30d"}, "in the units of the time column"),
        ({"time": "when"}, "when"),
        ({"time": "nothing"}, "No row has a time"),
        ({"time": "words"}, r"Correct them, or leave the rows without a time\.$"),
    ],
)
def test_what_cannot_be_is_refused(model: SegmentModel, options: dict[str, Any], message: str) -> None:
    frame = customers(1).with_columns(
        month=pl.lit(3), nothing=pl.lit(None, dtype=pl.Date), words=pl.lit("soon")
    )
    with pytest.raises((ParameterError, ColumnError, DataError), match=message):
        update_model(model, frame, **options)


def dated(latest: date, rows: int) -> pl.DataFrame:
    """A table of which some rows have another day."""
    other = pl.int_range(pl.len()) < rows
    return customers(1).with_columns(day=pl.when(other).then(latest).otherwise(pl.col("day")))


def test_a_placeholder_does_not_make_a_model_of_one_customer(model: SegmentModel) -> None:
    with pytest.raises(
        DataError, match=r"count as 1\.0 would.* 9 are required.* 9999-12-31, 2024-02-29, 2024-02-28"
    ):
        update_model(model, dated(date(9999, 12, 31), 1), time="day", half_life="90d")
    # Of more than the segments need, and where nothing is forgotten, it is said.
    some = update_model(model, dated(date(9999, 12, 31), 20), time="day", half_life="90d")
    assert some.weight_added == pytest.approx(20.0)
    assert any("1,180 of 1,200 customers count less than a thousandth" in note for note in some.notes)
    unforgotten = update_model(model, dated(date(9999, 12, 31), 1), time="day")
    assert any("9999-12-31, is in the future" in note for note in unforgotten.notes)
    with pytest.raises(DataError, match=r"No row of the table counts.* 9999-12-31, 2024-03-30"):
        update_model(unforgotten.model, customers(2), time="day", half_life="90d")


def test_rows_that_count_alike_are_as_many_as_they_are() -> None:
    """Kish's effective number, in closed form: of n weights q^i it is (1 + q) / (1 - q) for a large n."""
    assert effective_rows(np.array([1.0, 2.0]), 0.0, 100) == pytest.approx(9 / 5)
    assert effective_rows(0.5 ** np.arange(60), 0.0, 0) == pytest.approx(3.0)
    assert effective_rows(np.zeros(0), 0.25, 40) == pytest.approx(40.0)


def test_what_is_to_be_done_is_what_an_update_can_do(model: SegmentModel) -> None:
    with pytest.raises(
        ColumnError, match=r"'income' is not numeric.* The model needs numbers in it\. Clean it\.$"
    ):
        update_model(model, customers(1).with_columns(income=pl.lit("much")))
    weighted = learned(customers(2).with_columns(w=1.0 + pl.int_range(pl.len()) % 2), weight="w")
    with pytest.raises(DataError, match=r"'w' is -1 in row 1 .* not be negative\. Correct it\.$"):
        update_model(weighted, customers(1).with_columns(w=pl.lit(-1.0)))


@pytest.mark.parametrize("value", [1e308, -1e200, 1e100, 1e12])
def test_values_beyond_all_sums_are_refused(model: SegmentModel, value: float) -> None:
    frame = customers(1)
    far = pl.when(pl.int_range(pl.len()) == 3).then(value).otherwise(pl.col("income"))
    with pytest.raises(DataError, match=r"column 'income' has the value .*1 of 600 rows"):
        update_model(model, frame.with_columns(income=far))
    with pytest.raises(DataError, match=r"column 'income' has the value .*1 of 600 rows"):
        site_statistics(model, frame.with_columns(income=far))


def test_a_half_life_may_be_said_in_many_ways() -> None:
    assert parse_half_life("3 months") == pytest.approx(3 * 365.2425 / 12)
    assert parse_half_life("1y") == 365.2425
    assert parse_half_life(timedelta(weeks=2)) == 14.0
    assert parse_half_life("2.5") == 2.5
