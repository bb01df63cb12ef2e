"""What the commands take as a table: files, patterns, folders and queries."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from mixtura.cli.app import app
from mixtura.cli.table_input import TableInput
from mixtura.datasets import make_customers

Loop = Callable[..., Result]


@pytest.mark.parametrize(
    ("given", "stem", "name"),
    [
        (["customers.csv"], "customers", "customers.csv"),
        (["a.b.parquet"], "a.b", "a.b.parquet"),
        (["data/customers.csv.gz"], "customers", "customers.csv.gz"),
        (["sales-*.parquet"], "sales", "sales-*.parquet"),
        (["*.parquet"], "table", "*.parquet"),
        (["sales/"], "sales", "sales"),
        (["a.csv", "b.csv"], "a", "a.csv and 1 more"),
    ],
)
def test_names_of_results(given: list[str], stem: str, name: str) -> None:
    found = TableInput(given)
    assert (found.stem, found.name, found.arguments) == (stem, name, given)


def test_names_of_results_of_a_query() -> None:
    found = TableInput(None, "SELECT 1", "a.duckdb")
    assert (found.stem, found.name) == ("query", "query")
    assert found.arguments == ["--sql", "SELECT 1", "--database", "a.duckdb"]


def parts(folder: Path) -> pl.DataFrame:
    frame = make_customers(as_frame="polars").with_columns(id=pl.int_range(300) + 1000)
    (folder / "parts").mkdir()
    for number in range(3):
        frame.slice(100 * number, 100).write_parquet(folder / "parts" / f"{number}.parquet")
    frame.write_csv(folder / "customers.csv")
    (folder / "packed.csv.gz").write_bytes(gzip.compress((folder / "customers.csv").read_bytes()))
    with duckdb.connect(str(folder / "crm.duckdb")) as connection:
        connection.execute("CREATE TABLE customers AS SELECT * FROM 'customers.csv'")
    return frame


def test_each_kind_of_table_is_assigned_in_its_order(run: Loop, workplace: Path) -> None:
    frame = parts(workplace)
    done = run("segment", "parts", "--components", "3", "--resamples", "0", "--quiet")
    assert done.exit_code == 0, done.output
    model = workplace / "parts-segments" / "model.json"
    query = ["--sql", "SELECT * FROM customers ORDER BY id", "--database", "crm.duckdb"]
    tables: list[Any] = [
        ["parts/*.parquet"],
        ["parts"],
        ["parts/0.parquet", "parts/1.parquet", "parts/2.parquet"],
    ]
    for number, given in enumerate([*tables, ["packed.csv.gz"], ["customers.csv"], query]):
        output = f"{number}.parquet"
        done = run("assign", model, *given, "--id", "id", "--output", output, "--quiet")
        assert done.exit_code == 0, done.output
        found = pl.read_parquet(workplace / output)
        assert [int(one) for one in found["id"]] == frame["id"].to_list()
        expected = pl.read_parquet(workplace / "parts-segments" / "segments.parquet")
        assert found.drop("id").equals(expected.drop("id"))


def test_select_advise_and_audience_take_several_files(run: Loop, workplace: Path) -> None:
    parts(workplace)
    done = run("select", "parts/*.parquet", "--components", "2,3", "--covariance-type", "full")
    assert done.exit_code == 0, done.output
    assert "*.parquet: 300 rows, 3 columns" in done.stdout
    assert (workplace / "table-selection" / "selection.csv").exists()
    done = run("advise", "--sql", "SELECT * FROM customers", "--database", "crm.duckdb")
    assert done.exit_code == 0, done.output
    assert "mixtura segment --sql 'SELECT * FROM customers' --database crm.duckdb" in done.stdout
    done = run("segment", "--components", "3", "--resamples", "0", "-q", *query_of("crm.duckdb"))
    assert done.exit_code == 0, done.output
    done = run("audience", "query-segments/model.json", "parts", "--segment", "1", "--top", "5")
    assert done.exit_code == 0, done.output


def query_of(database: str) -> list[str]:
    return ["--sql", "SELECT * FROM customers", "--database", database]


def test_a_table_or_a_query(refused: Callable[..., str], workplace: Path) -> None:
    assert "A table is required: the name of a file, or a query with --sql and --database" in refused(
        "segment"
    )
    assert "got 'a.csv' and a query" in refused("segment", "a.csv", *query_of("crm.duckdb"))
    assert "--sql and --database belong together" in refused("segment", "--sql", "SELECT 1")
    assert "No file matches 'none-*.parquet'" in refused("segment", "none-*.parquet")
    assert "There is no database 'none.duckdb'" in refused("segment", *query_of("none.duckdb"))


def test_a_large_table_is_worked_on_in_parts(
    run: Loop, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mixtura.cli import table_input
    from mixtura.segments import large
    from mixtura.segments.large import segment_source

    monkeypatch.setattr(table_input, "_may_be_large", lambda path: True)
    monkeypatch.setattr(large, "LARGE_ROWS", 1_000)
    monkeypatch.setattr(segment_source, "LARGE_ROWS", 1_000)
    frame = pl.concat([make_customers(as_frame="polars")] * 10).with_columns(id=pl.int_range(3000) + 5000)
    frame.write_parquet(workplace / "many.parquet")
    (workplace / "spool").mkdir()
    done = run("segment", "many.parquet", "--components", "3", "--resamples", "0", "--spool-dir", "spool")
    assert done.exit_code == 0, done.output
    assert "many.parquet: 3,000 rows, 3 columns" in done.stdout
    assert "chosen by 1,000 of 3,000 rows" in done.stdout
    assert list((workplace / "spool").iterdir()) == []
    found = pl.read_parquet(workplace / "many-segments" / "segments.parquet")
    assert found["id"].to_list() == frame["id"].to_list()
    done = run("assign", "many-segments/model.json", "many.parquet", "--output", "again.parquet")
    assert done.exit_code == 0, done.output
    assert "many.parquet: 3,000 customers" in done.stdout
    assert pl.read_parquet(workplace / "again.parquet").equals(found)
    done = run("advise", "many.parquet")
    assert "Looked at 1,000 of 3,000 rows, drawn at random." in " ".join(done.stdout.split())
    done = run("select", "many.parquet", "--components", "2,3", "--covariance-type", "full")
    assert done.exit_code == 0, done.output


def test_a_spool_folder_that_is_none(refused: Callable[..., str], customers: Path) -> None:
    assert "--spool-dir must be a folder" in refused("segment", "customers.csv", "--spool-dir", "none")


def test_segments_of_a_table_that_stays_in_its_database(run: Loop, workplace: Path) -> None:
    parts(workplace)
    done = run(
        "segment",
        "customers",
        "--database",
        "crm.duckdb",
        "--in-database",
        "--components",
        "3",
        "--resamples",
        "0",
    )
    assert done.exit_code == 0, done.output
    assert "customers: 300 rows" in done.output
    folder = workplace / "customers-segments"
    assert f"Written: {folder.name} (segments.sql, profiles.csv" in done.output
    with duckdb.connect(str(workplace / "crm.duckdb")) as connection:
        connection.execute((folder / "segments.sql").read_text(encoding="utf-8"))
        found = connection.execute(
            "SELECT count(*), count(DISTINCT id), max(segment) FROM segments"
        ).fetchone()
    assert found == (300, 300, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["customers", "--in-database"], "--in-database takes the table of a database; got none"),
        (["--in-database", "--database", "crm.duckdb"], "got 0 names and no query"),
        (["a", "b", "--in-database", "--database", "crm.duckdb"], "got 2 names and no query"),
    ],
)
def test_a_table_of_a_database_is_one_table_there(run: Loop, arguments: list[str], said: str) -> None:
    done = run("segment", *arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_customers_are_assigned_from_standard_input_to_standard_output(run: Loop, workplace: Path) -> None:
    parts(workplace)
    assert run("segment", "customers.csv", "--components", "3", "--resamples", "0", "--quiet").exit_code == 0
    model = workplace / "customers-segments" / "model.json"
    assert run("assign", model, "customers.csv", "--output", "wanted.csv").exit_code == 0
    wanted = (workplace / "wanted.csv").read_bytes()
    for name in ("customers.csv", "parts/0.parquet"):
        sent = CliRunner().invoke(app, ["assign", str(model), "-"], input=(workplace / name).read_bytes())
        assert sent.exit_code == 0, sent.stderr
        assert wanted.startswith(sent.stdout_bytes)
        assert len(sent.stdout_bytes.splitlines()) == {"customers.csv": 301, "parts/0.parquet": 101}[name]
    assert run("assign", model, "customers.csv", "--output", "-").stdout_bytes == wanted
    found = CliRunner().invoke(app, ["assign", str(model), "-", "--output", "found.csv"], input=wanted)
    assert (found.exit_code, (workplace / "found.csv").exists()) == (2, False)


@pytest.mark.parametrize(
    ("arguments", "sent", "said"),
    [
        (["-"], b"", "Standard input is empty"),
        (["-", "customers.csv"], b"id\n1\n", "'-' is one table, which comes from standard input; got others"),
    ],
)
def test_standard_input_is_one_table(workplace: Path, arguments: list[str], sent: bytes, said: str) -> None:
    done = CliRunner().invoke(app, ["assign", "model.json", *arguments], input=sent)
    assert done.exit_code == 2
    assert said in done.output
