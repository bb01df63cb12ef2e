"""Files: one or many, by path, pattern or folder, of one format; compressed ones too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from glob import has_magic, iglob
from pathlib import Path

from mixtura.exceptions import TableError

__all__ = ["FORMATS", "FileSet", "find_files", "format_of"]

FORMATS = {
    "parquet": (".parquet", ".pq"),
    "ipc": (".arrow", ".feather", ".ipc"),
    "csv": (".csv", ".tsv", ".tab", ".txt"),
    "json": (".jsonl", ".ndjson", ".json"),
}
"""What can be read in batches, and the suffixes that say so."""

_COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files that are read one after the other.

    Parameters
    ----------
    paths : tuple of Path
    stamps : tuple of (int, int)
        Size and time of the last change of each, when they were found.
    root : Path or None
        The folder they were found in, whose parts such as ``year=2025`` are columns.
    """

    paths: tuple[Path, ...]
    stamps: tuple[tuple[int, int], ...]
    root: Path | None = None

    @property
    def name(self) -> str:
        first = repr(str(self.paths[0] if self.root is None else self.root))
        more = len(self.paths) - 1
        return first if not more or self.root is not None else f"{first} and {more} more files"

    @property
    def n_bytes(self) -> int:
        return sum(size for size, _ in self.stamps)

    def partition(self, path: Path) -> dict[str, str]:
        """Return the columns that folders say of a file, such as year=2025."""
        if self.root is None:
            return {}
        parts = (part.split("=", 1) for part in path.relative_to(self.root).parts[:-1] if "=" in part)
        return dict((name, value) for name, value in parts)  # noqa: C402 -- pairs of texts, not lists

    def check(self, path: Path) -> None:
        """Raise `TableError` where a file has vanished, or is not what it was when it was found."""
        before = self.stamps[self.paths.index(path)]
        try:
            now = _stamp(path)
        except OSError as error:
            raise TableError(
                f"{str(path)!r} has vanished while the table was read ({error.strerror}). All files are required until "
                "the end. Nothing was written; put it back and repeat."
            ) from error
        if now != before:
            raise TableError(
                f"{str(path)!r} was changed while the table was read. Files must stay as they are until the end. "
                "Nothing was written; repeat with a copy that nobody writes to."
            )


def find_files(given: str | Path | Sequence[str | Path]) -> FileSet:
    """Return the files of a path, a pattern such as ``sales/*.parquet``, a folder, or several of these.

    Raises
    ------
    TableError
        There are none.
    """
    several = [given] if isinstance(given, str | Path) else list(given)
    if len(several) == 1 and Path(several[0]).is_dir():
        root = Path(several[0])
        return _file_set(_of_folder(root), root)
    return _file_set([path for one in several for path in _of_one(one)], None)


def _file_set(paths: Sequence[Path], root: Path | None) -> FileSet:
    if not paths:
        raise TableError("No file was given. At least one path, pattern or folder is required.")
    try:
        return FileSet(tuple(paths), tuple(_stamp(path) for path in paths), root)
    except OSError as error:
        raise TableError(f"{error.filename!r} cannot be read ({error.strerror}). Check the name.") from error


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _of_one(given: str | Path) -> list[Path]:
    path, text = Path(given), str(given)
    if path.is_dir():
        return _of_folder(path)
    if path.exists() or not has_magic(text):
        return [path]
    found = sorted(Path(one) for one in iglob(text, recursive=True) if Path(one).is_file())  # noqa: PTH207 -- patterns may be absolute
    if not found:
        raise TableError(f"No file matches {text!r}. Check the folder, and the pattern.")
    return found


def _of_folder(folder: Path) -> list[Path]:
    """Return the tables below a folder, in the order of their names; what starts with a dot or underscore is none."""
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.relative_to(folder).as_posix().startswith((".", "_"))
        if not path.name.startswith((".", "_")) and known_format(path) is not None
    ]
    if not found:
        suffixes = ", ".join(suffix for several in FORMATS.values() for suffix in several)
        raise TableError(
            f"The folder {str(folder)!r} holds no table. Files that end in {suffixes} are required."
        )
    return found


def known_format(path: Path) -> str | None:
    """Return the format of a file by its suffix, compressed or not; None where it is not one of `FORMATS`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    last = suffixes[-1] if suffixes else ""
    return next((name for name, several in FORMATS.items() if last in several), None)


def format_of(files: FileSet) -> str:
    """Return the format of all files.

    Raises
    ------
    TableError
        It is not one, or not one that can be read in batches.
    """
    formats = {path: known_format(path) for path in files.paths}
    first = formats[files.paths[0]]
    for path, one in formats.items():
        if one is None:
            suffixes = ", ".join(suffix for several in FORMATS.values() for suffix in several)
            raise TableError(
                f"{str(path)!r} is of no format that is read in parts. Files that end in {suffixes} are required, "
                "compressed as .gz or .zst or not."
            )
        if one != first:
            raise TableError(
                f"{str(path)!r} is {one}, and {str(files.paths[0])!r} is {first}. Files of one format are required."
            )
    assert first is not None, "files without a format have raised"
    return first


def is_compressed(path: Path) -> bool:
    """Return whether a file is compressed as a whole."""
    return path.suffix.lower() in _COMPRESSED


AsText = Callable[[str], bool]
"""Whether a column of a text file is to be read as text, so that leading zeros stay."""
