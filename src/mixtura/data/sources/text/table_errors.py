"""What is said of files that cannot be read as tables."""

from __future__ import annotations

from pathlib import Path

__all__ = ["missing_file", "not_a_table"]


def missing_file(path: Path) -> str:
    """Return a message on a table that does not exist; it names the file with the closest name."""
    from difflib import get_close_matches

    message = f"There is no file {str(path)!r}. A table file (CSV, TSV, Parquet, JSON, Excel) is required."
    if not path.parent.is_dir():
        return f"{message} The directory {str(path.parent)!r} does not exist either."
    # Hidden files are seldom tables, and nobody means one that is being written.
    names = [entry.name for entry in path.parent.iterdir() if not entry.name.startswith(".")]
    near = get_close_matches(path.name, names, n=1)
    return f"{message} Did you mean {str(path.parent / near[0])!r}?" if near else f"{message} Check the path."


def not_a_table(path: Path, why: str) -> str:
    """Return a message on a file that is not a table; `why` may be the many lines of another library's error."""
    lines = [line.strip() for line in why.strip().splitlines()]
    # What DuckDB suggests are its own options.
    said = lines[: next((i for i, line in enumerate(lines) if i and (not line or "Possible" in line)), None)]
    why = "; ".join(said)[:300].rstrip(". ") if said else "unknown reason"
    return (
        f"{str(path)!r} is not a table that can be read: {why}. Required: one header, then rows with as many cells "
        "as the header. Open it in a spreadsheet and save it as CSV (UTF-8)."
    )
