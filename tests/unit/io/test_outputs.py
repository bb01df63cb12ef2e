"""Results appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mixtura.exceptions import OutputError
from mixtura.io import (
    Computed,
    Words,
    output_directory,
    output_file,
    translate_os_errors,
    write_table,
    writers,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_directory_takes_its_name_at_the_end(tmp_path) -> None:
    with output_directory(tmp_path / "out", files=["a"]) as folder:
        (folder / "a").write_text("new")
        assert not (tmp_path / "out").exists()
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "a").read_text() == "new"
    assert (tmp_path / "out").stat().st_mode & 0o700 == 0o700


def test_a_directory_is_replaced_as_a_whole(tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b").write_text("old")
    with output_directory(tmp_path / "out", files=["a", "b"], overwrite=True) as folder:
        (folder / "a").write_text("new")
        assert names(tmp_path / "out") == ["b"]
    assert names(tmp_path / "out") == ["a"]
    assert names(tmp_path) == ["out"]


def test_the_old_directory_comes_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    rename = Path.rename

    def fail_for_new(self: Path, target: Path) -> Path:
        if (self / "a").exists() and (self / "a").read_text() == "new":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_new)
    with (
        pytest.raises(OutputError, match="Input/output error"),
        output_directory(tmp_path / "out", files=["a"], overwrite=True) as folder,
    ):
        (folder / "a").write_text("new")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "a").read_text() == "old"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_remains_of_a_failure(tmp_path, error) -> None:
    def fail_halfway() -> None:
        with (
            output_directory(tmp_path / "out", files=[]) as folder,
            output_file(tmp_path / "out.txt") as path,
        ):
            (folder / "a").write_text("half")
            path.write_text("half")
            raise error

    with pytest.raises(error):
        fail_halfway()
    assert names(tmp_path) == []


def test_files(tmp_path) -> None:
    with output_file(tmp_path / "a.txt") as path:
        assert path.suffix == ".txt"
        path.write_text("one")
    with pytest.raises(OutputError, match="exists already"), output_file(tmp_path / "a.txt"):
        pass
    with output_file(tmp_path / "a.txt", overwrite=True) as path:
        path.write_text("two")
    assert (tmp_path / "a.txt").read_text() == "two"
    assert names(tmp_path) == ["a.txt"]


def test_what_is_no_directory_is_not_replaced(tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(OutputError, match="not a directory"),
        output_directory(tmp_path / "file", files=[], overwrite=True),
    ):
        pass
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists already"), output_directory(tmp_path / "link", files=[]):
        pass


def test_an_error_of_the_system_names_the_place_the_user_knows(tmp_path) -> None:
    with (
        pytest.raises(OutputError, match=r"outer.*disk full"),
        translate_os_errors(Path("outer")),
        translate_os_errors(Path("inner")),
    ):
        raise OSError("disk full")


def test_a_table_with_gaps(tmp_path) -> None:
    present = np.array([True, False, True])
    columns = {
        "number": np.array([1, 2, 3]),
        "value": np.array([0.1 + 0.2, np.nan, 1e-300]),
        "flag": np.array([True, True, False]),
        "text": np.array(["=x", "b", "ü"], dtype=object),
    }
    ids = {"id": nw.from_native(pl.Series(["a", "b", "c"], dtype=pl.Categorical), series_only=True)}
    for name in ("t.csv", "t.parquet"):
        write_table(tmp_path / name, ids, columns, present)
    expected = {
        "id": ["a", "b", "c"],
        "number": [1, None, 3],
        "value": [0.1 + 0.2, None, 1e-300],
        "flag": [True, None, False],
    }
    parquet = pl.read_parquet(tmp_path / "t.parquet").with_columns(pl.col("id").cast(pl.String))
    assert parquet.to_dict(as_series=False) == expected | {"text": ["=x", None, "ü"]}
    assert pl.read_csv(tmp_path / "t.csv").to_dict(as_series=False) == expected | {"text": ["'=x", None, "ü"]}
    assert "a,1,0.30000000000000004,true,'=x" in (tmp_path / "t.csv").read_text()


def test_another_suffix_is_refused(tmp_path) -> None:
    with pytest.raises(OutputError, match=r"must end in \.csv, \.parquet, \.sav or \.dta; got 't\.doc'"):
        write_table(tmp_path / "t.doc", {}, {"a": np.array([1])}, np.array([True]))
    entered = []
    with pytest.raises(OutputError, match=r"must end in \.csv; got 't\.doc'\. Try 't\.csv'"):  # noqa: SIM117
        with output_file(tmp_path / "t.doc", suffixes=[".csv"]):
            entered.append(1)
    assert entered == names(tmp_path) == []


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_parts_of_a_table_make_the_whole(tmp_path, monkeypatch, suffix) -> None:
    rng, n = np.random.default_rng(0), 40
    codes, texts = rng.integers(0, 3, n), ("=1", "b, c", "d")
    present = rng.random(n) < 0.8
    kind = pl.Series([f"c{n % 7}" for n in range(n)], dtype=pl.Categorical)
    ids = {"id": nw.from_native(kind, series_only=True), "row": np.arange(n)}
    columns = {"name": np.array(texts, dtype=object)[codes], "value": rng.normal(size=n), "yes": codes > 1}
    columns["double"] = 2 * codes
    write_table(tmp_path / f"whole{suffix}", ids, columns, present)
    monkeypatch.setattr(writers, "_ROWS", {suffix: 7})
    columns |= {"name": Words(texts, codes), "double": Computed(lambda rows: 2 * codes[rows])}
    write_table(tmp_path / f"parts{suffix}", ids, columns, present)
    read = pl.read_csv if suffix == ".csv" else pl.read_parquet
    whole = read(tmp_path / f"whole{suffix}")
    assert_frame_equal(whole, read(tmp_path / f"parts{suffix}"), categorical_as_str=True)
    assert whole["name"].null_count() == n - present.sum()
    if suffix == ".csv":
        assert whole.height == n
        assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "parts.csv").read_bytes()


def test_a_link_stays_and_leads_to_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("before")
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "real" / "a.txt")
    with pytest.raises(OutputError, match="exists already"), output_file(link):
        pass
    with output_file(link, overwrite=True) as path:
        path.write_text("after")
    assert link.is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "after"
    assert [one.name for one in (tmp_path / "real").iterdir()] == ["a.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with (
        pytest.raises(OutputError, match="is a device or a pipe"),
        output_file(tmp_path / "pipe.csv", overwrite=True),
    ):
        pass
    assert (tmp_path / "pipe.csv").is_fifo()
