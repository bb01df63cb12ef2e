"""Tables that are segmented in parts: the same numbers as of all rows in memory, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from pyarrow import parquet

from mixtura import Segmentation
from mixtura.core.protocols import continuous_rows
from mixtura.data.sources import Source, open_source
from mixtura.data.spool import spooled_in
from mixtura.engine import as_data
from mixtura.exceptions import DataError, MixturaError, TableError
from mixtura.fit import log_likelihood
from mixtura.segments import (
    Effort,
    SegmentationResult,
    assign_table,
    deliver,
    measure_certainty,
    segment_table,
)
from mixtura.segments.large import opening
from mixtura.segments.large import segment_source as module
from mixtura.segments.large.draw_rows import draw_rows
from mixtura.segments.large.segment_source import segment_source
from mixtura.segments.large.write_customers import MOST_CSV_ROWS
from mixtura.segments.model.read_rows import read_rows
from mixtura.segments.results.build_document import listed_anomalies

N, SAMPLE = 20_000, 3_000
OPTIONS: dict[str, Any] = {"components": [2, 3], "covariance_types": ["full"], "id_column": "who"}


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE_ROWS", SAMPLE)
    monkeypatch.setattr(opening, "_UNCOUNTED", 0)


@pytest.fixture(autouse=True)
def spool_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("spool")
    with spooled_in(folder):
        yield folder
    assert list(folder.iterdir()) == []


def made() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    group = rng.choice(3, size=N, p=[0.5, 0.3, 0.2])
    rows = np.array([[0.0, 0], [4, 4], [-4, 5]])[group] + rng.normal(size=(N, 2)) * [1.0, 0.7]
    income = np.where(rng.random(N) < 0.05, np.nan, rows[:, 0])
    return pl.DataFrame(
        {
            "who": [f"C{number:06}" for number in rng.permutation(N)],
            "income": pl.Series(income).fill_nan(None),
            "spent": rows[:, 1],
            "worth": rng.gamma(2.0, 10.0, N) + 20 * group,
            "times": rng.integers(1, 4, N).astype(float),
            "land": np.array(["AT", "DE", "FR"])[(group + (rng.random(N) < 0.3)) % 3],
            "paid": np.where(rng.random(N) < 0.2 + 0.4 * (group == 1), 0.0, rng.normal(9, 1, N)),
            "visits": rng.poisson(1.0 + 3 * group),
        }
    )


TABLE = made()


@dataclass
class Case:
    options: dict[str, Any]
    result: SegmentationResult

    @property
    def everything(self) -> Any:
        """The same model asked about the table in memory."""
        return assign_table(self.result.model, TABLE, id_column="who")


CASES = {
    "plain": {"columns": ["income", "spent"]},
    "described": {"columns": ["income", "spent"], "describe": ["land"], "value": "worth"},
    "weighted": {"columns": ["spent", "worth"], "weight": "times"},
    "whole rows": {"columns": ["income", "spent"], "drop_missing": True},
    "mixed": {"columns": ["income", "spent", "paid", "visits", "land"], "covariance_types": ["diag"]},
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    path = tmp_path_factory.mktemp("table") / "t.parquet"
    TABLE.write_parquet(path, row_group_size=1_700)
    options = OPTIONS | CASES[request.param]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGE_ROWS", SAMPLE)
        found = segment_source(open_source(path), **options)
    return Case(options, found)


@pytest.mark.sampled(2)
def test_sizes_and_certainty_are_of_all_rows(case: Case) -> None:
    result, everything = case.result, case.everything
    assert result.whole is not None
    complete = everything.complete
    if case.options.get("drop_missing"):
        complete = TABLE["income"].is_not_null().to_numpy()
    assert (result.n_rows, result.n_complete) == (N, complete.sum())
    counts = np.bincount(everything.labels[complete], minlength=result.model.n_segments)
    np.testing.assert_array_equal(result.whole.counts, counts)
    assert [one.count for one in result.segments] == counts.tolist()
    weights = TABLE["times"].to_numpy() if "weight" in case.options else None
    expected = measure_certainty(everything.memberships[complete], result.model.names, weights=weights)
    assert result.certainty.mean_certainty == pytest.approx(expected.mean_certainty, rel=1e-12)
    assert result.certainty.quantiles == expected.quantiles
    np.testing.assert_allclose(result.certainty.confusion, expected.confusion, rtol=1e-9)


def test_profiles_are_of_all_rows_and_exact(case: Case) -> None:
    labels = case.everything.labels
    for segment in case.result.segments:
        for one in segment.numbers:
            values = TABLE[one.column].to_numpy()[labels == segment.number - 1]
            if case.options.get("drop_missing"):
                values = values[TABLE["income"].is_not_null().to_numpy()[labels == segment.number - 1]]
            values = values[~np.isnan(values)]
            assert one.summary.count == values.size
            assert (one.summary.minimum, one.summary.maximum) == (values.min(), values.max())
            if "weight" not in case.options:
                assert one.summary.mean == pytest.approx(values.mean(), rel=1e-12)
                quartiles = np.quantile(values, [0.25, 0.5, 0.75], method="averaged_inverted_cdf")
                np.testing.assert_array_equal([one.summary.q1, one.summary.median, one.summary.q3], quartiles)


def test_levels_and_values_are_of_all_rows(case: Case) -> None:
    if "describe" not in case.options:
        pytest.skip("has no descriptive columns")
    labels = case.everything.labels
    for segment in case.result.segments:
        lands = TABLE["land"].to_numpy()[labels == segment.number - 1]
        (profile,) = segment.categories
        found = {level.level: level.count for level in profile.levels if level.count}
        assert found == {land: int((lands == land).sum()) for land in sorted(set(lands))}
        assert segment.value is not None
        worth = TABLE["worth"].to_numpy()[labels == segment.number - 1]
        assert segment.value.total == pytest.approx(worth.sum(), rel=1e-12)


def test_anomalies_are_those_of_all_rows(case: Case) -> None:
    result, everything = case.result, case.everything
    if case.options.get("drop_missing") or "weight" in case.options:
        pytest.skip("the percentile is of other rows, or weighted")
    density = everything.log_density
    assert result.model.anomaly_threshold == pytest.approx(np.percentile(density, 4), rel=1e-12)
    below = np.flatnonzero(density < result.model.anomaly_threshold)
    assert result.whole is not None
    assert result.whole.n_anomalies == below.size
    expected = below[np.argsort(density[below], kind="stable")]
    listed = listed_anomalies(result, 50)
    np.testing.assert_array_equal(listed.rows, expected[:50])
    assert list(listed.customers) == TABLE["who"].gather(expected[:50].tolist()).to_list()


def test_the_least_certain_and_the_typical_are_of_all_rows(case: Case) -> None:
    if case.options.get("drop_missing"):
        pytest.skip("rows are numbered as in the table, of which some are left out")
    result, everything = case.result, case.everything
    certainty = everything.memberships.max(axis=1)
    order = np.argsort(certainty, kind="stable")[:20]
    found = result.least_certain[:20]
    np.testing.assert_allclose([one.memberships.max() for one in found], certainty[order], rtol=1e-9)
    assert [one.customer for one in found] == [TABLE["who"][one.row] for one in found]
    for segment in result.segments:
        for one in segment.typical:
            assert one.customer == TABLE["who"][one.row]
            assert everything.labels[one.row] == segment.number - 1


def test_the_model_is_the_optimum_of_all_rows(case: Case) -> None:
    if "weight" in case.options or case.options.get("drop_missing"):
        pytest.skip("compared without weights, on all rows")
    whole = segment_table(TABLE, **case.options)

    def total(result: SegmentationResult) -> float:
        table, scaling = read_rows(result.model, TABLE, id_column="who").table, result.model.scaling
        masked = scaling.masked(continuous_rows(table))
        data = as_data(scaling.seen(table))
        return log_likelihood(data, result.model.mixture) + scaling.log_jacobian(masked, observed=True).sum()

    assert whole.model.n_segments == case.result.model.n_segments
    assert total(case.result) == pytest.approx(total(whole), abs=1.0)
    assert case.result.model.training.log_likelihood == pytest.approx(total(case.result), rel=1e-12)
    assert case.result.model.training.rows == N


@pytest.mark.sampled(2)
def test_the_tables_are_those_of_assignment(case: Case, tmp_path: Path) -> None:
    with deliver(tmp_path / "out") as delivery:
        delivery.write(case.result.with_effort(Effort(resamples=0)))
    options = {"drop_missing": bool(case.options.get("drop_missing"))}
    expected = assign_table(case.result.model, TABLE, id_column="who", **options)
    expected.write(tmp_path / "expected.parquet")
    expected.write(tmp_path / "expected.csv")
    found = pl.read_parquet(tmp_path / "out" / "segments.parquet")
    assert_frame_equal(found, pl.read_parquet(tmp_path / "expected.parquet"), rel_tol=1e-9, abs_tol=1e-12)
    assert found["who"].to_list() == TABLE["who"].to_list()
    csv = pl.read_csv(tmp_path / "out" / "segments.csv")
    assert_frame_equal(csv, pl.read_csv(tmp_path / "expected.csv"), rel_tol=1e-9, abs_tol=1e-12)


def test_point_masses_counts_and_categories_are_those_of_all_rows(case: Case) -> None:
    """Of a table that is not held in memory numbers alone built segments, and zeros made some of their own."""
    if "paid" not in case.options["columns"]:
        pytest.skip("numbers alone")
    result = case.result
    assert {one.name: one.kind for one in result.columns.kinds} == {
        "income": "continuous", "spent": "continuous", "paid": "spike", "visits": "count", "land": "category",
    }  # fmt: skip
    labels = case.everything.labels
    for segment in result.segments:
        (land,) = segment.categories
        lands = TABLE["land"].to_numpy()[labels == segment.number - 1]
        found = {level.level: level.count for level in land.levels if level.count}
        assert found == {name: int((lands == name).sum()) for name in sorted(set(lands))}
    whole = segment_table(TABLE, **case.options)
    pairs = {frozenset((one.first, one.second)) for one in whole.residuals}
    assert {frozenset((one.first, one.second)) for one in result.residuals} == pairs
    assert len(pairs) == 3


def test_the_document_says_what_is_of_the_sample(case: Case) -> None:
    document = case.result.with_effort(Effort(resamples=0)).document
    assert document.table.rows == N
    assert document.verdict.customers == case.result.n_complete
    assert f"chosen by {SAMPLE:,} of {N:,} rows, drawn at random" in " ".join(document.notes)
    assert 0 < len(document.anomalies.customers) <= 1000


@pytest.mark.sampled(3)
@pytest.mark.parametrize("batch", [100, 777, 20_000])
def test_the_size_of_batches_changes_no_digit(batch: int, case: Case) -> None:
    if case.options.keys() != OPTIONS.keys() | {"columns"}:
        pytest.skip("once is enough")
    reader = pa.Table.from_batches(TABLE.to_arrow().to_batches()).to_reader(max_chunksize=batch)
    found = segment_source(open_source(reader), **case.options)
    one, other = found.model, case.result.model
    np.testing.assert_array_equal(one.mixture.means, other.mixture.means)
    np.testing.assert_array_equal(one.mixture.covariances, other.mixture.covariances)
    assert one.anomaly_threshold == other.anomaly_threshold
    assert found.segments[0].numbers[0].summary == case.result.segments[0].numbers[0].summary


def test_a_spool_in_single_precision(tmp_path: Path, case: Case) -> None:
    if case.options.keys() != OPTIONS.keys() | {"columns"}:
        pytest.skip("once is enough")
    TABLE.write_parquet(tmp_path / "t.parquet")
    stages: list[str] = []
    options = {"spool_dtype": "float32", "on_stage": stages.append}
    found = segment_source(open_source(tmp_path / "t.parquet"), **options, **case.options)
    assert [one.split()[0] for one in stages] == ["Drawing", "Fitting", "Reading", "Fitting", "Evaluating"]
    np.testing.assert_allclose(found.model.mixture.means, case.result.model.mixture.means, atol=1e-4)


def test_the_sample_does_not_depend_on_batches() -> None:
    source = open_source(pa.table({"x": np.arange(5000.0)}))
    one = draw_rows(source, ["x"], 300, seed=3)
    small = open_source(pa.table({"x": np.arange(5000.0)}).to_reader(max_chunksize=37))
    other = draw_rows(small, ["x"], 300, seed=3)
    np.testing.assert_array_equal(one.numbers, other.numbers)
    assert one.table["x"].to_pylist() == one.numbers.tolist() == other.table["x"].to_pylist()
    assert len(set(one.numbers.tolist())) == 300
    assert abs(one.numbers.mean() - 2500) < 400
    np.testing.assert_array_equal(one.numbers, np.sort(one.numbers))


def test_a_small_source_is_segmented_in_memory(tmp_path: Path) -> None:
    TABLE[:1000].write_parquet(tmp_path / "t.parquet")
    found = segment_source(open_source(tmp_path / "t.parquet"), columns=["income", "spent"], components=[3])
    assert found.whole is None
    assert found.n_rows == 1000


# ---------------------------------------------------------------------------------------- bad input


def test_a_file_that_changes_between_passes(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    TABLE.write_parquet(path)
    source = open_source(path)
    TABLE[:19_000].write_parquet(path)
    with pytest.raises(TableError, match="was changed while the table was read"):
        segment_source(source, columns=["income", "spent"], **OPTIONS)


def changing(after: int) -> Source:
    """A source that has fewer rows from some pass on."""
    table, passes = TABLE.to_arrow(), iter(range(100))

    def read(columns: Any) -> Any:
        rows = N if next(passes) < after else N - 10
        return iter(table.select(list(columns)).slice(0, rows).to_batches(max_chunksize=999))

    return Source("the table", table.schema, read, N)


def test_a_source_that_loses_rows() -> None:
    with pytest.raises(MixturaError, match=r"had 20,000 rows when it was read first and 19,990 later"):
        segment_source(changing(1), columns=["income", "spent"], **OPTIONS)


def test_a_weight_that_is_negative() -> None:
    frame = TABLE.with_columns(times=pl.when(pl.int_range(N) == N - 1).then(-1.0).otherwise(1.0))
    with pytest.raises(DataError, match="The weight 'times' is"):
        segment_source(open_source(frame.to_arrow()), columns=["spent"], weight="times", **OPTIONS)


def test_nothing_is_written_where_writing_fails(tmp_path: Path) -> None:
    result = segment_source(changing(3), columns=["income", "spent"], **OPTIONS)
    with pytest.raises(MixturaError), deliver(tmp_path / "out") as delivery:
        delivery.write(result.with_effort(Effort(resamples=0)))
    assert list(tmp_path.iterdir()) == []


def test_large_tables_have_no_csv() -> None:
    assert MOST_CSV_ROWS == 2**20 - 1


def test_parquet_of_a_broken_page(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(TABLE.to_arrow(), path, row_group_size=2000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 5000] = bytes(5000)
    path.write_bytes(bytes(content))
    with pytest.raises(TableError, match=r"t.parquet' cannot be read as it says it is"):
        segment_source(open_source(path), columns=["income", "spent"], **OPTIONS)


def test_a_segmentation_of_files_larger_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        TABLE[5000 * number : 5000 * (number + 1)].write_parquet(tmp_path / f"{number}.parquet")
    found = Segmentation.fit(str(tmp_path / "*.parquet"), columns=["income", "spent"], **OPTIONS)
    assert found.result.whole is not None
    assert "20,000 customers" in repr(found)
    assert found.profiles["count"][0] > 18_000
    for ask in (lambda: found.memberships, found.ambiguous, lambda: found.audience(1, top=5)):
        with pytest.raises(
            DataError, match="The 20,000 customers of this segmentation are not held in memory"
        ):
            ask()
    assert len(found.assign(TABLE[:100])) == 100
    found.write(tmp_path / "out", effort=Effort(resamples=0, draws=100, points=100))
    assert pl.read_parquet(tmp_path / "out" / "segments.parquet")["who"].to_list() == TABLE["who"].to_list()


def test_kinds_that_are_asked_for_are_read_in_parts_also_categories_alone() -> None:
    small = open_source(TABLE[: SAMPLE + 500].to_arrow())
    asked = segment_source(small, columns=["income", "spent", "times"], kinds={"times": "count"}, **OPTIONS)
    assert asked.whole is not None
    assert asked.model.discrete_columns == ("times",)
    alone = segment_source(
        small, columns=["times", "land"], kinds={"times": "category", "land": "category"}, **OPTIONS
    )
    assert alone.whole is not None
    assert alone.model.columns == ()
    everything = assign_table(alone.model, TABLE[: SAMPLE + 500])
    np.testing.assert_array_equal(alone.whole.counts, np.bincount(everything.labels))
