"""Sources: each gives the same rows in the same order as the table it was made of, or says what is wrong."""

from __future__ import annotations

import gzip
import json
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyarrow import csv, feather, parquet

from mixtura import GaussianMixture
from mixtura.data import open as opening
from mixtura.data.sources import Source, open_source, read_whole, unread
from mixtura.data.sources.row_numbers import numbers_of
from mixtura.exceptions import ColumnError, ParameterError, TableError
from mixtura.io import find_source, read_table

N = 500


def table() -> pa.Table:
    rng = np.random.default_rng(0)
    group = rng.integers(2, size=N)
    return pa.table(
        {
            "id": [f"{number:04}" for number in range(N)],
            "x": rng.normal(4.0 * group).round(6),
            "y": [None if number % 50 == 3 else float(number) for number in range(N)],
        }
    )


def parquet_file(folder: Path) -> Any:
    parquet.write_table(table(), folder / "one.parquet", row_group_size=60)
    return folder / "one.parquet"


def parquet_pattern(folder: Path) -> Any:
    for number in range(3):
        parquet.write_table(table().slice(200 * number, 200), folder / f"part-{number}.parquet")
    return str(folder / "part-*.parquet")


def nested_folder(folder: Path) -> Any:
    (folder / "all" / "deep").mkdir(parents=True)
    parquet.write_table(table().slice(0, 100), folder / "all" / "a.parquet")
    parquet.write_table(table().slice(100), folder / "all" / "deep" / "b.parquet")
    (folder / "all" / "_SUCCESS").write_text("")
    return folder / "all"


def several_texts(folder: Path) -> Any:
    csv.write_csv(table().slice(0, 100), folder / "a.csv")
    csv.write_csv(table().slice(100), folder / "b.csv")
    return [folder / "a.csv", str(folder / "b.csv")]


def compressed_text(folder: Path) -> Any:
    csv.write_csv(table(), folder / "plain.csv")
    (folder / "a.csv.gz").write_bytes(gzip.compress((folder / "plain.csv").read_bytes()))
    return folder / "a.csv.gz"


def json_lines(folder: Path) -> Any:
    (folder / "a.jsonl").write_text(
        "\n".join(json.dumps(row) for row in table().to_pylist()), encoding="utf-8"
    )
    return folder / "a.jsonl"


def ipc_file(folder: Path) -> Any:
    feather.write_feather(table(), folder / "a.feather")
    return folder / "a.feather"


def ipc_stream(folder: Path) -> Any:
    with pa.OSFile(str(folder / "a.arrow"), "wb") as file, pa.ipc.new_stream(file, table().schema) as writer:
        writer.write_table(table(), 70)
    return folder / "a.arrow"


def arrow_table(_folder: Path) -> Any:
    return table()


def dataset(folder: Path) -> Any:
    return ds.dataset(parquet_file(folder))


def reader(_folder: Path) -> Any:
    return table().to_reader(max_chunksize=90)


class Capsule:
    """Rows that know nothing but the protocol."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return table().__arrow_c_stream__(requested_schema)


def capsule(_folder: Path) -> Any:
    return Capsule()


def duckdb_query(folder: Path) -> Source:
    with duckdb.connect(str(folder / "crm.duckdb")) as connection:
        connection.execute(f"CREATE TABLE customers AS SELECT * FROM '{parquet_file(folder)}'")
    return open_source(sql="SELECT id, x, y FROM customers;\n", database=folder / "crm.duckdb")


def sqlite_query(folder: Path) -> Source:
    pytest.importorskip("adbc_driver_sqlite")
    with sqlite3.connect(folder / "crm.db") as connection:
        connection.execute("CREATE TABLE customers (id TEXT, x REAL, y REAL)")
        rows = [tuple(row.values()) for row in table().to_pylist()]
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", rows)
    connection.close()
    return open_source(sql="SELECT id, x, y FROM customers", database=folder / "crm.db")


KINDS = [
    parquet_file, parquet_pattern, nested_folder, several_texts, compressed_text, json_lines, ipc_file, ipc_stream,
    arrow_table, dataset, reader, capsule, duckdb_query, sqlite_query,
]  # fmt: skip


def opened(made: Any) -> Source:
    return made if isinstance(made, Source) else open_source(made, as_text=lambda name: name == "id")


@pytest.mark.parametrize("make", KINDS, ids=lambda one: one.__name__)
def test_every_source_gives_the_rows_in_their_order(make: Callable[[Path], Any], tmp_path: Path) -> None:
    source = opened(make(tmp_path))
    assert source.columns == ("id", "x", "y")
    assert source.n_rows in {None, N}
    found = read_whole(source)
    for name in source.columns:
        assert found[name].to_pylist() == table()[name].to_pylist()


@pytest.mark.parametrize("make", KINDS, ids=lambda one: one.__name__)
def test_only_the_columns_asked_for_are_read(make: Callable[[Path], Any], tmp_path: Path) -> None:
    batches = list(opened(make(tmp_path)).batches(["y"]))
    assert {tuple(batch.schema.names) for batch in batches} == {("y",)}
    assert sum(batch.num_rows for batch in batches) == N


@pytest.mark.parametrize("spooled", [False, True])
@pytest.mark.parametrize("make", KINDS, ids=lambda one: one.__name__)
def test_an_estimator_learns_the_same_from_every_source(
    make: Callable[[Path], Any], spooled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_IN_MEMORY", 0 if spooled else 10**9)
    rows = np.column_stack([table()[name].to_numpy(zero_copy_only=False) for name in ("x", "y")])
    expected = GaussianMixture(2, random_state=0, missing="fiml").fit(rows)
    source = opened(make(tmp_path)).only(["x", "y"])
    found = GaussianMixture(2, random_state=0, missing="fiml").fit(source)
    np.testing.assert_array_equal(found.means_, expected.means_)
    np.testing.assert_array_equal(found.covariances_, expected.covariances_)


def test_decimals_integers_truth_and_gaps_become_numbers() -> None:
    given = pa.table(
        {
            "decimal": pa.array([None, "1.50", "-2.25"]).cast(pa.decimal128(8, 2)),
            "whole": pa.array([1, None, 2**40]),
            "truth": pa.array([True, False, None]),
            "float": pa.array([1.5, None, 2.5], pa.float32()),
        }
    ).slice(0, 3)
    (rows,) = numbers_of(open_source(given), given.column_names)
    nan = np.nan
    expected = [[nan, 1, 1, 1.5], [1.5, nan, 0, nan], [-2.25, 2.0**40, nan, 2.5]]
    np.testing.assert_array_equal(rows, expected)


def test_folders_of_partitions_are_columns(tmp_path: Path) -> None:
    for year in (2024, 2025):
        (tmp_path / "t" / f"year={year}" / "land=AT").mkdir(parents=True)
        parquet.write_table(
            pa.table({"x": [1.0, 2.0]}), tmp_path / "t" / f"year={year}" / "land=AT" / "p.parquet"
        )
    found = read_whole(open_source(tmp_path / "t"))
    assert found.to_pydict() == {
        "x": [1.0, 2.0, 1.0, 2.0], "year": [2024, 2024, 2025, 2025], "land": ["AT"] * 4
    }  # fmt: skip


def test_frames_are_no_sources_and_paths_are() -> None:
    import pandas as pd
    import polars as pl

    for frame in (
        table(),
        pd.DataFrame({"a": [1]}),
        pl.DataFrame({"a": [1]}),
        np.zeros((2, 2)),
        [[1.0]],
    ):
        assert not unread(frame)
    for given in ("a.parquet", Path("a"), ["a.csv", "b.csv"], table().to_reader(), Capsule()):
        assert unread(given)


# ---------------------------------------------------------------------------------------- bad input


def test_no_file_matches() -> None:
    with pytest.raises(TableError, match=r"No file matches 'nowhere/\*.parquet'"):
        open_source("nowhere/*.parquet")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(TableError, match=r"'gone.parquet' cannot be read"):
        open_source("gone.parquet")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="holds no table"):
        open_source(tmp_path)


def test_a_file_with_other_columns_is_named(tmp_path: Path) -> None:
    for number, names in enumerate((["a", "b"], ["a", "c"])):
        parquet.write_table(pa.table([[1.0], [2.0]], names=names), tmp_path / f"{number}.parquet")
        csv.write_csv(pa.table([[1.0], [2.0]], names=names), tmp_path / f"{number}.csv")
    for suffix in ("parquet", "csv"):
        with pytest.raises(
            TableError, match=rf"1.{suffix}' has other columns than .*0.{suffix}': it lacks 'b'"
        ):
            open_source(tmp_path / f"*.{suffix}")


def test_a_file_with_other_types_is_named(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1.0]}), tmp_path / "0.parquet")
    parquet.write_table(pa.table({"a": ["one"]}), tmp_path / "1.parquet")
    with pytest.raises(TableError, match=r"'a' is string in .*1.parquet' and double in"):
        open_source(tmp_path / "*.parquet")


def test_files_of_several_formats(tmp_path: Path) -> None:
    parquet.write_table(table(), tmp_path / "a.parquet")
    csv.write_csv(table(), tmp_path / "b.csv")
    with pytest.raises(TableError, match="Files of one format are required"):
        open_source(tmp_path)


def test_a_broken_page_names_its_file(tmp_path: Path) -> None:
    path = parquet_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[20 : len(content) // 2] = bytes(len(content) // 2 - 20)
    path.write_bytes(bytes(content))
    with pytest.raises(TableError, match=r"one.parquet' cannot be read as it says it is"):
        read_whole(open_source(path))


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match=r"a.parquet' cannot be read as it says it is"):
        open_source(tmp_path / "a.parquet")


def test_a_file_that_vanishes_between_passes(tmp_path: Path) -> None:
    source = open_source(parquet_file(tmp_path))
    read_whole(source)
    (tmp_path / "one.parquet").unlink()
    with pytest.raises(TableError, match="has vanished while the table was read"):
        read_whole(source)


def test_a_file_that_changes_between_passes(tmp_path: Path) -> None:
    source = open_source(several_texts(tmp_path))
    read_whole(source)
    with (tmp_path / "b.csv").open("a", encoding="utf-8") as file:
        file.write("x,1,2\n")
    with pytest.raises(TableError, match=r"b.csv' was changed while the table was read"):
        read_whole(source)


def test_a_stream_gives_its_rows_once() -> None:
    source = open_source(table().to_reader())
    read_whole(source)
    with pytest.raises(TableError, match="has been read already"):
        read_whole(source)


def test_a_stream_that_breaks_off() -> None:
    def batches() -> Any:
        yield table().to_batches()[0]
        raise OSError("the line is cut")

    broken = pa.RecordBatchReader.from_batches(table().schema, batches())
    with pytest.raises(TableError, match="broke off while it was read"):
        read_whole(open_source(broken))


def test_no_rows(tmp_path: Path) -> None:
    parquet.write_table(table().slice(0, 0), tmp_path / "a.parquet")
    with pytest.raises(TableError, match=r"has columns \(id, x, y\) and no rows"):
        read_whole(open_source(tmp_path / "a.parquet"))


def test_a_column_that_holds_words() -> None:
    with pytest.raises(ColumnError, match="The column 'id' of the RecordBatchReader holds string"):
        GaussianMixture(2).fit(open_source(table().to_reader()))


def test_a_query_and_its_database_belong_together(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="`sql` and `database` belong together"):
        open_source(sql="SELECT 1")
    with pytest.raises(ParameterError, match="`sql` must be a query"):
        open_source(sql=" ; ", database=tmp_path / "crm.duckdb")
    with pytest.raises(TableError, match="There is no database"):
        open_source(sql="SELECT 1", database=tmp_path / "crm.duckdb")


def test_a_query_that_the_database_refuses(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "crm.duckdb")):
        pass
    with pytest.raises(TableError, match="The database refuses the query"):
        open_source(sql="SELECT * FROM nothing", database=tmp_path / "crm.duckdb")


def test_passwords_are_not_shown() -> None:
    pytest.importorskip("adbc_driver_postgresql")
    with pytest.raises(TableError, match=r"postgresql://me@127.0.0.1:1/crm' cannot be reached") as caught:
        open_source(sql="SELECT 1", database="postgresql://me:secret@127.0.0.1:1/crm")
    assert "secret" not in str(caught.value)


def test_pieces_of_files_are_read_elsewhere(tmp_path: Path) -> None:
    """What travels to the workers of a cluster: the same rows, in the same order and types."""
    (tmp_path / "year=2025").mkdir()
    table = pa.table({"id": [f"{n:03}" for n in range(10)], "x": [n / 2 for n in range(10)]})
    parquet.write_table(table, tmp_path / "year=2025" / "a.parquet", row_group_size=3)
    parquet.write_table(table, tmp_path / "year=2025" / "b.parquet")
    source = open_source(tmp_path)
    assert source.pieces is not None
    pieces = pickle.loads(pickle.dumps(source.pieces()))
    assert [one.n_rows for one in pieces] == [10, 10]
    found = pa.Table.from_batches([batch for one in pieces for batch in one.batches(["year", "x", "id"])])
    assert found.equals(read_whole(source, ["year", "x", "id"]))
    pieces[0].path.write_bytes(b"")
    with pytest.raises(TableError, match=r"a.parquet' has 0 bytes where a worker reads it, and had"):
        next(pieces[0].batches(["x"]))
    pieces[1].path.unlink()
    with pytest.raises(TableError, match=r"b.parquet' cannot be read by a worker"):
        next(pieces[1].batches(["x"]))


def test_pieces_of_text_have_the_types_of_all_files_together(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code,x\n01,1\n02,2\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("code,x\nA3,0.5\n04,\n", encoding="utf-8")
    source = open_source([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert source.pieces is not None
    found = [batch for one in source.pieces() for batch in one.batches(["x", "code"])]
    assert pa.Table.from_batches(found).equals(read_whole(source, ["x", "code"]))
    assert found[0].to_pydict() == {"x": [1.0, 2.0], "code": ["01", "02"]}


@pytest.mark.parametrize(
    ("content", "n_pieces"),
    [
        ("Customers of 2024\n\nwho,x\n" + "".join(f"C{n:03},{n / 4}\n" for n in range(60)), 6),
        ("\ufeffwho;x\r\n" + "".join(f"\u00e4{n:03};{n},5\r\n" for n in range(60)) + "\r\n", 7),
        ("who,x\n" + "".join(f"C{n:03},{n}\n" for n in range(59)) + "C059,59", 5),
        ("who,x\n" + "".join(f'"C{n:03}\nof",{n}\n' for n in range(60)), 1),
        ("who,x\r" + "".join(f"C{n:03},{n}\r" for n in range(60)), 1),
    ],
    ids=["title", "decimal commas", "no end", "quoted", "no line feeds"],
)
def test_a_large_text_table_is_cut_at_the_ends_of_rows(
    content: str, n_pieces: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mixtura.data.sources.text.line_ranges._RANGE", 100)
    (tmp_path / "t.csv").write_bytes(content.encode())
    source = open_source(tmp_path / "t.csv")
    assert source.pieces is not None
    pieces = pickle.loads(pickle.dumps(source.pieces()))
    assert len(pieces) == n_pieces
    whole = read_whole(source, ["x", "who"])
    assert whole.num_rows == 60
    found = [batch for one in pieces for batch in one.batches(["x", "who"])]
    assert pa.Table.from_batches(found).to_pydict() == whole.to_pydict()
    assert sum(one.size for one in pieces) == len(content.encode())


def test_text_that_polars_writes_as_views_is_text(tmp_path: Path) -> None:
    pl.DataFrame({"who": ["a", "b"], "x": [1.0, 2.0]}).write_ipc(
        tmp_path / "t.arrow", compression="uncompressed"
    )
    source = open_source(tmp_path / "t.arrow")
    (batch,) = source.batches(["who"])
    assert source.schema.field("who").type == batch.column(0).type == pa.string()
    assert batch.column(0).to_pylist() == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        "name;amount, net;age\nab;1,5;20\ncd;-2,25;n/a\nef;;30,5\n",
        "Customers of 2024\n\nname;age\nab;1,5\ncd;2,5\n",
        "amount\n102,46\n44,77\n",
        "sep=;\na;b\n1,5;x\n2,5;y\n",
        "1200.5,3\n800,4\n650,7\n",
        "a,b,c\n1,2.5,true\n2,NA,false\n3,1e3,\n",
        "code,b\n007,1\n008,2\n",
        "a\tb\n1,5\t 2,5 \n3,5\t4,5\n",
        'a,b\n1,"x, y"\n2," "\n',
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_text_table_in_parts_is_the_table_that_is_read_whole(
    content: str, suffix: str, tmp_path: Path
) -> None:
    """What is divided, skipped, missing and a number is the same for small files and for large ones."""
    plain, path = tmp_path / "whole.csv", tmp_path / f"in-parts{suffix}"
    plain.write_text(content, encoding="utf-8")
    path.write_bytes(gzip.compress(content.encode()) if suffix.endswith("gz") else content.encode())
    whole, parts = read_table(plain).data, read_whole(find_source(path))
    assert parts.to_pydict() == whole.to_pydict()
    assert [str(one) for one in parts.schema.types] == [str(one) for one in whole.schema.types]


def test_a_number_that_is_none_beyond_the_first_rows_ends_reading(tmp_path: Path) -> None:
    """Types are decided by the first 100,000 rows; a further cell is not silently missing."""
    path = tmp_path / "long.csv"
    path.write_text("a;b\n" + "1,5;2\n" * 100_000 + "n/a;3\n" + "2,5;x\n")
    with pytest.raises(TableError, match=r"cannot be read as a table .*'x'"):
        read_whole(find_source(path))
    path.write_text("a;b\n" + "1,5;2\n" * 100_000 + "n/a;3\n")
    found = read_whole(find_source(path))
    assert found.num_rows == 100_001
    assert found.column("a").null_count == 1


@pytest.mark.parametrize(
    ("written", "kind"),
    [("2024-05-17", "date32[day]"), ("17.05.2024", "date32[day]"), ("2024-05-17 08:30:00", "timestamp[us]")],
)
def test_dates_in_text_are_dates(written: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text(f"day;a\n{written};1,5\n{written};2,5\n")
    found = read_whole(find_source(path))
    assert str(found.schema.field("day").type) == kind
    assert {str(one)[:10] for one in found.column("day").to_pylist()} == {"2024-05-17"}
