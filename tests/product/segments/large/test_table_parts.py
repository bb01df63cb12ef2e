"""What workers of a cluster make of their part of a table, here: the same as of the whole, however it is cut."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mixtura.core.protocols import MixedRows
from mixtura.exceptions import DataError
from mixtura.segments.large.on_cluster.table_parts import FrameParts, common_schema, hold_part, outline_of
from mixtura.segments.large.table_reader import NeededColumns, ReadCounts, TableReader
from mixtura.segments.table.discrete.coding import coding_of
from mixtura.segments.table.discrete.kinds import ColumnKind

pd = pytest.importorskip("pandas")

KINDS = (
    ColumnKind("paid", "spike", "", (0.0,)),
    ColumnKind("visits", "count", ""),
    ColumnKind("land", "category", ""),
)


def table() -> Any:
    """Words are missing in the first rows; one is unknown to the coding, and a row has nothing."""
    frame = pd.DataFrame(
        {
            "paid": [0.0, 2.5, 0.0, np.nan, 7.0, 0.0, 1.5, 3.0],
            "visits": [1.0, 0, 2, np.nan, 1, np.nan, 0, 3],
            "land": [None, None, None, None, "AT", "XX", "DE", "AT"],
            "times": [1, 2, 1, 5, 1, 3, 2, 1],
        }
    )
    return frame.astype({"land": object})


@pytest.mark.parametrize("cuts", [[0, 8], [0, 4, 4, 8], [0, 1, 5, 8]])
def test_parts_hold_what_the_table_has(cuts: list[int]) -> None:
    frame = table()
    coding = coding_of(KINDS, frame, frame["land"].isin(["AT", "DE"]).to_numpy() | (np.arange(8) < 3), None)
    reader = TableReader.of(["paid"], coding, None, {}, drop_missing=False)
    needed = NeededColumns(reader, weight="times")
    pieces = [frame[a:b] for a, b in pairwise(cuts)]
    sizes, schemas = zip(*(outline_of([piece]) for piece in pieces), strict=True)
    parts = [FrameParts.of([piece], common_schema(schemas)) for piece in pieces]
    held = [hold_part(part, size, needed) for part, size in zip(parts, sizes, strict=True)]
    assert np.concatenate([one.complete for one in held]).tolist() == [True] * 3 + [False] + [True] * 4
    tables = [one.packed.table for one in held]
    assert all(isinstance(one, MixedRows) for one in tables)
    levels = np.concatenate([one.levels for one in tables if isinstance(one, MixedRows)])
    assert coding is not None
    starts, missing = coding.discrete.starts, coding.discrete.size - 1
    # Whether at zero; how often, the last for more; AT or DE.
    expected = [(1, 1, -1), (0, 0, -1), (1, 2, -1), (0, 1, 0), (1, -1, -1), (0, 0, 1), (0, 3, 0)]
    numbered = [[missing if one < 0 else one + starts[j] for j, one in enumerate(row)] for row in expected]
    assert levels.tolist() == numbered
    weights = np.concatenate([one.packed.sample_weight for one in held])
    assert weights.tolist() == [1.0, 2.0, 1.0, 1.0, 3.0, 2.0, 1.0]
    read = ReadCounts(reader)
    for one in held:
        read.merge(one.read)
    missing_values, unknown = read.notes
    said = "5 values are missing, in land (4, 57 %), visits (1, 14 %): 4 rows of 7 lack one."
    assert missing_values.startswith(said)
    assert unknown.startswith("land: 1 of 4 values are unknown to the model, such as 'XX'")


def test_types_are_those_of_all_parts() -> None:
    """Numbers with and without gaps, words and nothing."""
    first = pd.DataFrame({"x": [1, 2], "c": pd.Series([None, None], dtype=object)})
    second = pd.DataFrame({"x": [0.5], "c": pd.Series(["a"], dtype=object)})
    rows, schema = outline_of([first, second, second[:0]])
    assert rows == 3
    assert [str(kind) for kind in schema.types] == ["double", "string"]
    part = FrameParts.of([first, second], schema)
    found = [row for batch in part.batches(["c", "x"]) for row in batch.to_pylist()]
    assert found == [{"c": None, "x": 1.0}, {"c": None, "x": 2.0}, {"c": "a", "x": 0.5}]


@pytest.mark.parametrize("several", [[["a", 1]], [["a", "b"], [1, 2]]])
def test_words_and_numbers_in_one_column_are_refused(several: list[list[Any]]) -> None:
    frames = [pd.DataFrame({"c": pd.Series(one, dtype=object)}) for one in several]
    with pytest.raises(
        DataError, match=r"Each column of a dataframe on a cluster must hold values of one type"
    ):
        outline_of(frames)
