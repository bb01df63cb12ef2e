"""Drift of tables: verdicts, movers, what is missing, old model files, and the model that is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fitted import fitted, remembered
from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnError, DataError, ParameterError, TooFewRowsError
from mixtura.report import render_drift
from mixtura.segments import (
    SegmentModel,
    assign_table,
    merge_statistics,
    segment_table,
    site_statistics,
    with_reference,
)
from mixtura.segments.change import TableDrift, drift_of_table, drift_over_time
from mixtura.segments.results.changes.build_drift import drift_document


def customers(seed: int = 0, n: int = 600) -> pl.DataFrame:
    frame = make_customers(n, random_state=seed, as_frame="polars")
    return frame.with_columns(
        customer=pl.Series([f"c{i:04}" for i in range(n)]), revenue=frame["spending"] * 2
    )


BEFORE = customers()


def learned() -> SegmentModel:
    def make() -> SegmentModel:
        result = segment_table(
            BEFORE, columns=["income", "spending"], id_column="customer", components=[3], value="revenue"
        )
        return with_reference(result.model, result.table)

    return remembered("drift-model", make=make)


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    return learned()


def moved(seed: int = 1) -> pl.DataFrame:
    rich = pl.col("income") > 60
    return customers(seed).with_columns(
        income=pl.when(rich).then(pl.col("income") + 5).otherwise(pl.col("income"))
    )


def with_new_kind(seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    frame, new = customers(seed), pl.int_range(pl.len()) < 40
    far = pl.Series(250 + 3 * rng.standard_normal(len(frame)))
    return frame.with_columns(spending=pl.when(new).then(far).otherwise(pl.col("spending")))


def test_fresh_customers_let_the_model_be_kept(model: SegmentModel) -> None:
    found = drift_of_table(model, customers(1))
    assert found.verdict.word == "keep"
    assert found.renewal is None
    assert found.movers is None
    assert any("Who moved is not known" in note for note in found.notes)


def test_a_segment_that_moved_asks_for_an_update(model: SegmentModel) -> None:
    found = drift_of_table(model, moved())
    assert found.verdict.word == "update"
    assert (found.verdict.mix, found.verdict.segments, found.verdict.new_kind) == (False, True, False)
    renewal = found.renewal
    assert renewal is not None
    assert renewal.model.names == model.names
    assert renewal.matching.partners == (0, 1, 2)
    # The new model expects the new customers: they are those it was learned from.
    assert drift_of_table(renewal.model, moved(2)).verdict.word == "keep"
    assert renewal.model.training.log_likelihood == pytest.approx(
        renewal.model.log_density(_rows(moved())).sum()
    )


def _rows(frame: pl.DataFrame) -> np.ndarray:
    return frame.select("income", "spending").to_numpy()


def test_other_shares_are_kept_apart(model: SegmentModel) -> None:
    frame = customers(1, 1200)
    fewer = model.memberships(_rows(frame)).argmax(axis=1) == 1
    found = drift_of_table(model, frame.filter(~pl.Series(fewer & (np.arange(1200) % 2 == 0))))
    assert (found.verdict.word, found.verdict.mix, found.verdict.segments, found.verdict.new_kind) == (
        "update", True, False, False,
    )  # fmt: skip


def test_a_new_kind_of_customer_asks_for_a_search(model: SegmentModel) -> None:
    found = drift_of_table(model, with_new_kind())
    assert (found.verdict.word, found.verdict.mix, found.verdict.segments, found.verdict.new_kind) == (
        "refit", False, False, True,
    )  # fmt: skip
    assert found.renewal is not None
    names = found.renewal.model.names
    assert set(model.names) <= set(names)
    assert names[:3] == model.names
    assert "appeared" in found.renewal.sentences(model.names)[0]


def test_movers_are_ordered_and_their_value_follows_them(model: SegmentModel, tmp_path: Path) -> None:
    after = BEFORE.clone()
    # Ten customers take the place of ten others.
    swapped = np.arange(len(BEFORE))
    poor, rich = (np.flatnonzero(one)[:10] for one in (_rows(BEFORE)[:, 0] < 36, _rows(BEFORE)[:, 0] > 62))
    swapped[poor], swapped[rich] = rich, poor
    after = after.with_columns(
        *(pl.Series(name, BEFORE[name].to_numpy()[swapped]) for name in ("income", "spending"))
    ).sample(fraction=1.0, shuffle=True, seed=0)
    extra = customers(5, 40).with_columns(customer=pl.lit("new") + pl.int_range(pl.len()).cast(pl.String))
    found = drift_of_table(model, pl.concat([after, extra]), before=BEFORE.head(590))
    movers = found.movers
    assert movers is not None
    assert (movers.ids.size, movers.only_before, movers.only_after) == (590, 0, 50)
    assert movers.moved == 20
    who = {f"c{i:04}" for i in (*poor.tolist(), *rich.tolist())}
    assert set(movers.ids[:20].tolist()) == who
    assert (np.diff(movers.distances) <= 1e-12).all()
    paths = {(one.before, one.after): one for one in drift_document(found).movers.paths}
    known = BEFORE.filter(pl.col("customer").is_in(sorted(who)))
    assert sum(one.value_after for one in paths.values()) == pytest.approx(known["revenue"].sum())
    movers.write(tmp_path / "movers.csv")
    written = pl.read_csv(tmp_path / "movers.csv")
    assert written["customer"].to_list() == movers.ids.tolist()
    assert written.columns[-2:] == ["value_before", "value_after"]


def test_nobody_moved_beyond_chance_where_nothing_changed(model: SegmentModel) -> None:
    found = drift_of_table(model, BEFORE, before=BEFORE)
    assert found.movers is not None
    assert found.movers.migration.moved_beyond_chance == 0.0
    assert found.movers.distances.max() == pytest.approx(0.0, abs=1e-6)


def test_ids_that_repeat_are_refused(model: SegmentModel) -> None:
    twice = pl.concat([customers(1), customers(2).head(3)])
    with pytest.raises(DataError, match=r"repeats in today\.csv: 'c0000' stands 2 times, and 3 ids"):
        drift_of_table(model, twice, before=BEFORE, source="today.csv")


def test_ids_of_one_side_only_leave_movers_out(model: SegmentModel) -> None:
    others = customers(1).with_columns(customer=pl.lit("x") + pl.col("customer"))
    found = drift_of_table(model, others, before=BEFORE)
    assert found.movers is None
    assert any(
        "no customer of the earlier table is among those of the new table" in note for note in found.notes
    )


def test_a_column_without_values_is_said_and_the_rest_compared(model: SegmentModel) -> None:
    empty = moved().with_columns(spending=pl.lit(None, dtype=pl.Float64))
    found = drift_of_table(model, empty)
    assert any("no values in 'spending'" in note for note in found.notes)
    changes = [one for one in found.last.drift.comparison.changes if one.family == "center"]
    assert {one.columns for one in changes} == {(0,)}
    assert found.verdict.word != "keep"
    unmoved = drift_of_table(model, customers(1).with_columns(spending=pl.lit(None, dtype=pl.Float64)))
    assert unmoved.verdict.word == "keep"
    with pytest.raises(DataError, match="no values in any of the columns"):
        drift_of_table(model, empty.with_columns(income=pl.lit(None, dtype=pl.Float64)))


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda frame: frame.drop("income"), ColumnError, "lacks 'income'"),
        (lambda frame: frame.head(20), TooFewRowsError, "20 usable rows. At least 30"),
        (lambda frame: frame.with_columns(income=pl.lit("high")), ColumnError, "not numeric"),
        (
            lambda frame: frame.with_columns(income=pl.Series([1e300, *frame["income"][1:]])),
            DataError,
            "'income' has the value 1e.300; in 1 of 600 rows",
        ),
    ],
)
def test_tables_that_cannot_be_compared(model: SegmentModel, change, error, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=said):
        drift_of_table(model, change(customers(1)))


def test_a_value_must_be_a_column_of_numbers(model: SegmentModel) -> None:
    with pytest.raises(DataError, match="'profit' is not a column"):
        drift_of_table(model, customers(1), value="profit")


def test_models_of_earlier_versions_give_a_stated_partial_answer(model: SegmentModel) -> None:
    old = replace(model, reference=None)
    found = drift_of_table(old, customers(1))
    assert found.verdict.word == "keep"
    assert found.reference.simulated
    assert any("of an earlier version" in note for note in found.notes)
    assert drift_of_table(old, moved()).verdict.word == "update"
    # The rows it was learned from are recognized, and evaluated as if it had not seen them.
    given = drift_of_table(old, customers(1), before=BEFORE)
    assert not given.reference.simulated
    np.testing.assert_allclose(given.reference.sums.first, model.reference.sums.first, rtol=1e-6, atol=1e-9)
    others = drift_of_table(old, customers(1), before=customers(7))
    assert others.reference.sums.n_rows == 600
    assert others.verdict.word == "keep"


def test_a_reference_survives_its_file(model: SegmentModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    loaded = SegmentModel.load(tmp_path / "model.json")
    one, other = (drift_document(drift_of_table(each, moved())).verdict.decisive for each in (model, loaded))
    assert one.effect == pytest.approx(other.effect, rel=1e-6)


def test_missing_values_are_not_a_change(model: SegmentModel) -> None:
    frame = customers(1)
    rng = np.random.default_rng(0)
    holes = [
        pl.when(pl.Series(rng.uniform(size=600) < 0.2)).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("income", "spending")
    ]
    assert drift_of_table(model, frame.with_columns(holes)).verdict.word == "keep"


@pytest.fixture(scope="module")
def mixed() -> tuple[SegmentModel, pl.DataFrame]:
    def make() -> SegmentModel:
        result = segment_table(mixed_table(0), kinds={"region": "category"}, components=[2])
        return with_reference(result.model, result.table)

    return remembered("drift-mixed", "region is a category", make=make), mixed_table(1)


def mixed_table(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.integers(2, size=800)
    spent = np.where(rng.uniform(size=800) < 0.3, 0.0, np.exp(rng.normal(3 + group, 0.4)))
    region = np.array(["north", "south", "east"])[(rng.integers(3, size=800) * (1 + group)) % 3]
    return pl.DataFrame(
        {
            "age": rng.normal(30 + 20 * group, 5),
            "visits": rng.poisson(2 + 4 * group),
            "spent": spent,
            "region": region,
        }
    )


def test_zeros_counts_and_categories(mixed: tuple[SegmentModel, pl.DataFrame]) -> None:
    model, fresh = mixed
    assert model.coding is not None
    assert {one.kind for one in model.coding.columns} == {"count", "spike", "category"}
    assert drift_of_table(model, fresh).verdict.word == "keep"
    other = fresh.with_columns(
        region=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("north")).otherwise("region")
    )
    document = drift_document(drift_of_table(model, other))
    levels = [one for one in document.periods[0].changes if one.matters and one.family == "levels"]
    assert {tuple(one.columns) for one in levels} == {("region",)}
    with pytest.raises(DataError, match="Write the model again"):
        drift_of_table(replace(model, reference=None), fresh)
    merged = merge_statistics(model, [site_statistics(model, fresh)])
    with pytest.raises(DataError, match=r"merged from sums.* as `before`, or add one to the model"):
        drift_of_table(merged, fresh)


def test_categories_that_the_model_has_not_seen_are_said(mixed: tuple[SegmentModel, pl.DataFrame]) -> None:
    model, fresh = mixed
    west = fresh.with_columns(
        region=pl.when(pl.int_range(pl.len()) < 50).then(pl.lit("west")).otherwise("region")
    )
    assert any("unknown to the model, such as 'west'" in note for note in drift_of_table(model, west).notes)


def test_missing_categories_are_counted(mixed: tuple[SegmentModel, pl.DataFrame]) -> None:
    model, fresh = mixed
    some = fresh.with_columns(region=pl.when(pl.int_range(pl.len()) >= 200).then("region"))
    notes = drift_of_table(model, some).notes
    assert any("200 values are missing, in region (200, 25 %): 200 rows of 800" in note for note in notes)


def over_time() -> TableDrift:
    def make() -> TableDrift:
        months = [customers(1), customers(2), moved(3), customers(4, 600).head(12)]
        frame = pl.concat(
            [one.with_columns(month=pl.lit(f"2024-0{i + 1}-15")) for i, one in enumerate(months)]
        )
        frame = pl.concat([frame, customers(9).head(2).with_columns(month=pl.lit(None, dtype=pl.String))])
        return drift_over_time(
            frame, "month", columns=["income", "spending"], id_column="customer", components=[3]
        )

    return remembered("drift-months", make=make)


def test_periods_are_compared_with_the_first() -> None:
    found = over_time()
    assert found.reference_label == "2024-01"
    assert [(one.label, one.drift.verdict.word) for one in found.periods] == [
        ("2024-02", "keep"),
        ("2024-03", "update"),
    ]
    assert found.notes[0] == "Periods with fewer than 30 rows are left out: 2024-04 (12)."
    assert found.notes[1] == "2 rows without a time in 'month' are left out."
    assert found.movers is not None
    assert found.movers_labels == ("2024-01", "2024-03")


def test_a_period_may_be_named_as_reference_and_must_have_rows() -> None:
    frame = pl.concat(
        [customers(seed, size).with_columns(year=2020 + seed) for seed, size in ((1, 300), (2, 300), (3, 20))]
    )
    with pytest.raises(TooFewRowsError, match="'2023' has 20 rows"):
        drift_over_time(frame, "year", reference="2023")
    with pytest.raises(ParameterError, match="2021, 2022; got '1999'"):
        drift_over_time(frame, "year", reference="1999")
    with pytest.raises(TooFewRowsError, match="1 of 2 periods"):
        drift_over_time(frame.filter(pl.col("year") != 2022), "year")


def test_a_model_is_compared_with_each_period(model: SegmentModel) -> None:
    frame = pl.concat([customers(1).with_columns(year=2021), moved(2).with_columns(year=2022)])
    found = drift_over_time(frame, "year", model=model)
    assert [(one.label, one.drift.verdict.word) for one in found.periods] == [
        ("2021", "keep"),
        ("2022", "update"),
    ]
    assert found.movers_labels == ("2021", "2022")


def test_the_document_is_complete(model: SegmentModel) -> None:
    document = drift_document(drift_of_table(model, with_new_kind(), before=BEFORE))
    assert document.periods[0].new_segment is not None
    assert document.periods[0].new_segment.values["spending"] == pytest.approx(250, abs=3)
    assert document.verdict.sentence.startswith("Search for segments again: a new kind of customer makes up")
    assert type(document).model_validate(document.to_dict()) == document
    center = drift_document(drift_of_table(model, moved())).verdict.decisive
    assert center.after - center.before == pytest.approx(5, abs=1)


def test_the_model_of_a_segmentation_has_a_reference_where_it_is_written(tmp_path: Path) -> None:
    from mixtura import Segmentation

    result = fitted("customers-3")
    Segmentation(result.model, result).save(tmp_path / "model.json")
    assert SegmentModel.load(tmp_path / "model.json").reference is not None
    assert SegmentModel.load(Path(__file__).parents[3] / "golden" / "model-2.json").reference is None


def with_outliers(seed: int, far: int = 72) -> pl.DataFrame:
    """528 customers in three groups, and some anywhere in a box."""
    rng = np.random.default_rng(seed)
    near = rng.choice([0.0, 10.0, 20.0], (528, 1)) * [1.0, -1.0] + rng.standard_normal((528, 2))
    rows = np.vstack([near, rng.uniform(-150, 150, (far, 2))])
    customer = [f"c{i:04}" for i in range(len(rows))]
    return pl.DataFrame({"customer": customer, "a": rows[:, 0], "b": rows[:, 1]})


@pytest.fixture(scope="module")
def noisy() -> SegmentModel:
    def make() -> SegmentModel:
        result = segment_table(with_outliers(0), id_column="customer", components=[3], robust="noise")
        assert result.outlier_rows is not None
        return with_reference(result.model, result.table, None, result.outlier_rows)

    return remembered("drift-noisy", make=make)


@pytest.mark.parametrize("seed", [0, 1])
def test_as_many_outliers_as_before_let_the_model_be_kept(noisy: SegmentModel, seed: int) -> None:
    found = drift_of_table(noisy, with_outliers(seed))
    assert (found.reference.sums.n_rows, found.last.drift.comparison.after.n_rows) == (600, 600)
    assert found.verdict.word == "keep"
    assert found.last.drift.comparison.tail.after == pytest.approx(72 / 600, abs=0.005)


def test_more_outliers_are_a_change(noisy: SegmentModel) -> None:
    found = drift_of_table(noisy, with_outliers(1, far=150), renewed=False)
    assert found.verdict.word != "keep"
    assert found.last.drift.comparison.tail.difference == pytest.approx(150 / 678 - 72 / 600, abs=0.01)


def test_the_model_file_counts_outliers_among_the_rows_learned_from(tmp_path: Path) -> None:
    from mixtura import Segmentation

    made = Segmentation.fit(with_outliers(0), id_column="customer", components=[3], robust="noise")
    made.save(tmp_path / "model.json")
    reference = SegmentModel.load(tmp_path / "model.json").reference
    assert reference is not None
    assert reference.sums.n_rows == 600
    assert reference.sums.shares.sum() == pytest.approx(528, abs=3)


def test_outliers_are_known_at_both_times_and_move(noisy: SegmentModel, tmp_path: Path) -> None:
    before = with_outliers(0)
    rows = before.select("a", "b").to_numpy().copy()
    # Five outliers come to the center of the first group, three of that group go far away.
    outlier = assign_table(noisy, before).outlier
    assert outlier is not None
    come = np.flatnonzero(outlier)[:5]
    go = np.flatnonzero(np.hypot(rows[:, 0], rows[:, 1]) < 2)[:3]
    rows[come], rows[go] = 0.0, [140.0, 140.0]
    after = before.with_columns(a=pl.Series(rows[:, 0]), b=pl.Series(rows[:, 1]))
    found = drift_of_table(noisy, after, before=before, renewed=False)
    movers = found.movers
    assert movers is not None
    assert (movers.ids.size, movers.only_before, movers.only_after, movers.moved) == (600, 0, 0, 8)
    assert set(movers.ids[:8].tolist()) == {f"c{i:04}" for i in (*come.tolist(), *go.tolist())}
    document = drift_document(found)
    group = 1 + int(assign_table(noisy, before).labels[go[0]])
    paths = {(one.before, one.after): one.customers for one in document.movers.paths}
    assert paths == {(-1, group): 5, (group, -1): 3}
    matrix = np.array(document.movers.matrix)
    assert (matrix[3].sum(), matrix[:, 3].sum()) == (outlier.sum(), outlier.sum() - 2)
    movers.write(tmp_path / "movers.csv")
    written = pl.read_csv(tmp_path / "movers.csv").head(8)
    assert set(written.filter(pl.col("segment_after") == -1)["segment_after_name"]) == {"outlier"}
    assert (written["segment_before"] == -1).sum() == 5
    page = render_drift(document)
    assert '<td class="unbroken" data-value="-1">outlier</td>' in page
    assert "Outliers, who are in no segment, are 12" in " ".join(document.notes)
