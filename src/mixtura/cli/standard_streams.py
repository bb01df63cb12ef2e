"""Tables from standard input and to standard output, named ``-``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mixtura.exceptions import ParameterError, TableError

__all__ = ["STANDARD", "received", "sent"]

STANDARD = "-"
"""What stands for standard input, and for standard output."""


@contextmanager
def received(tables: Sequence[str] | None) -> Iterator[list[str] | None]:
    """Give the names of tables, of which one may come from standard input: as a file that is gone at the end.

    Raises
    ------
    ParameterError
        It stands beside others, or standard input is a terminal.
    TableError
        Nothing comes.
    """
    if not tables or STANDARD not in tables:
        yield None if tables is None else list(tables)
        return
    if len(tables) > 1 or sys.stdin.isatty():
        raise ParameterError(
            "'-' is one table, which comes from standard input; got "
            f"{'a terminal' if len(tables) == 1 else 'others beside it'}. Try it behind a pipe, as in "
            "`cat new.csv | mixtura assign model.json -`."
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "standard input.csv"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        if not path.stat().st_size:
            raise TableError("Standard input is empty. A table with a header is required.")
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        yield [str(path.rename(path.with_suffix(".parquet")) if is_parquet else path)]


@contextmanager
def sent(
    path: Path, *, overwrite: bool, suffixes: Collection[str], inputs: Collection[Path]
) -> Iterator[Path]:
    """Give a name of a file to write, as `output_file` does, or one that goes to standard output as CSV at the end."""
    from mixtura.io import output_file

    if str(path) != STANDARD:
        with output_file(path, overwrite=overwrite, suffixes=suffixes, inputs=inputs) as writing:
            yield writing
        return
    with tempfile.TemporaryDirectory() as folder:
        yield (writing := Path(folder) / "assigned.csv")
        with writing.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
