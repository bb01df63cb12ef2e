"""A process that works for this one, as this one sees it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from typing import Any

__all__ = ["StartedProcess"]

_COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits
sys.path[:] = {path!r}
from mixtura.run.workers.worker_process import serve
serve()
"""

_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")


class StartedProcess:
    """Starts a process that does what it is sent, one after the other, and answers.

    Raises
    ------
    OSError
        None can be started.
    """

    def __init__(self) -> None:
        from multiprocessing.spawn import get_executable

        self._process = subprocess.Popen(
            [get_executable(), "-c", _COMMAND.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _ONE_THREAD,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._tasks, self._answers = self._process.stdin, self._process.stdout

    def send(self, message: bytes) -> None:
        """Send a pickled function and its arguments, to be called.

        Raises
        ------
        OSError
            The process has ended.
        """
        pickle.dump(message, self._tasks, protocol=5)
        self._tasks.flush()

    def receive(self) -> tuple[bool, Any]:
        """Wait for the answer to what was sent first: whether it was done, and the result or the error.

        Raises
        ------
        OSError, EOFError, UnpicklingError
            The process has ended.
        """
        answer = pickle.load(self._answers)  # noqa: S301 -- of the process started here
        try:
            done, found = pickle.loads(answer)  # noqa: S301 -- as above
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is that of the one who asked
            return False, error
        return done, found

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """End the process, and wait until it has."""
        self.kill()
        for stream in (self._tasks, self._answers):
            with suppress(OSError):
                stream.close()
        self._process.wait()
