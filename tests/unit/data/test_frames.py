"""Frames of the library that the rows came in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mixtura.data.frames import frame_like

COLUMNS = {"k": [1, 2], "value": [1.5, None], "ended": ["well", None], "failure": [None, None]}


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_frame_gives_one_of_its_library(library) -> None:
    frame = frame_like(library({"x": [0.0]}), COLUMNS)
    assert type(frame) is type(library({"x": [0.0]}))
    back = pl.DataFrame(pa.table(frame) if library is not pl.DataFrame else frame.to_arrow())
    assert back.to_dict(as_series=False) == COLUMNS
    assert back.schema["value"] == pl.Float64
    assert back.schema["k"] == pl.Int64


@pytest.mark.parametrize("rows", [np.zeros((2, 1)), [[0.0], [1.0]], pl.LazyFrame({"x": [0.0]})])
def test_anything_else_gives_a_dict(rows) -> None:
    assert frame_like(rows, COLUMNS) == COLUMNS


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_whole_numbers_of_which_one_is_missing_stay_whole(library: str) -> None:
    table = pl.DataFrame({"x": [1.0]})
    found = frame_like(table if library == "polars" else table.to_arrow(), {"a": [1, None]})
    assert (found["a"].to_list() if library == "polars" else found["a"].to_pylist()) == [1, None]
    assert str(found["a"].dtype if library == "polars" else found["a"].type).lower() == "int64"
