"""Tables from files as people have them."""

from __future__ import annotations

import datetime as dt
import gzip
import re
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from mixtura.exceptions import ColumnError, OptionalDependencyError, TableError
from mixtura.io import looks_like_date, looks_like_id, read_table, to_float64


@pytest.fixture
def read(tmp_path):
    def write_and_read(content: str | bytes, name: str = "table.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, **options).data.to_pydict()

    return write_and_read


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfid,x\n1,2\n", {"id": [1], "x": [2]}),
        (b"id,x\r\n1,2\r\n\r\n3,4", {"id": [1, 3], "x": [2, 4]}),
        (b"id;x;y\n1;1,5;a,b\n2;2;c\n", {"id": [1, 2], "x": [1.5, 2.0], "y": ["a,b", "c"]}),
        (b"id|x\n1|2.5\n", {"id": [1], "x": [2.5]}),
        (b"a\tb\n1\t2\n", {"a": [1], "b": [2]}),
        (b'"a, b",c\n"1","x, y"\n', {"a, b": [1], "c": ["x, y"]}),
        (b'a,b\n1,"two\nlines"\n', {"a": [1], "b": ["two\nlines"]}),
        (b"a,b,\n1,2,\n", {"a": [1], "b": [2], "column_3": [None]}),
        (b" a , b\n 1, 2\n", {"a": [1], "b": [2]}),
        (b"a\n1\n\n3\n", {"a": [1, None, 3]}),
        (b"a,b\n1,\nNA,2\nnull,NaN\n", {"a": [1, None, None], "b": [None, 2, None]}),
        (b"a,b\n1e5,.5\n-inf,-1.\n", {"a": [1e5, -np.inf], "b": [0.5, -1.0]}),
        (b"a,b\n+1,TRUE\n-2,false\n", {"a": [1, -2], "b": [True, False]}),
        (b"zip\n00123\n10115\n", {"zip": ["00123", "10115"]}),
        (b"number\n12345678901234567890\n1\n", {"number": ["12345678901234567890", "1"]}),
        (b"price\n$1\n2\n", {"price": ["$1", "2"]}),
        (b"a,b\nNA,x\n,y\n", {"a": ["NA", None], "b": ["x", "y"]}),
    ],
)
def test_delimited_text(read, content, expected) -> None:
    assert read(content) == expected


def test_a_name_of_a_file_may_have_quotes(read) -> None:
    assert read("a;b\n1;x\n", name="o'neil's \"best\".csv") == {"a": [1], "b": ["x"]}


@pytest.mark.parametrize("text", ["1.50", "+5", "1e3", " 7", "2.0"])
def test_ids_come_back_as_they_stand(read, text) -> None:
    assert read(f"key,name\n{text},a\n3,b\n")["key"] == [text, "3"]
    assert read(f"x,name\n{text},a\n3,b\n", text=["x"])["x"] == [text, "3"]
    assert read(f"x,name\n{text},a\n3,b\n")["x"] == [float(text), 3]


def test_whole_ids_stay_numbers(read) -> None:
    assert read("customer_id,x\n17,1\n,2\n4,3\n")["customer_id"] == [17, None, 4]


def test_json(read) -> None:
    assert read('{"a": 1, "b": "x"}\n{"a": 2.5}\n', "t.jsonl") == {"a": [1.0, 2.5], "b": ["x", None]}
    assert read(' [{"a": 1}, {"a": 2}]', "t.json") == {"a": [1, 2]}
    with pytest.raises(TableError, match="not valid JSON"):
        read('[{"a": 1}', "t.json")
    with pytest.raises(TableError, match="no columns"):
        read("[{}]", "t.json")


def test_parquet_keeps_types(tmp_path) -> None:
    frame = pl.DataFrame({"id": ["007"], "x": [1.5], "day": [__import__("datetime").date(2024, 1, 2)]})
    frame.write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").data.to_pydict() == frame.to_dict(as_series=False)


def test_excel(tmp_path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["id", "x", "mixed", None], [1, 2, "a", None], [None] * 4, [2, 2.5, 3, None]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    expected = {"id": [1, 2], "x": [2.0, 2.5], "mixed": ["a", "3"]}
    assert read_table(tmp_path / "t.xlsx").data.to_pydict() == expected
    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    with pytest.raises(TableError, match="its sheets are empty"):
        read_table(tmp_path / "empty.xlsx")


def test_excel_without_its_library(tmp_path, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "python_calamine", None)
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    with pytest.raises(OptionalDependencyError, match=r"mixtura\[excel\]") as caught:
        read_table(tmp_path / "t.xlsx")
    assert (caught.value.package, caught.value.extra) == ("python-calamine", "excel")


def test_a_name_that_stands_twice(read) -> None:
    with pytest.raises(ColumnError) as caught:
        read("a,b,a\n1,2,3\n")
    assert caught.value.column == "a"


def test_bad_bytes_are_found_in_a_long_file(tmp_path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 400_000 + b"\xff,1\n")
    with pytest.raises(TableError, match="byte 0xFF in line 400002"):
        read_table(path)


def test_a_character_across_two_reads_is_no_error(tmp_path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"a\n" + b"x" * ((1 << 20) - 3) + "é\n".encode() + b"y\n")
    assert read_table(path).n_rows == 2


def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")

    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(TableError, match="Permission denied"):
        read_table(path)


def test_a_directory_that_does_not_exist() -> None:
    with pytest.raises(TableError, match="does not exist either"):
        read_table("no/such/table.csv")


@pytest.mark.parametrize(
    ("name", "is_id"),
    [("CustomerID", True), ("CUST_ID", True), ("customerid", True), ("id", True), ("client no", True), ("row", True),
     ("userKey", True), ("paid", False), ("Annual Income (k$)", False), ("orders", False), ("", False), ("no", False),
     ("age of customer", False)],
)  # fmt: skip
def test_names_of_ids(name, is_id) -> None:
    assert looks_like_id(name) is is_id


def test_names_of_dates() -> None:
    assert looks_like_date("birth_date")
    assert not looks_like_date("update")
    assert not looks_like_date("...")


@pytest.mark.parametrize("backend", ["pyarrow", "pandas", "polars"])
def test_values_of_any_frame(backend) -> None:
    frame = nw.from_dict({"x": [1, None, 3]}, backend=backend)
    np.testing.assert_array_equal(to_float64(frame["x"]), [1, np.nan, 3])


def test_values_of_chunks() -> None:
    column = nw.from_native(pa.chunked_array([[1.5], [], [None, 2.0]], type=pa.float64()), series_only=True)
    np.testing.assert_array_equal(to_float64(column), [1.5, np.nan, 2])
    empty = nw.from_native(pa.chunked_array([], type=pa.float64()), series_only=True)
    assert to_float64(empty).shape == (0,)


@pytest.mark.parametrize(
    ("content", "expected", "note"),
    [
        ('id,"x\nin $"\na,1\nb,2\n', {"id": ["a", "b"], "x in $": [1, 2]}, None),
        ('id,"x\n in $"\r\na,1\r\nb,2\r\n', {"id": ["a", "b"], "x in $": [1, 2]}, None),
        ('sep=;\nid;"x\r\n\r\ny"\na;1,5\nb;2\n', {"id": ["a", "b"], "x y": [1.5, 2.0]}, None),
        ("sep=;\nid;x\na;1,5\nb;2\n", {"id": ["a", "b"], "x": [1.5, 2.0]}, None),
        ('"sep=\t"\nid\tx\na\t1\n', {"id": ["a"], "x": [1]}, None),
        ("Customers of 2024\n\nid,x,y\na,1,2\nb,3,4\n", {"id": ["a", "b"], "x": [1, 3], "y": [2, 4]},
            "'Customers of 2024'"),
        ("Customers;;\nof 2024;;\nid;x;y\na;1;2\nb;3;4\n", {"id": ["a", "b"], "x": [1, 3], "y": [2, 4]}, "'of 2024'"),
        ("1200.5,3\n800,4\n", {"column_1": [1200.5, 800], "column_2": [3, 4]}, "numbers, not names"),
        ("7\n3\n9\n", {"column_1": [7, 3, 9]}, "numbers, not names"),
        # Years, and the positions that dataframes write, are names.
        ("2022,2023\n5,6\n", {"2022": [5], "2023": [6]}, None),
        ("0,1,2\n5,6,7\n", {"0": [5], "1": [6], "2": [7]}, None),
        (",x\n0,5\n1,6\n", {"column_1": [0, 1], "x": [5, 6]}, None),
        ("a,\n1,2\n", {"a": [1], "column_2": [2]}, None),
        ("name\nSmith\n", {"name": ["Smith"]}, None),
        ("'a, b',c\n'1, x',2\n'3, y',4\n", {"a, b": ["1, x", "3, y"], "c": [2, 4]}, None),
    ],
)  # fmt: skip
def test_what_stands_above_the_rows(tmp_path, content, expected, note) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    table = read_table(path)
    assert table.data.to_pydict() == expected
    assert (note is None and not table.notes) or note in table.notes[0]


def test_fifty_rows_of_numbers_without_a_header_are_fifty_rows(read) -> None:
    rows = np.random.default_rng(0).normal(1000, 50, size=(50, 2)).round(2)
    content = "".join(f"{a},{b}\n" for a, b in rows.tolist())
    np.testing.assert_array_equal(np.transpose(list(read(content).values())), rows)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # Every cell has a decimal comma: commas would divide all rows alike, too.
        ("a;b\n1,5;2,5\n3,5;4,5\n", {"a": [1.5, 3.5], "b": [2.5, 4.5]}),
        (
            "a;b\n1,5;1.372,20 \u20ac\n3,5;22,10 \u20ac\n",
            {"a": [1.5, 3.5], "b": ["1.372,20 \u20ac", "22,10 \u20ac"]},
        ),
        ("1,5;2,5\n3,5;4,5\n5,5;6,5\n", {"column_1": [1.5, 3.5, 5.5], "column_2": [2.5, 4.5, 6.5]}),
        ("a\tb\n1,5\t2,5\n3,5\t4,5\n", {"a": [1.5, 3.5], "b": [2.5, 4.5]}),
        # A name with a comma, above one decimal comma in each row; and a table of one column.
        ("id;b, net\n1,5;2,5\n3,5;4\n", {"id": ["1,5", "3,5"], "b, net": [2.5, 4.0]}),
        ("k;b, net\n1;2,5\n3;4,5\n", {"k": [1, 3], "b, net": [2.5, 4.5]}),
        ("amount\n102,46\n44,77\n", {"amount": [102.46, 44.77]}),
        # Numbers beside a semicolon are cells; commas then hold two numbers together.
        ("k;lat,lon\n0;50.45,8.97\n1;51.84,8.66\n", {"k": [0, 1], "lat,lon": ["50.45,8.97", "51.84,8.66"]}),
        # Texts with a semicolon in every row stay texts.
        ("a,b;c\n1,x;y\n2,z;w\n", {"a": [1, 2], "b;c": ["x;y", "z;w"]}),
    ],
)
def test_decimal_commas_do_not_divide_cells(read, content, expected) -> None:
    assert read(content) == expected


@pytest.mark.parametrize(
    ("first", "is_data"),
    [
        ("C0,20.6,372.2", True),
        ("C0,20,372", True),
        ("id,20,30", False),
        ("K0x,20,30", False),
        ("q1,q2,q3", False),
    ],
)
def test_a_first_line_that_is_built_as_the_others_is_a_row(read, first, is_data) -> None:
    found = read(f"{first}\nC1,19.3,338.2\nC2,21,333.5\n")
    assert len(next(iter(found.values()))) == (3 if is_data else 2)
    assert ("column_1" in found) == is_data


@pytest.mark.parametrize(("level", "is_data"), [("web", True), ("channel", False)])
def test_a_first_line_with_a_category_that_is_found_below_is_a_row(read, level, is_data) -> None:
    found = read(f"n0,20.6,7.8,{level}\nn1,19.3,6.9,shop\nn2,21.5,8.1,web\n")
    assert len(next(iter(found.values()))) == (3 if is_data else 2)


@pytest.mark.parametrize("content", ["a,b\n1,2\n3\n", "a,b\n1,2\n3,4,5\n"])
def test_a_row_of_another_length_is_named(read, content) -> None:
    with pytest.raises(TableError, match="Line: 3"):
        read(content)


def test_line_ends_of_several_kinds_and_quotes(read) -> None:
    assert read(b"a,b\r1,2\r") == {"a": [1], "b": [2]}
    assert read(b'a,b\n1,"x ""y"""\n') == {"a": [1], "b": ['x "y"']}
    assert read(b'a,b\n1,5" pipe\n') == {"a": [1], "b": ['5" pipe']}


def test_what_differs_only_far_below(read) -> None:
    """Types are those of all rows, not of the first."""
    assert read("a\n" + "1\n" * 3000 + "2.5\n")["a"][-2:] == [1.0, 2.5]
    assert read("a\n" + "1\n" * 3000 + "x\n")["a"][-2:] == ["1", "x"]
    assert read("a\n" + "1\n" * 3000 + "007\n")["a"][-2:] == ["1", "007"]
    assert read("a,b\n" + ",1\n" * 3000 + "3,1\n")["a"][-2:] == [None, 3]
    assert read("a\n" + "true\n" * 3000 + "no\n")["a"][-2:] == ["true", "no"]
    assert read("id;x\n" + "a;1\n" * 3000 + "a;2,5\n")["x"][-2:] == [1.0, 2.5]


def test_json_has_the_columns_of_all_objects(read) -> None:
    rows = '{"id":"a","x":1}', '{"id":"b","x":2,"y":3}'
    expected = {"id": ["a", "b"], "x": [1, 2], "y": [None, 3]}
    assert read(f"[{','.join(rows)}]", "t.json") == expected
    assert read("\n".join(rows), "t.jsonl") == expected
    many = "\n".join(['{"a": 1}'] * 300_000 + ['{"b": "x", "a": 2}'])
    assert list(read(many, "t.jsonl")) == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        '{"status": "ok", "data": [{"label": "a", "x": 1}, {"label": "b", "x": 2}]}',
        '{"a": {"x": 1}, "b": {"x": 2}}',
        '{\n "a": {"x": 1},\n "b": {"x": 2}\n}',
        '{"meta": {"n": 2, "page": [1, 2]}, "data": {"customers": [{"label": "a", "x": 1}, {"label": "b", "x": 2}]}}',
        '{"status": "ok", "data": {"customers": [{"label": "a", "x": 1}, {"label": "b", "x": 2}]}}',
        '{"label": ["a", "b"], "x": [1, 2]}',
    ],
)
def test_rows_within_a_json_object(read, content) -> None:
    assert read(content, "t.json") == {"label": ["a", "b"], "x": [1, 2]}


def test_json_as_pandas_writes_it_and_objects_within_rows(read) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5, 3.5], "y": [1, 2, 3]})
    expected = {"x": [1.5, 2.5, 3.5], "y": [1, 2, 3]}
    assert read(frame.to_json(), "t.json") == {"label": ["0", "1", "2"], **expected}
    assert read(frame.to_json(orient="index"), "t.json") == {"label": ["0", "1", "2"], **expected}
    for orient in ("records", "split"):
        assert read(frame.to_json(orient=orient), "t.json") == expected
    assert read(frame.to_json(orient="table", index=False), "t.json") == expected
    rows = '{"id": 1, "m": {"x": 2, "at": {"y": 3}}}', '{"id": 4, "m": {"x": 5, "at": {"y": 6}}}'
    nested = {"id": [1, 4], "m.x": [2, 5], "m.at.y": [3, 6]}
    assert read("\n".join(rows), "t.jsonl") == nested
    assert read(f"[{','.join(rows)}]", "t.json") == nested
    assert read('{"x": 1, "y": 2}', "t.json") == {"x": [1], "y": [2]}


def test_a_json_list_of_numbers_is_valid_json_and_no_table(read) -> None:
    with pytest.raises(TableError, match="objects") as raised:
        read("[1, 2, 3]", "t.json")
    assert "not valid JSON" not in str(raised.value)
    assert read('{"x": [1, 2], "y": [[3], [4]]}', "t.json") == {"x": [[1, 2]], "y": [[[3], [4]]]}


def test_json_of_several_types_is_text(read) -> None:
    assert read('{"x": 1}\n{"x": "n.b."}\n{"x": 2.5}\n', "t.jsonl") == {"x": ["1", "n.b.", "2.5"]}
    assert read('[{"x": 1}, {"x": 2.5}, {"x": null}]', "t.json") == {"x": [1.0, 2.5, None]}
    with pytest.raises(TableError, match="other than objects"):
        read("1\n2\n", "t.jsonl")


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


def test_a_cover_sheet_and_titles_in_excel(tmp_path) -> None:
    rows = [["id", "x"], ["a", 1], ["b", 2.5]]
    expected = {"id": ["a", "b"], "x": [1.0, 2.5]}
    table = read_table(workbook(tmp_path / "cover.xlsx", Cover=[["Report"], ["of 2024"]], Data=rows))
    assert table.data.to_pydict() == expected
    assert table.notes == ("Read: the sheet 'Data'. Not read: 'Cover'.",)
    table = read_table(workbook(tmp_path / "title.xlsx", Data=[["Report of 2024"], [], *rows]))
    assert table.data.to_pydict() == expected
    assert table.notes == ("Not read: 1 row above the header.",)
    table = read_table(workbook(tmp_path / "bare.xlsx", Data=[[1.5, 2], [3.5, 4]]))
    assert table.data.to_pydict() == {"column_1": [1.5, 3.5], "column_2": [2, 4]}
    assert "columns are numbered" in table.notes[0]


def test_dates_and_truth_values_in_excel(tmp_path) -> None:
    day = dt.datetime(2024, 1, 2)
    rows = [["day", "time", "member"], [day, day, True], [None, day.replace(hour=3), False]]
    data = read_table(workbook(tmp_path / "t.xlsx", Data=rows)).data.to_pydict()
    assert data["day"] == [day.date(), None]
    assert data["time"] == [day, day.replace(hour=3)]
    assert data["member"] == [True, False]


def test_without_cells_the_size_and_the_names_stay(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    parquet.write_table(pa.table({"a": [1.5, 2.5], "b": ["x", None]}), path)
    shown = read_table(path).without_cells()
    assert (shown.n_rows, shown.columns, shown.path) == (2, ("a", "b"), path)
    assert shown.data.nbytes == 0


def test_a_parquet_table_is_what_arrow_reads(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table = pa.table(
        {
            "number": pa.array([1.5, None, 3.0]),
            "id": pa.array(["x", "y", None]),
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
            "nested": pa.array([[1, 2], [], None]),
            "point": pa.array([{"x": 1, "y": 2}, None, {"x": 3, "y": None}]),
        }
    )
    parquet.write_table(table, path, row_group_size=2)
    assert read_table(path).data.to_pydict() == table.to_pydict()
    assert read_table(path).data.schema.equals(parquet.read_table(path).schema)


@pytest.mark.parametrize(
    ("above", "name", "n_rows"),
    [
        ("Report of March\nincome\n", "income", 5),
        ("Report\n\nincome\n", "income", 5),
        ("Report of March 2024\n\nIncome in thousands\n", "Income in thousands", 5),
        ("Income in thousands\n", "Income in thousands", 5),
        ("income\nunknown\n", "income", 6),
        ("Income of all customers\nno answer given\n", "Income of all customers", 6),
    ],
    ids=["title", "an empty line", "long names", "no title", "an odd cell", "a long odd cell"],
)
def test_a_title_above_a_single_column_is_not_its_name(
    tmp_path: Path, above: str, name: str, n_rows: int
) -> None:
    (tmp_path / "one.csv").write_text(above + "41.5\n38.2\n55.1\n47.9\n61.2\n")
    table = read_table(tmp_path / "one.csv")
    assert table.data.column_names == [name]
    assert table.data.num_rows == n_rows


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (
            b"PK\x03\x04 table.csv",
            "a.csv.zip",
            "is a ZIP archive, not a table as text. Unpack it, or compress",
        ),
        (
            b"PK\x03\x04 [Content_Types].xml",
            "a.csv",
            "is an Excel workbook, not a table as text. Give it the suffix",
        ),
        (b"BZh91AY", "a.csv.bz2", "is compressed by bzip2"),
        (
            gzip.compress(b"a,b\n1,2\n", mtime=0),
            "a.csv",
            "is compressed by gzip, not a table as text. Give it a suffix",
        ),
    ],
)
def test_compressed_files_say_what_they_are(tmp_path, content, name, said) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TableError, match=re.escape(said)):
        read_table(path)
