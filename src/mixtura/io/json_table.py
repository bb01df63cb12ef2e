"""JSON tables: a list of objects, or one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura.data.sources.text.encoding import check_text, check_utf8
from mixtura.data.sources.text.table_errors import not_a_table
from mixtura.exceptions import TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["column_of", "read_json_table"]


def read_json_table(path: Path) -> pa.Table:
    """Read a list of objects, or one object per line; columns are their keys, in the order of first appearance.

    A single object may hold the list under one of its keys, or of those of objects within it; lists of values, which
    are columns; or objects alone: rows by label, or, where there are fewer of these than in each of them, columns of
    values by label; so all that pandas writes is read. Objects within a row become columns with a dot:
    ``address.city``.

    Raises
    ------
    TableError
        It is not valid JSON, not UTF-8, or holds something other than objects.
    """
    import pyarrow as pa

    check_text(path)
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        is_list = file.read(4096).lstrip()[:1] == "["
    if not is_list:
        try:
            table = _read_lines(path)
            if len(table) > 1:
                return _flat(table)
        except pa.ArrowInvalid:
            pass  # objects whose keys or types differ; Python reads them, or says what is wrong
    check_utf8(path)
    try:
        return _flat(_from_records(path, _records(path, is_list)))
    except TableError:
        raise
    except ValueError as error:
        raise TableError(not_a_table(path, f"it is not valid JSON ({error})")) from error


def _read_lines(path: Path) -> pa.Table:
    from pyarrow import json as arrow_json

    # In one block: Arrow takes types and keys from the first and refuses others in later ones.
    return arrow_json.read_json(path, arrow_json.ReadOptions(block_size=path.stat().st_size + 1))


def _flat(table: pa.Table) -> pa.Table:
    """Return the table with columns of objects as columns of their values."""
    import pyarrow as pa

    while any(pa.types.is_struct(one) for one in table.schema.types):
        table = table.flatten()
    return table


def _records(path: Path, is_list: bool) -> Iterable[Any]:
    text = path.read_text(encoding="utf-8-sig")
    if is_list:
        return list(json.loads(text))
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return _within(whole) if isinstance(whole, dict) else [whole]


def _within(whole: dict[str, Any]) -> list[Any]:
    """Return the rows that a single object holds; itself where it holds none."""
    lists = [one for one in whole.values() if _is_rows(one)]
    if len(lists) == 1:
        return list(lists[0])
    columns = _columns_within(whole)
    if columns is not None:
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    objects = [one for one in whole.values() if isinstance(one, dict) and one]
    if len(whole) < 2 or len(objects) < len(whole) or _are_apart(objects):
        lists = _lists_within(whole)
        return list(lists[0]) if len(lists) == 1 else [whole]
    if len(whole) >= min(map(len, objects)):
        return [{"label": label} | row for label, row in whole.items()]
    labels = dict.fromkeys(label for column in objects for label in column)
    return [
        {"label": label} | {name: column.get(label) for name, column in whole.items()} for label in labels
    ]


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _lists_within(value: dict[str, Any]) -> list[list[Any]]:
    """Return the lists of objects under the keys of an object and of objects within it."""
    found = [one for one in value.values() if _is_rows(one)]
    return found + [deep for one in value.values() if isinstance(one, dict) for deep in _lists_within(one)]


def _are_apart(objects: Sequence[dict[str, Any]]) -> bool:
    """Return whether no two objects have a key in common, as rows and columns have."""
    return len({key for one in objects for key in one}) == sum(map(len, objects))


def _columns_within(whole: dict[str, Any]) -> dict[str, list[Any]] | None:
    """Return the columns of an object of lists of values, or of names and lists of cells; None where it is neither."""
    names, cells = whole.get("columns"), whole.get("data")
    if isinstance(names, list) and isinstance(cells, list) and cells:
        rows = [row for row in cells if isinstance(row, list) and len(row) == len(names)]
        if len(rows) == len(cells):
            return {
                str(name): list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)
            }
    lists = [one for one in whole.values() if isinstance(one, list)]
    scalars = not any(isinstance(cell, list | dict) for one in lists for cell in one)
    if len(lists) == len(whole) and scalars and len(set(map(len, lists))) == 1 and len(lists[0]) > 1:
        return whole
    return None


def _from_records(path: Path, records: Iterable[Any]) -> pa.Table:
    """Return a table with the union of the keys."""
    import pyarrow as pa

    columns: dict[str, list[Any]] = {}
    n_rows = 0
    for n_rows, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise TableError(not_a_table(path, "it is a JSON list of something other than objects"))
        for name, value in record.items():
            values = columns.setdefault(name, [])
            values.extend([None] * (n_rows - 1 - len(values)))
            values.append(value)
    return pa.table(
        {name: column_of(values + [None] * (n_rows - len(values))) for name, values in columns.items()}
    )


def column_of(values: Sequence[Any]) -> pa.Array:
    """Return an Arrow column; text where the values are of several kinds."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pa.array([None if value is None else float(value) for value in values])
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else _text(value) for value in values])


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)
