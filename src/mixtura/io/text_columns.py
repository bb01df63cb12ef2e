"""Columns of text that are numbers, or true and false, become so, if nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MISSING_WORDS", "typed_column"]

MISSING_WORDS = ("", "na", "n/a", "#n/a", "nan", "null", "none")
"""What counts as missing in a column of numbers, whatever the case."""

_MISSING = f"^({'|'.join(MISSING_WORDS)})$"
_TRUE_OR_FALSE = "^(true|false)$"
_INTEGER = r"^[+-]?[0-9]{1,18}$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^(?i)[+-]?inf(inity)?$"
_DECIMAL_COMMA = r"^[+-]?[0-9]+(,[0-9]+)?$"
# 007 is a code, not seven: as a number it would lose what makes it one.
# Nor is a whole number that float64 or int64 cannot hold.
_CODE = r"^[+-]?(0[0-9]|[0-9]{19})"


def typed_column(column: pa.ChunkedArray, *, decimal_separator: str, exact: bool) -> pa.ChunkedArray:
    """Return the column as int64, float64 or bool if every value is one, else as text.

    Parameters
    ----------
    column : ChunkedArray of string
        Cells as they stand in the file. A blank cell is missing.
    decimal_separator : str
        ``","`` lets ``1,5`` be one and a half, as files separated by semicolons have it.
    exact : bool
        Become a number only if printing it gives the same text.
    """
    import pyarrow as pa
    from pyarrow import compute as pc

    # Not `pyarrow.scalar`, which loads pandas to look for its types.
    nothing = pa.nulls(1, pa.string())[0]
    trimmed = pc.utf8_trim_whitespace(column)
    lower = pc.utf8_lower(trimmed)
    text = pc.if_else(pc.match_substring_regex(trimmed, "^$"), nothing, column)
    missing = pc.match_substring_regex(lower, _MISSING)
    values = pc.if_else(missing, nothing, trimmed)
    present = values.drop_null()
    if len(present) == 0:
        return text
    if pc.all(pc.match_substring_regex(lower.filter(pc.invert(missing)), _TRUE_OR_FALSE)).as_py():
        return pc.match_substring_regex(pc.if_else(missing, nothing, lower), "^true$")
    numbers = _numbers(values, present, decimal_separator)
    if numbers is None or (exact and not _same_text(numbers, column)):
        return text
    return numbers


def _numbers(
    values: pa.ChunkedArray, present: pa.ChunkedArray, decimal_separator: str
) -> pa.ChunkedArray | None:
    import pyarrow as pa
    from pyarrow import compute as pc

    def every(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(present, pattern)).as_py())

    if pc.any(pc.match_substring_regex(present, _CODE)).as_py():
        return None
    if every(_INTEGER):
        # Arrow's parser knows no plus sign.
        return pc.cast(pc.utf8_ltrim(values, "+"), pa.int64())
    if every(_NUMBER):
        return pc.cast(values, pa.float64())
    if decimal_separator == "," and every(_DECIMAL_COMMA):
        return pc.cast(pc.replace_substring(values, ",", "."), pa.float64())
    return None


def _same_text(numbers: pa.ChunkedArray, column: pa.ChunkedArray) -> bool:
    import pyarrow as pa
    from pyarrow import compute as pc

    same = pc.all(pc.equal(pc.cast(numbers, pa.string()), column)).as_py()
    n_empty = pc.sum(pc.match_substring_regex(column, "^$")).as_py()
    return bool(same) and numbers.null_count == n_empty
