"""Clusters for tests: a scheduler and workers of Dask as processes of their own, which may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engines import LOOPBACK, free_port

__all__ = ["DaskProcesses", "dask_processes"]


class DaskProcesses:
    """A scheduler, workers of one thread each, and a client."""

    def __init__(self, n_workers: int) -> None:
        distributed = pytest.importorskip("distributed")
        self.address = f"tcp://{LOOPBACK}:{free_port()}"
        self.scheduler = self._start("scheduler", "--port", self.address.rpartition(":")[2], "--no-show")
        self.workers: list[Any] = []
        self.client = distributed.Client(self.address, timeout=30)
        for _ in range(n_workers):
            self.add_worker()

    def add_worker(self, *before: Path) -> None:
        """Start a worker, which looks for modules and for what is installed in some folders first."""
        self.workers.append(
            self._start("worker", self.address, "--nthreads", "1", "--no-nanny", before=before)
        )
        self.client.wait_for_workers(len([one for one in self.workers if one.poll() is None]), timeout=60)

    def kill_worker(self) -> None:
        """End the first worker that lives, at once: it can say nothing to anybody."""
        one = next(one for one in self.workers if one.poll() is None)
        one.send_signal(signal.SIGKILL)
        one.wait()

    def close(self) -> None:
        self.client.close(timeout=1)
        for one in (*self.workers, self.scheduler):
            one.kill()
            one.wait()

    def _start(self, kind: str, *options: str, before: Sequence[Path] = ()) -> Any:
        command = [sys.executable, "-P", "-m", f"distributed.cli.dask_{kind}", "--no-dashboard", *options]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        places = os.pathsep.join([*map(str, before), *sys.path])
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": places}, **silent)


@contextmanager
def dask_processes(n_workers: int) -> Iterator[DaskProcesses]:
    made = DaskProcesses(n_workers)
    try:
        yield made
    finally:
        made.close()
