"""`mixtura segment`: what it prints and what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from mixtura.segments import RESULT_FILES, segment_table, select_table


@pytest.fixture
def results(kept, customers) -> Path:
    kept("segment", customers.name, "--components", "1-4")
    return Path("customers-segments")


def test_it_writes_its_files_and_nothing_else(results, workplace) -> None:
    assert sorted(path.name for path in results.iterdir()) == sorted(RESULT_FILES)
    assert sorted(path.name for path in workplace.iterdir()) == ["customers-segments", "customers.csv"]


def test_the_table_has_a_row_per_customer_in_their_order(results) -> None:
    table = pl.read_parquet(results / "segments.parquet")
    assert table.columns[:4] == ["id", "segment", "segment_name", "certainty"]
    assert table["id"].to_list() == [f"{number:05d}" for number in range(300)]
    probabilities = table.select(pl.col("^probability_.*$")).to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1) + 1, table["segment"])
    np.testing.assert_array_equal(probabilities.max(axis=1), table["certainty"])
    assert table["anomaly"].sum() == 12


def test_csv_and_parquet_say_the_same(results) -> None:
    from_csv = pl.read_csv(results / "segments.csv", schema_overrides={"id": pl.String})
    from_parquet = pl.read_parquet(results / "segments.parquet")
    assert from_csv.to_dict(as_series=False) == from_parquet.to_dict(as_series=False)


def test_duckdb_reads_both(results) -> None:
    for name in ("segments.csv", "segments.parquet"):
        counts = duckdb.sql(
            f"select segment, count(*), max(id::varchar) from '{results / name}' group by segment order by segment"
        ).fetchall()
        assert sum(count for _, count, _ in counts) == 300
        assert [segment for segment, _, _ in counts] == [1, 2, 3]


def test_the_figures_are_those_of_scikit_learn_in_the_users_units(results, rows) -> None:
    summary = json.loads((results / "summary.json").read_text())
    chosen = summary["choice"]
    assert (chosen["n_components"], chosen["covariance_type"]) == (3, "tied")
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    reference = GaussianMixture(3, covariance_type="tied", tol=1e-12, max_iter=5000, random_state=0).fit(
        scaled
    )
    volume = np.log(rows.std(axis=0)).sum()
    finished = reference.score_samples(scaled) - volume
    # The fit ends where less than 0.01 nats are still to be gained.
    assert -0.01 < chosen["log_likelihood"] - finished.sum() <= 1e-6
    found = json.loads((results / "model.json").read_text())["mixture"]
    reference.weights_, reference.means_ = np.array(found["weights"]), np.array(found["means"])
    inverse = np.linalg.inv(np.linalg.cholesky(np.array(found["covariances"])))
    reference.precisions_cholesky_ = inverse.T
    log_density = reference.score_samples(scaled) - volume
    table = pl.read_parquet(results / "segments.parquet")
    np.testing.assert_allclose(table["log_density"], log_density, rtol=1e-9)
    assert chosen["log_likelihood"] == pytest.approx(log_density.sum(), rel=1e-12)
    assert chosen["criteria"]["bic"] == pytest.approx(
        chosen["n_parameters"] * np.log(300) - 2 * log_density.sum(), rel=1e-9
    )
    assert summary["anomalies"]["log_density_threshold"] == pytest.approx(np.percentile(log_density, 4))
    for segment in summary["segments"]:
        members = rows[table["segment"].to_numpy() == segment["number"]]
        assert segment["count"] == len(members)
        np.testing.assert_allclose(list(segment["means"].values()), members.mean(axis=0))


def test_k_means_is_that_of_scikit_learn(results, rows) -> None:
    summary = json.loads((results / "summary.json").read_text())
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    clusters = KMeans(3, n_init=10, random_state=0).fit(scaled).labels_
    segments = pl.read_parquet(results / "segments.parquet")["segment"].to_numpy()
    common = np.array([[np.sum((clusters == c) & (segments == s)) for s in (1, 2, 3)] for c in range(3)])
    assert summary["kmeans"]["agreement"] == pytest.approx(common.max(axis=1).sum() / 300)
    for customer in summary["least_certain"]:
        assert customer["kmeans_segment"] == common[clusters[customer["row"]]].argmax() + 1


def test_the_ambiguous_are_the_least_certain(results) -> None:
    summary = json.loads((results / "summary.json").read_text())
    table = pl.read_parquet(results / "segments.parquet").sort("certainty")
    assert [customer["customer"] for customer in summary["least_certain"]] == table["id"][:5].to_list()


def test_it_prints_what_it_found(run, customers) -> None:
    printed = run("segment", customers, "--components", "2-4").output
    for text in (
        "300 rows, 5 columns",
        "income, spending",
        "country (text, such as 'NL')",
        "shop (the same value in every row: 7)",
        "3 segments (tied covariances): the smallest BIC",
        "low income, high spending",
        "Most ambiguous customers",
        "K-means",
        "Anomalies: 12 customers",
        "(expected ",
        "12 models fitted",
        "customers-segments",
    ):
        assert text in printed, text


def test_any_family_may_be_asked_for(run, customers) -> None:
    done = run("segment", customers, "--components", "3", "--covariance-type", "EVE,VVE,EEE")
    assert done.exit_code == 0, done.output
    assert "3 models fitted" in done.output
    ranking = json.loads(Path("customers-segments/summary.json").read_text())["candidates"]
    assert {one["covariance_type"] for one in ranking} == {"EVE", "VVE", "tied"}
    shown = run("show", "customers-segments/model.json")
    assert shown.exit_code == 0, shown.output
    done = run("segment", customers, "--components", "3", "--covariance-type", "all", "--overwrite")
    assert done.exit_code == 0, done.output
    assert "14 models fitted" in done.output


def test_quiet_prints_nothing(run, customers) -> None:
    done = run("segment", customers, "--components", "2", "--quiet")
    assert done.exit_code == 0
    assert done.output == ""


@pytest.mark.parametrize("width", ["40", "200"])
def test_narrow_and_wide_terminals_show_every_segment(run, customers, width, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    printed = run("segment", customers, "--components", "3").output
    assert all(f"segment {number}" in printed for number in (1, 2, 3))
    tables = [line for line in printed.splitlines() if "─" in line]
    assert max(map(len, tables)) <= int(width)


def test_options_reach_the_library(run, customers) -> None:
    options = (
        "--columns",
        "income",
        "--id",
        "spending",
        "--components",
        "2",
        "--covariance-type",
        "diag",
        "--seed",
        "5",
    )
    more = ("--criterion", "aic", "--n-init", "2", "--anomaly-percentile", "10", "--output", "elsewhere")
    done = run("segment", customers, *options, *more)
    assert done.exit_code == 0, done.output
    summary = json.loads(Path("elsewhere/summary.json").read_text())
    assert summary["table"]["active"] == ["income"]
    assert summary["table"]["id_column"] == "spending"
    assert (
        summary["choice"] | {"criterion_name": "aic", "seed": 5, "n_init": 2, "n_components": 2}
        == summary["choice"]
    )
    assert len(summary["candidates"]) == 1
    assert len(summary["anomalies"]["customers"]) == summary["anomalies"]["count"] == 30


def test_the_same_seed_gives_the_same_files(run, customers) -> None:
    for output in ("one", "two"):
        assert run("segment", customers, "--components", "3", "--output", output).exit_code == 0
    for name in ("segments.csv", "segments.png"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()


def test_rows_with_missing_values_are_present_and_unassigned(run, workplace, rows) -> None:
    lines = [f"{income!r},{spending!r}" for income, spending in rows.tolist()]
    lines[7], lines[9] = ",50", "inf,50"
    path = workplace / "holes.csv"
    path.write_text("income,spending\n" + "\n".join(lines) + "\n")
    done = run("segment", path, "--components", "3", "--drop-missing")
    assert done.exit_code == 0, done.output
    assert (
        "2 rows in no segment (row 8 and 10): a column used has no value there, and --drop-missing leaves"
        in (" ".join(done.output.split()))
    )
    for table in (
        pl.read_csv("holes-segments/segments.csv"),
        pl.read_parquet("holes-segments/segments.parquet"),
    ):
        assert table["row"].to_list() == list(range(1, 301))
        empty = table.filter(pl.col("segment").is_null())
        assert empty["row"].to_list() == [8, 10]
        assert all(column.null_count() == 2 for column in empty.get_columns()[1:])


def test_text_that_a_spreadsheet_would_run_is_defused_in_csv_only(run, workplace, rows) -> None:
    ids = ["=1+1", "+2", "-3", "@x", "plain, with comma", 'and "quotes"']
    names = [ids[i] if i < len(ids) else f"c{i}" for i in range(300)]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    lines = [f"{name},{a!r},{-b!r}" for name, (a, b) in zip(quoted, rows.tolist(), strict=True)]
    (workplace / "t.csv").write_text("name,a,b\n" + "\n".join(lines) + "\n")
    assert run("segment", "t.csv", "--components", "2", "--id", "name").exit_code == 0
    assert pl.read_parquet("t-segments/segments.parquet")["name"].to_list() == names
    expected = [f"'{name}" if name[0] in "=+-@" else name for name in names]
    table = pl.read_csv("t-segments/segments.csv")
    assert table["name"].to_list() == expected
    assert table["log_density"].dtype == pl.Float64
    assert (table["log_density"] < 0).all()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("suffix", [".tsv", ".parquet", ".jsonl", ".xlsx"])
def test_other_formats_give_the_same_segments(run, customers, suffix) -> None:
    frame = pl.read_csv(customers, schema_overrides={"id": pl.String})
    path = customers.with_name(f"other{suffix}")
    if suffix == ".tsv":
        frame.write_csv(path, separator="\t")
    elif suffix == ".parquet":
        frame.write_parquet(path)
    elif suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        import openpyxl

        book = openpyxl.Workbook()
        book.active.append(frame.columns)
        for row in frame.rows():
            book.active.append(row)
        book.save(path)
    assert run("segment", customers, "--components", "3", "--output", "a").exit_code == 0
    assert run("segment", path, "--components", "3", "--output", "b").exit_code == 0
    one, two = (pl.read_parquet(f"{name}/segments.parquet") for name in "ab")
    assert one["id"].to_list() == two["id"].to_list()
    np.testing.assert_allclose(one["certainty"], two["certainty"], rtol=1e-9)


def test_as_a_process_its_output_can_be_piped_and_it_loads_neither_scikit_learn_nor_pandas(
    customers, workplace
) -> None:
    code = (
        "import atexit, runpy, sys\n"
        "from pathlib import Path\n"
        f"sys.argv = ['mixtura', 'segment', {str(customers)!r}, '--components', '3']\n"
        "loaded = lambda: sorted({'sklearn', 'pandas', 'polars'} & set(sys.modules))\n"
        "atexit.register(lambda: Path('loaded').write_text(str(loaded())))\n"
        "runpy.run_module('mixtura', run_name='__main__', alter_sys=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=workplace, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "3 segments" in done.stdout
    assert (workplace / "loaded").read_text() == "[]"


@pytest.mark.parametrize(
    ("table", "options", "n_columns"),
    [
        ("mall_customers", (), 3),
        pytest.param("wholesale_customers", (), 7, marks=pytest.mark.slow),
        pytest.param("cc_general", ("--drop-missing",), 16, marks=pytest.mark.slow),
    ],
)
def test_real_tables(run, shared_data, table, options, n_columns) -> None:
    done = run("segment", shared_data / f"{table}.csv", "--components", "1-5", *options)
    assert done.exit_code == 0, done.output
    summary = json.loads(Path(f"{table}-segments/summary.json").read_text())
    building = [*summary["table"]["active"], *summary["table"]["discrete"]]
    assert len(building) == n_columns
    names = [segment["name"] for segment in summary["segments"]]
    assert len(set(names)) == len(names) > 1
    n_rows = summary["table"]["rows"]
    assert pl.scan_parquet(f"{table}-segments/segments.parquet").select(pl.len()).collect().item() == n_rows


def test_the_prior_reaches_the_search(run, customers) -> None:
    """The models are those that selecting ranks with the same prior, and not those of the default."""
    options = ("--covariance-type", "full", "--components", "2-3", "--resamples", "0", "--overwrite")
    done = run("segment", customers, *options, "--columns", "income,spending", "--prior", "conjugate")
    assert done.exit_code == 0, done.output
    summary = json.loads(Path("customers-segments/summary.json").read_text())
    found = [one["log_likelihood"] for one in summary["candidates"]]
    frame = pl.read_csv(customers)
    expected = {
        prior: [
            one.log_likelihood
            for one in select_table(
                frame,
                columns=["income", "spending"],
                covariance_types=["full"],
                components=[2, 3],
                prior=prior,
            ).found.ranking
        ]
        for prior in ("floor", "conjugate")
    }
    assert found == pytest.approx(expected["conjugate"], abs=1e-6)
    assert max(np.subtract(expected["floor"], found)) > 0.1


def test_a_least_share_and_the_verdicts_stand_at_the_head(run, customers) -> None:
    printed = " ".join(run("segment", customers, "--components", "1-3", "--min-share", "0.33").output.split())
    assert "with a segment of less than 33 % of the customers (" in printed
    head = printed[: printed.index("Stability:")]
    assert "Clusters: " in head
    assert "the least stable, '" in printed


def test_a_table_that_determines_no_number_is_said_to(run, workplace) -> None:
    rows = np.random.default_rng(2).lognormal(sigma=1.0, size=(1200, 2))
    pl.DataFrame(rows, schema=["a", "b"]).write_csv("cloud.csv")
    options = ("--components", "1-5", "--covariance-type", "spherical", "--resamples", "5")
    printed = " ".join(run("segment", "cloud.csv", *options).output.split())
    assert "Clusters: No separate clusters were found." in printed
    assert "a choice: the table does not determine a number" in printed
    page = Path("cloud-segments/report.html").read_text(encoding="utf-8")
    assert "The table does not determine a number of segments" in page
    assert "does not determine a number: it falls up to the most that were tried" in page


def test_notes_name_options_in_every_output(run, workplace) -> None:
    """Those of Python are for results in Python; the same table there."""
    rng = np.random.RandomState(0)
    table = pl.DataFrame(
        {"spend": np.exp(2 * rng.standard_normal(120)), "visits": 9 + rng.standard_normal(120)}
    )
    table = table.with_columns(
        visits=pl.when(pl.arange(120) % 10 == 0).then(None).otherwise(pl.col("visits"))
    )
    table.write_csv("gaps.csv")
    assert any("`drop_missing=True`" in note for note in segment_table(table, components=2).notes)
    said = run("segment", "gaps.csv", "--components", "2")
    assert said.exit_code == 0, said.output
    folder = Path("gaps-segments")
    notes = json.loads((folder / "summary.json").read_text())["notes"]
    assert any("--drop-missing" in note for note in notes)
    for text in (said.output, *notes, (folder / "report.html").read_text()):
        assert "drop_missing=True" not in text
