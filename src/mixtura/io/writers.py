"""Tables to files: CSV for spreadsheets, Parquet for programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from mixtura._optional import needs
from mixtura._typing import Array
from mixtura.exceptions import OutputError
from mixtura.io.outputs import writing

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["write_table"]

_FORMULA = r"^[=+\-@\t\r]"


def write_table(path: str | Path, columns: Mapping[str, Array | nw.Series[Any]], present: Array) -> None:
    """Write columns to a CSV or Parquet file; the suffix says which.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv`` or ``.parquet``.
    columns : mapping of str to ndarray or narwhals Series, each of length N
        Series are written whole; arrays only where `present`, and are empty elsewhere.
    present : ndarray of shape (N,), bool

    Raises
    ------
    OutputError
        The suffix is another, or the file cannot be written.

    Notes
    -----
    A spreadsheet takes text that starts with ``=``, ``+``, ``-`` or ``@`` for a formula, and a table of customers may
    hold such text on purpose. In CSV it gets an apostrophe in front. Numbers stay numbers; Parquet keeps all text as it is.
    """
    path = Path(path)
    with needs("pyarrow", extra="cli", purpose="write tables"):
        import pyarrow as pa
    table = pa.table({name: _arrow(values, present) for name, values in columns.items()})
    with writing(path):
        if path.suffix.lower() == ".parquet":
            from pyarrow import parquet

            parquet.write_table(table, path)
        elif path.suffix.lower() == ".csv":
            _write_csv(table, path)
        else:
            raise OutputError(
                f"{str(path)!r} has the suffix {path.suffix!r}. Results are written as .csv or .parquet. Choose one."
            )


def _arrow(values: Array | nw.Series[Any], present: Array) -> pa.Array:
    import pyarrow as pa

    if isinstance(values, nw.Series):
        return values.to_arrow()
    return pa.array(values, mask=~present)


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
            risky = pc.match_substring_regex(column, _FORMULA)
            column = pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
            structural = structural or bool(pc.any(pc.match_substring_regex(column, "[\",\r\n]")).as_py())
        table = table.set_column(position, field.name, column)
    structural = structural or any(set(name) & set('",\r\n') for name in table.column_names)
    # Arrow quotes all text or none; files without a comma inside a cell read better without quotes.
    style = "needed" if structural else "none"
    arrow_csv.write_csv(table, path, arrow_csv.WriteOptions(quoting_style=style, quoting_header=style))
