"""Tasks in several processes: the same results in the same order, whoever did them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mixtura.run import get_threads, map_processes, processes, ready_workers, start_workers
from mixtura.run.workers import kept_pool
from mixtura.run.workers.interrupts import held_interrupts


def meet(begun: str, task: int) -> None:
    """Wait, with the second task, until another process has begun one, however long starting it takes."""
    if multiprocessing.parent_process() is not None:
        Path(begun).touch()
    limit = time.monotonic() + 60
    while task == 1 and not Path(begun).exists() and time.monotonic() < limit:
        time.sleep(0.01)


def who(begun: str, task: int) -> tuple[str, int, int]:
    meet(begun, task)
    return begun, task, os.getpid()


def pid(shared: str, task: int) -> int:
    return os.getpid()


def threads(begun: str, task: int) -> int:
    meet(begun, task)
    return get_threads() if multiprocessing.parent_process() is not None else 1


def starts_none(begun: str, task: int) -> list[int]:
    meet(begun, task)
    return (
        list(map_processes(pid, "inner", [1, 2], 2)) if multiprocessing.parent_process() is not None else []
    )


def dies_elsewhere(shared: None, task: int) -> int:
    time.sleep(0.05)
    if multiprocessing.parent_process() is not None:
        os._exit(3)
    return task


def refuses(shared: None, task: int) -> int:
    time.sleep(0.05)
    if task == 9:
        raise ValueError(f"task {task}")
    return task


def test_results_come_in_order_and_several_processes_worked(tmp_path: Path) -> None:
    needed = str(tmp_path / "begun")
    found = list(map_processes(who, needed, range(40), 2))
    assert [(shared, task) for shared, task, _ in found] == [(needed, i) for i in range(40)]
    assert found[0][2] == os.getpid()
    assert found[-1][2] != os.getpid()
    assert len({pid for _, _, pid in found}) == 2


@pytest.mark.parametrize(("tasks", "n_processes"), [(range(4), 1), ([7], 8), ([], 8)])
def test_this_process_alone(tasks: Any, n_processes: int) -> None:
    found = list(map_processes(pid, "", tasks, n_processes))
    assert found == [os.getpid()] * len(tasks)


def test_another_process_has_one_thread_and_starts_none(tmp_path: Path) -> None:
    assert set(map_processes(threads, str(tmp_path / "first"), range(10), 2)) == {1}
    elsewhere = [pids for pids in map_processes(starts_none, str(tmp_path / "second"), range(15), 2) if pids]
    assert elsewhere
    assert all(len(set(pids)) == 1 for pids in elsewhere)


def test_what_a_process_leaves_undone_is_done_here() -> None:
    assert list(map_processes(dies_elsewhere, None, range(40), 2)) == list(range(40))


def test_where_no_process_can_be_started_this_one_does_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    from joblib import executor

    def refused(n_jobs: int, **arguments: Any) -> None:
        raise PermissionError("no semaphores")

    monkeypatch.setattr(executor, "get_memmapping_executor", refused)
    found = list(map_processes(who, "", range(3), 2))
    assert {pid for _, _, pid in found} == {os.getpid()}


def test_an_error_reaches_the_caller_whoever_met_it() -> None:
    with pytest.raises(ValueError, match="task 9"):
        list(map_processes(refuses, None, range(10), 2))


def test_what_is_sent_is_unpacked_once(tmp_path: Path) -> None:
    parcel = tmp_path / "shared"
    parcel.write_bytes(processes.pickle.dumps([1, 2]))
    assert processes._work(who_of, parcel, 0) is processes._work(who_of, parcel, 1)


def who_of(shared: list[int], task: int) -> list[int]:
    return shared


def waits(begun: str, task: int) -> int:
    """Let the first task wait until others have done some of the last."""
    if task == 0:
        deadline = time.monotonic() + 60
        while len(list(Path(begun).iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    elif multiprocessing.parent_process() is not None:
        (Path(begun) / str(task)).touch()
    return task


def test_what_others_have_finished_meanwhile_is_counted(tmp_path: Path) -> None:
    ahead: list[int] = []
    found = list(map_processes(waits, str(tmp_path), range(6), 2, ahead.append))
    assert found == list(range(6))
    assert len(ahead) == 6
    assert ahead[0] >= 1
    assert ahead[-1] == 0
    assert all(count <= 5 - number for number, count in enumerate(ahead))


def test_processes_are_ready_once_they_have_answered_until_there_was_no_work_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_pool, "_last", [])
    assert ready_workers() == 0
    start_workers(pid, 2)
    limit = time.monotonic() + 60
    while not ready_workers() and time.monotonic() < limit:
        time.sleep(0.01)
    assert ready_workers() == 1
    monkeypatch.setattr(kept_pool, "_IDLE", 0)
    assert ready_workers() == 0


def test_scripts_are_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from operator import add\n"
        "from mixtura.run import map_processes, ready_workers, start_workers\n"
        "print('begins')\n"
        "start_workers(add, 2)\n"
        "while not ready_workers():\n"
        "    pass\n"
        "print(sum(map_processes(add, 1, range(100), 2)))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], check=False, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["begins", "5050"], "")


def holds_interrupts(begun: str, task: int) -> bool:
    meet(begun, task)
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="the system has no masks of signals")
def test_processes_take_interrupts_when_they_work_but_not_while_they_start(tmp_path: Path) -> None:
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    with held_interrupts():
        assert holds_interrupts("", 0)
        started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert started.stdout.strip() == "True"
    assert not any(map_processes(holds_interrupts, str(tmp_path / "begun"), range(10), 2))


_FORKED = """
import os, signal
from operator import mul
from mixtura.run import map_processes
assert list(map_processes(mul, 10, range(4), 2)) == [0, 10, 20, 30]
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(0 if list(map_processes(mul, 10, range(4), 2)) == [0, 10, 20, 30] else 1)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_fork_of_a_process_that_has_others_works_alone() -> None:
    ended = subprocess.run([sys.executable, "-c", _FORKED], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "0"


def test_jobs_of_joblib_and_ours_follow_each_other() -> None:
    code = """
from operator import mul
from joblib import Parallel, delayed
from mixtura.run import map_processes
for _ in range(2):
    print(list(map_processes(mul, 10, range(4), 2)), Parallel(2)(delayed(mul)(10, task) for task in range(4)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["[0, 10, 20, 30] [0, 10, 20, 30]"] * 2


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="the system has no masks of signals")
def test_the_first_process_to_start_holds_interrupts() -> None:
    code = """
import signal
from importlib import import_module
from operator import mul
from mixtura.run import map_processes
starts = import_module("joblib.externals.loky.backend.fork_exec")
start, held = starts.fork_exec, []
def spy(command, *rest, **more):
    if "LokyProcess-1" in command:
        held.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
    return start(command, *rest, **more)
starts.fork_exec = spy
list(map_processes(mul, 10, range(4), 2))
print(held)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[True]"


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="the system has no alarms")
def test_while_joblib_is_at_work_for_others_this_process_works_alone() -> None:
    """joblib's processes are one pool: to ask for another kind of it waits for work that waits for us."""
    code = """
import signal
from operator import mul
from time import sleep
from joblib import Parallel, delayed
from mixtura.run import map_processes
signal.alarm(60)
pauses = Parallel(2, return_as="generator")(delayed(sleep)(0.05) for _ in range(12))
print([list(map_processes(mul, 10, range(4), 2)) for _ in pauses] == [[0, 10, 20, 30]] * 12)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "True"
