"""Tables to files: CSV for spreadsheets, Parquet for programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from mixtura._optional import require_extra
from mixtura._typing import Array
from mixtura.exceptions import OutputError
from mixtura.io.outputs import writing

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TABLE_SUFFIXES", "write_table"]

TABLE_SUFFIXES = (".csv", ".parquet")
"""What `write_table` writes."""

_FORMULA = r"^([=+\-@\t\r])"


def write_table(
    path: str | Path, ids: Mapping[str, Array | nw.Series[Any]], columns: Mapping[str, Array], present: Array
) -> None:
    """Write columns to a CSV or Parquet file; the suffix says which.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv`` or ``.parquet``.
    ids : mapping of str to ndarray of numbers or narwhals Series, each of length N
        Written whole, and first.
    columns : mapping of str to ndarray (numbers, bool, or objects that are str), each of length N
        Written where `present`, empty elsewhere and where a masked array is masked.
    present : ndarray of shape (N,), bool

    Raises
    ------
    OutputError
        The suffix is another, or the file cannot be written.

    Notes
    -----
    A spreadsheet takes text that starts with ``=``, ``+``, ``-`` or ``@`` for a formula, and a table of customers may
    hold such text on purpose. In CSV it gets an apostrophe in front, in headers too. Numbers stay
    numbers; Parquet keeps all text.
    """
    path = Path(path)
    with require_extra("pyarrow", extra="cli", purpose="write tables"):
        import pyarrow as pa
    whole = {name: _arrow(values, np.ones_like(present)) for name, values in ids.items()}
    table = pa.table(whole | {name: _arrow(values, present) for name, values in columns.items()})
    with writing(path):
        if path.suffix.lower() == ".parquet":
            from pyarrow import parquet

            parquet.write_table(table, path)
        elif path.suffix.lower() == ".csv":
            _write_csv(table, path)
        else:
            raise OutputError(
                f"The name of the results must end in {' or '.join(TABLE_SUFFIXES)}; got {path.name!r}."
            )


def _arrow(values: Array | nw.Series[Any], present: Array) -> pa.Array:
    """Return an Arrow column over the memory of the values; `pyarrow.array` would load pandas to look for its types."""
    import pyarrow as pa

    if isinstance(values, nw.Series):
        return values.to_arrow()
    if isinstance(values, np.ma.MaskedArray):
        return _arrow(values.data, present & ~np.ma.getmaskarray(values))
    missing = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    if values.dtype == object:
        return _arrow_text(values, missing)
    if values.dtype == bool:
        bits = pa.py_buffer(np.packbits(values, bitorder="little"))
        return pa.Array.from_buffers(pa.bool_(), values.size, [missing, bits])
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, values.size, [missing, pa.py_buffer(np.ascontiguousarray(values))])


def _arrow_text(values: Array, missing: pa.Buffer | None) -> pa.Array:
    import pyarrow as pa

    encoded = [text.encode() for text in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    buffers = [missing, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), values.size, buffers)


def _write_csv(table: pa.Table, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import csv as arrow_csv

    structural = False
    for position, field in enumerate(table.schema):
        column = table.column(position)
        if pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.replace_substring_regex(column, _FORMULA, r"'\1")
            structural = structural or bool(pc.any(pc.match_substring_regex(column, '[",\r\n]')).as_py())
        table = table.set_column(position, field.name, column)
    table = table.rename_columns([re.sub(_FORMULA, r"'\1", name) for name in table.column_names])
    structural = structural or any(set(name) & set('",\r\n') for name in table.column_names)
    # Arrow quotes all text or none; files without a comma inside a cell read better without quotes.
    style = "needed" if structural else "none"
    arrow_csv.write_csv(table, path, arrow_csv.WriteOptions(quoting_style=style, quoting_header=style))
