"""Atomic outputs: written beside their place under another name, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from mixtura.exceptions import OutputError

__all__ = [
    "SELECTION_FILES",
    "alternatives",
    "output_directory",
    "output_file",
    "save_text",
    "translate_os_errors",
]

SELECTION_FILES = ("selection.csv", "selection.png")
"""What a selection of models leaves in its directory."""


@contextmanager
def output_directory(path: str | Path, *, files: Collection[str], overwrite: bool = False) -> Iterator[Path]:
    """Give a directory to write in that takes its final name when the block ends without an error.

    Entering it already shows whether the place can be written, so that nothing long is computed in vain.

    Parameters
    ----------
    path : str or Path
        Where the directory shall be. Its parent exists.
    files : collection of str
        Names the block may write. A directory that holds anything else is never replaced.
    overwrite : bool, default=False
        Replace a directory of that name.

    Yields
    ------
    Path
        The directory to write in, on the same file system.

    Raises
    ------
    OutputError
        The place exists, or cannot be written.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from mixtura.io import output_directory
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with output_directory(pathlib.Path(parent, "out"), files=["a.txt"]) as folder:
    ...         _ = (folder / "a.txt").write_text("done")
    ...     pathlib.Path(parent, "out", "a.txt").read_text()
    'done'
    """
    path = _absolute(path)
    if path.exists() or path.is_symlink():
        _check_replaceable(path, files, overwrite)
    with translate_os_errors(path):
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        with translate_os_errors(path):
            yield temporary
            temporary.chmod(0o777 & ~_umask())
            _move_directory(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def save_text(path: str | Path, text: str, *, overwrite: bool = False) -> None:
    """Write a text file in UTF-8; all of it or nothing.

    Raises
    ------
    OutputError
        The file exists and `overwrite` is False, or it cannot be written.
    """
    with output_file(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def output_file(
    path: str | Path,
    *,
    overwrite: bool = False,
    suffixes: Collection[str] = (),
    inputs: Collection[str | Path] = (),
) -> Iterator[Path]:
    """Give a file name to write to; the file takes its final name when the block ends without an error.

    Entering it already shows whether the place can be written, so that nothing long is computed in vain.

    Parameters
    ----------
    path : str or Path
        Where the file shall be. Its directory exists. A link stays, and the file that it leads to is written.
    overwrite : bool, default=False
        Replace a file of that name.
    suffixes : collection of str, default=()
        What the name may end in, such as ``.csv``; empty for anything.
    inputs : collection of str or Path, default=()
        Files that are read, none of which may be replaced.

    Yields
    ------
    Path
        The name to write to: in the same directory, with the same suffix.

    Raises
    ------
    OutputError
        The file exists, is an input, has another suffix, or cannot be written; or there is something else than a file.
    """
    path = _absolute(path)
    path = _absolute(os.path.realpath(path)) if path.is_symlink() else path
    if path.is_dir():
        raise OutputError(f"{str(path)!r} is a directory. The name of a file is required. Add one to it.")
    if suffixes and path.suffix.lower() not in suffixes:
        raise OutputError(
            f"The name of the results must end in {alternatives(suffixes)}; got {path.name!r}. "
            f"Try {path.stem + next(iter(suffixes))!r}."
        )
    _require_no_input(path, inputs)
    if path.exists() and not path.is_file():
        raise OutputError(
            f"{str(path)!r} is a device or a pipe, which nothing takes the place of. The name of a file is required."
        )
    if path.exists() and not overwrite:
        raise OutputError(_exists(path))
    with translate_os_errors(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        with translate_os_errors(path):
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def alternatives(suffixes: Collection[str]) -> str:
    """Return suffixes as a sentence lists them.

    Examples
    --------
    >>> from mixtura.io.outputs import alternatives
    >>> alternatives([".csv"]), alternatives([".csv", ".parquet", ".sav"])
    ('.csv', '.csv, .parquet or .sav')
    """
    *first, last = suffixes
    return f"{', '.join(first)} or {last}" if first else last


def _require_no_input(path: Path, inputs: Collection[str | Path]) -> None:
    if path.exists() and any(Path(one).exists() and path.samefile(one) for one in inputs):
        raise OutputError(
            f"{str(path)!r} is an input, which the output would replace. The name of another file is required."
        )


def _absolute(path: str | Path) -> Path:
    path = Path(os.path.abspath(path))
    if not path.parent.is_dir():
        raise OutputError(
            f"{str(path)!r} cannot be written: there is no directory {str(path.parent)!r}. "
            "Create it first, or choose another place with `output`."
        )
    return path


def _check_replaceable(path: Path, files: Collection[str], overwrite: bool) -> None:
    if not overwrite:
        raise OutputError(_exists(path))
    if path.is_symlink() or not path.is_dir():
        raise OutputError(f"{str(path)!r} exists and is not a directory. Choose another place with `output`.")
    foreign = sorted(entry.name for entry in path.iterdir() if entry.name not in files)
    if foreign:
        raise OutputError(
            f"{str(path)!r} holds files that are not results of mixtura ({', '.join(foreign[:5])}), and is not "
            "overwritten. Choose another place with `output`."
        )


def _exists(path: Path) -> str:
    return (
        f"{str(path)!r} exists already. Results are not written over others unasked. "
        "Use `overwrite=True`, or choose another place with `output`."
    )


@contextmanager
def translate_os_errors(path: Path) -> Iterator[None]:
    """Turn errors of the system inside the block into one that names the place and what to do.

    Raises
    ------
    OutputError
        Something inside the block raised `OSError`.
    """
    try:
        yield
    except OSError as error:
        # An output error that the system caused is raised again for the place that the user knows.
        cause = error.__cause__ if isinstance(error, OutputError) else error
        if not isinstance(cause, OSError):
            raise
        raise OutputError(
            f"{str(path)!r} cannot be written ({cause.strerror or cause}). A place that can be written is required. "
            "Choose another with `output`."
        ) from cause


def _move_directory(temporary: Path, path: Path) -> None:
    """Rename; a directory in the way steps aside first and is removed after, so that one of the two is always there."""
    if not path.exists():
        temporary.rename(path)
        return
    aside = temporary.with_name(f"{temporary.name}-replaced")
    path.rename(aside)
    try:
        temporary.rename(path)
    except BaseException:
        aside.rename(path)
        raise
    shutil.rmtree(aside)


def _umask() -> int:
    # mkdtemp and mkstemp make private files; results get the permissions of any new file.
    mask = os.umask(0)
    os.umask(mask)
    return mask
