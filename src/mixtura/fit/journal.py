"""What a long computation has finished, in a file: after an interruption it goes on from there, to the last bit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from mixtura.core.data import Data
from mixtura.core.protocols import Block, Blocks
from mixtura.exceptions import CheckpointError
from mixtura.fit.checkpoint import to_arrays, value_from_arrays
from mixtura.fit.loop.driver import LoopResult, Observer, Step, iterate
from mixtura.fit.loop.state import LoopState
from mixtura.fit.loop.stopping import StoppingRule
from mixtura.fit.loop.trace import Event

__all__ = ["Journal", "RowsDigest"]

M = TypeVar("M")
S = TypeVar("S")

_APPLICATION = 0x4D495854
"""Marks the file as one of this kind in its header, as SQLite provides for."""

_SECONDS = 5.0
"""How often the state of a run is saved, at most."""


class Journal:
    """Finished results by name, and the states of runs that are not finished, in a file of SQLite.

    Every entry is there whole or not at all, wherever the process is stopped. The file is removed by `remove` once all
    is done.

    Parameters
    ----------
    path : str or Path
        Made if it does not exist.
    about : str
        What results depend on: rows, parameters. A file of other ones is refused.
    kinds : sequence of type, optional
        Data classes and enumerations that results may consist of, besides those of fits.
    seconds : float, default=5
        How often the state of a run is saved, at most.

    Raises
    ------
    CheckpointError
        The file cannot be made, is another program's or in use by another run, or belongs to other rows or parameters.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from mixtura.fit.journal import Journal
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Journal(Path(folder, "run.checkpoint"), "one") as journal:
    ...         first = journal.remembered("sum", lambda: 1 + 1)
    ...     with Journal(Path(folder, "run.checkpoint"), "one") as journal:
    ...         journal.remembered("sum", lambda: 1 / 0)
    2
    """

    def __init__(
        self, path: str | Path, about: str, *, kinds: Sequence[type] = (), seconds: float = _SECONDS
    ) -> None:
        self._path, self._kinds, self._seconds = Path(path), kinds, seconds
        if self._path.is_dir() or not self._path.parent.is_dir():
            raise CheckpointError(
                f"`checkpoint` must be a file in a directory that exists; got {str(path)!r}. Try 'run.checkpoint'."
            )
        try:
            self._open(about)
        except sqlite3.OperationalError as error:
            raise CheckpointError(
                f"`checkpoint` must be a file that can be written and that no other run is using; got {str(path)!r} "
                f"({error}). Wait for the other run, or give another file."
            ) from error
        except sqlite3.DatabaseError as error:
            raise self._of_others() from error

    def _open(self, about: str) -> None:
        self._database = sqlite3.connect(self._path, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            self._database.execute("pragma locking_mode = exclusive")
            self._database.execute("begin exclusive")
            self._begin(about)
            self._database.execute("commit")
        except BaseException:
            self._database.close()
            raise

    def _begin(self, about: str) -> None:
        ask = self._database.execute
        application = ask("pragma application_id").fetchone()[0]
        if application != _APPLICATION:
            if application or ask("select count(*) from sqlite_schema").fetchone()[0]:
                raise self._of_others()
            ask(f"pragma application_id = {_APPLICATION}")
            ask("create table entry (name text primary key, value blob not null)")
        known = self.get("about")
        if known is None:
            self.put("about", about)
        elif known != about:
            raise CheckpointError(
                f"`checkpoint` must be of the same rows and parameters as this run; {str(self._path)!r} is of others. "
                "Run as before to go on, or give another file, or delete this one."
            )

    def _of_others(self) -> CheckpointError:
        return CheckpointError(
            f"`checkpoint` must be a new file, or one of an interrupted run; {str(self._path)!r} is another kind of "
            "file. Give another name."
        )

    @classmethod
    def of(cls, path: str | Path, data: Data, about: Any, *, kinds: Sequence[type] = ()) -> Journal:
        """Return the journal of a computation on some rows.

        Parameters
        ----------
        path : str or Path
        data : Data
            The results depend on all of its rows; they are read once.
        about : object
            What they depend on besides: numbers, texts, arrays, and tuples, lists and dictionaries of them.
        kinds : sequence of type, optional
            See `Journal`.
        """
        from joblib import hash as digest

        rows = blake2b(data.reduce(RowsDigest())).hexdigest()
        return cls(path, f"{rows} {digest(about)}", kinds=kinds)

    def get(self, name: str) -> Any:
        """Return a result; None where it is not finished."""
        found = self._database.execute("select value from entry where name = ?", (name,)).fetchone()
        if found is None:
            return None
        with np.load(BytesIO(found[0]), allow_pickle=False) as arrays:
            return value_from_arrays(dict(arrays), self._kinds)

    def put(self, name: str, value: Any) -> None:
        """Keep a result, in place of one that was there."""
        file = BytesIO()
        np.savez(file, **to_arrays(value, self._kinds))  # type: ignore[arg-type]
        self._database.execute("insert or replace into entry values (?, ?)", (name, file.getvalue()))

    def remembered(self, name: str, compute: Callable[[], Any]) -> Any:
        """Return a result, computed where it is not there yet; not None."""
        found = self.get(name)
        if found is None:
            found = compute()
            self.put(name, found)
        return found

    def run(
        self,
        name: str,
        start: Callable[[], LoopState[M, S]],
        step: Step[M, S],
        stop: StoppingRule,
        max_iter: int,
        *,
        observe: Observer[LoopState[M, S]],
    ) -> LoopResult[M]:
        """Iterate as `mixtura.fit.loop.driver.iterate` does, from where a run of that name was interrupted.

        Parameters
        ----------
        name : str
        start : callable
            Returns the state to begin with, where there is none yet.
        step : Step
        stop : StoppingRule
        max_iter : int
        observe : Observer
        """
        done = self.get(name)
        if done is not None:
            return LoopResult(*done)
        under_way = f"{name}, under way"
        saved: LoopState[M, S] | None = self.get(under_way)
        watch = _Saved(self, under_way, observe, self._seconds)
        result = iterate(start() if saved is None else saved, step, stop, max_iter, observe=watch)
        self.put(name, (result.model, result.trace))
        self._database.execute("delete from entry where name = ?", (under_way,))
        return result

    def remove(self) -> None:
        """Close the file and remove it: all is done."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Keeper(Protocol):
    def put(self, name: str, value: Any) -> None: ...


class _Saved:
    """An observer that saves states from which the run has gone on, now and then, and gives all to another one.

    The state before the last: whether the last ends the run is not known yet.
    """

    def __init__(self, journal: _Keeper, name: str, observe: Observer[Any], seconds: float) -> None:
        self._journal, self._name, self._observe, self._seconds = journal, name, observe, seconds
        self._before: LoopState[Any, Any] | None = None
        self._saved = monotonic()

    def __call__(self, event: Event, state: LoopState[Any, Any]) -> None:
        self._observe(event, state)
        if self._before is not None and monotonic() - self._saved >= self._seconds:
            self._journal.put(self._name, self._before)
            self._saved = monotonic()
        self._before = state


@dataclass(frozen=True, slots=True)
class RowsDigest:
    """A digest of every block, one after the other: of rows, weights and levels."""

    def __call__(self, block: Block) -> bytes:
        digest = blake2b(digest_size=16)
        for part in (block.rows, block.sample_weight, block.levels):
            if part is not None:
                digest.update(f"{part.dtype} {part.shape}".encode())
                digest.update(np.ascontiguousarray(part).data)
        return digest.digest()

    def add(self, total: bytes, more: bytes) -> bytes:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return 10.0 * blocks.n_rows * blocks.n_features
