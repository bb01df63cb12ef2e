"""Pieces of a table in files: values that travel to other machines, which read the files where they see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixtura.data.sources.binary_files import naming, opened_file, read_batches
from mixtura.data.sources.files import FileSet
from mixtura.data.sources.text.dialect import literal
from mixtura.data.sources.text.line_ranges import TextQuery, line_ranges, range_as_file
from mixtura.data.sources.text.text_files import read_query
from mixtura.exceptions import TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FilePiece", "pieces_of_binary", "pieces_of_text"]


@dataclass(frozen=True, slots=True, eq=False)
class FilePiece:
    """Some consecutive rows of a table in files; pickles.

    Parameters
    ----------
    path : Path
        Of the one file that has them.
    kind : {"parquet", "ipc", "csv", "json"}
    n_bytes : int
        The size of the file.
    n_rows : int or None
        None where it is not known before they are read.
    schema : pyarrow.Schema
        Of the table.
    groups : tuple of int or None, default=None
        The row groups of a Parquet file; None for the whole file.
    partition : mapping of str to str, default={}
        Columns that folders say.
    query : str, default=""
        What DuckDB selects the rows of a text file from, with the types of all files together.
    span : tuple of int or None, default=None
        The bytes of a text file that hold the rows; None for the whole file.
    """

    path: Path
    kind: str
    n_bytes: int
    n_rows: int | None
    schema: pa.Schema
    groups: tuple[int, ...] | None = None
    partition: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    span: tuple[int, int] | None = None

    @property
    def size(self) -> int:
        """How much it is to read, beside other pieces: rows where they are known, else bytes."""
        whole = self.n_bytes if self.span is None else self.span[1] - self.span[0]
        return whole if self.n_rows is None else self.n_rows

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in order.

        Raises
        ------
        TableError
            The file is not here, has another size than it had, or cannot be read.
        """
        self._require_same()
        if self.kind in {"csv", "json"}:
            yield from self._text_batches(columns)
            return
        with naming(self.path), opened_file(self.path, self.kind) as opened:
            yield from read_batches(
                opened, self.kind, list(columns), dict(self.partition), self.schema, self.groups
            )

    def _text_batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        name, path = repr(str(self.path)), literal(str(self.path))
        if self.span is None:
            yield from read_query(self.query, columns, name)
            return
        with range_as_file(self.path, *self.span) as place:
            yield from read_query(self.query.replace(path, literal(str(place))), columns, name)

    def _require_same(self) -> None:
        try:
            now = self.path.stat().st_size
        except OSError as error:
            raise TableError(
                f"{str(self.path)!r} cannot be read by a worker ({error.strerror}). Every worker must see all files "
                "under the same names until the end, as on a shared disk."
            ) from error
        if now != self.n_bytes:
            raise TableError(
                f"{str(self.path)!r} has {now:,} bytes where a worker reads it, and had {self.n_bytes:,} at the "
                "beginning. Files must be the same for all, and stay as they are until the end."
            )


def pieces_of_binary(files: FileSet, kind: str, schema: pa.Schema) -> list[FilePiece]:
    """Return Parquet or Arrow files in pieces; those of Parquet have about as many rows as are read at a time."""
    found = []
    for path, (n_bytes, _) in zip(files.paths, files.stamps, strict=True):
        where: dict[str, Any] = {"schema": schema, "partition": files.partition(path)}
        whole = path.absolute(), kind, n_bytes
        if kind != "parquet":
            found.append(FilePiece(*whole, None, **where))
            continue
        with naming(path), opened_file(path, kind) as opened:
            found += [FilePiece(*whole, n, groups=held, **where) for held, n in _groups(opened.metadata)]
    return found


def pieces_of_text(
    files: FileSet, kind: str, schema: pa.Schema, queries: Mapping[Path, TextQuery]
) -> list[FilePiece]:
    """Return text tables in pieces: large ones cut at the ends of lines where these are ends of rows, others whole."""
    found = []
    for path, (n_bytes, _) in zip(files.paths, files.stamps, strict=True):
        query = queries[path.absolute()]
        spans = line_ranges(path, query)
        whole = path.absolute(), kind, n_bytes, None, schema
        if not spans:
            found.append(FilePiece(*whole, query=query.whole))
        found += [
            FilePiece(*whole, query=query.below if span[0] else query.whole, span=span) for span in spans
        ]
    return found


def _groups(metadata: Any) -> Iterator[tuple[tuple[int, ...], int]]:
    from mixtura.data.sources.binary_files import in_turn

    for held in in_turn(metadata):
        yield tuple(held), sum(metadata.row_group(number).num_rows for number in held)
