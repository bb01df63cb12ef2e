"""Tasks side by side, in threads and in processes: the same results in the same order, whoever did them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mixtura.run import (
    Workers,
    get_threads,
    map_tasks,
    ready_workers,
    set_threads,
    start_workers,
    task_workers,
)
from mixtura.run.workers import kept_pool
from mixtura.run.workers.interrupts import held_interrupts

TWO = Workers(2, are_processes=True)


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
    return list(map_tasks(pid, "inner", [1, 2], TWO)) if multiprocessing.parent_process() is not None else []


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
    found = list(map_tasks(who, needed, range(40), TWO))
    assert [(shared, task) for shared, task, _ in found] == [(needed, i) for i in range(40)]
    assert found[0][2] == os.getpid()
    assert found[-1][2] != os.getpid()
    assert len({pid for _, _, pid in found}) == 2


@pytest.mark.parametrize("are_processes", [True, False])
@pytest.mark.parametrize(("tasks", "count"), [(range(4), 1), ([7], 8), ([], 8)])
def test_this_thread_alone(tasks: Any, count: int, *, are_processes: bool) -> None:
    """It has the threads that it had: passes may use them."""
    found = [one[:3] for one in map_tasks(thread, None, tasks, Workers(count, are_processes))]
    assert found == [(os.getpid(), threading.get_ident(), get_threads())] * len(tasks)


def thread(barrier: threading.Barrier | None, task: int) -> tuple[int, int, int, int]:
    """Return who does a task, the first and the last of them at the same time, and how many threads they have."""
    if barrier is not None and task in {0, 39}:
        barrier.wait(timeout=60)
    inner = {found for _, found in map_tasks(within, None, [1, 2, 3, 4], Workers(get_threads()))}
    return os.getpid(), threading.get_ident(), get_threads(), len(inner)


def within(shared: None, task: int) -> tuple[int, int]:
    return task, threading.get_ident()


def test_threads_work_side_by_side_each_alone() -> None:
    with set_threads(2):
        found = list(map_tasks(thread, threading.Barrier(2), range(40), Workers(2)))
        assert get_threads() == 2
    assert {pid for pid, *_ in found} == {os.getpid()}
    assert {(n_threads, n_inner) for *_, n_threads, n_inner in found} == {(1, 1)}
    assert found[0][1] == threading.get_ident() != found[-1][1]
    assert len({ident for _, ident, *_ in found}) == 2


def test_an_error_in_a_thread_reaches_the_caller_in_its_turn() -> None:
    found = map_tasks(refuses, None, range(10), Workers(3))
    assert [next(found) for _ in range(9)] == list(range(9))
    with pytest.raises(ValueError, match="task 9"):
        next(found)


def test_tasks_that_nobody_asks_for_any_more_are_not_begun() -> None:
    begun: list[int] = []
    found = map_tasks(notes, begun, range(200), Workers(2))
    assert next(found) == 0
    found.close()
    assert 0 in begun
    assert len(begun) < 200


def notes(begun: list[int], task: int) -> int:
    begun.append(task)
    time.sleep(0.005)
    return task


def test_another_process_has_one_thread_and_starts_none(tmp_path: Path) -> None:
    assert set(map_tasks(threads, str(tmp_path / "first"), range(10), TWO)) == {1}
    elsewhere = [pids for pids in map_tasks(starts_none, str(tmp_path / "second"), range(15), TWO) if pids]
    assert elsewhere
    assert all(len(set(pids)) == 1 for pids in elsewhere)


def test_what_a_process_leaves_undone_is_done_here() -> None:
    assert list(map_tasks(dies_elsewhere, None, range(40), TWO)) == list(range(40))


def test_where_no_process_can_be_started_threads_of_this_one_do_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from joblib import executor

    def refused(n_jobs: int, **arguments: Any) -> None:
        raise PermissionError("no semaphores")

    monkeypatch.setattr(executor, "get_memmapping_executor", refused)
    found = list(map_tasks(who, "", range(3), TWO))
    assert {pid for _, _, pid in found} == {os.getpid()}


def test_an_error_reaches_the_caller_whoever_met_it() -> None:
    with pytest.raises(ValueError, match="task 9"):
        list(map_tasks(refuses, None, range(10), TWO))


def test_what_is_sent_is_unpacked_once(tmp_path: Path) -> None:
    parcel = tmp_path / "shared"
    parcel.write_bytes(task_workers.pickle.dumps([1, 2]))
    assert task_workers._work(who_of, parcel, 0) is task_workers._work(who_of, parcel, 1)


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
    found = list(map_tasks(waits, str(tmp_path), range(6), TWO, ahead.append))
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
        "from mixtura.run import Workers, map_tasks, ready_workers, start_workers\n"
        "print('begins')\n"
        "start_workers(add, 2)\n"
        "while not ready_workers():\n"
        "    pass\n"
        "print(sum(map_tasks(add, 1, range(100), Workers(2, True))))\n"
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
    assert not any(map_tasks(holds_interrupts, str(tmp_path / "begun"), range(10), TWO))


_FORKED = """
import os, signal
from operator import mul
from mixtura.run import Workers, map_tasks
assert list(map_tasks(mul, 10, range(4), Workers(2, True))) == [0, 10, 20, 30]
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(0 if list(map_tasks(mul, 10, range(4), Workers(2, True))) == [0, 10, 20, 30] else 1)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_fork_of_a_process_that_has_others_works_in_threads() -> None:
    ended = subprocess.run([sys.executable, "-c", _FORKED], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "0"


def test_jobs_of_joblib_and_ours_follow_each_other() -> None:
    code = """
from operator import mul
from joblib import Parallel, delayed
from mixtura.run import Workers, map_tasks
for _ in range(2):
    ours = list(map_tasks(mul, 10, range(4), Workers(2, True)))
    print(ours, Parallel(2)(delayed(mul)(10, task) for task in range(4)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["[0, 10, 20, 30] [0, 10, 20, 30]"] * 2


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="the system has no masks of signals")
def test_the_first_process_to_start_holds_interrupts() -> None:
    code = """
import signal
from importlib import import_module
from operator import mul
from mixtura.run import Workers, map_tasks
starts = import_module("joblib.externals.loky.backend.fork_exec")
start, held = starts.fork_exec, []
def spy(command, *rest, **more):
    if "LokyProcess-1" in command:
        held.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
    return start(command, *rest, **more)
starts.fork_exec = spy
list(map_tasks(mul, 10, range(4), Workers(2, True)))
print(held)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[True]"


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="the system has no alarms")
def test_while_joblib_is_at_work_for_others_threads_work() -> None:
    """joblib's processes are one pool: to ask for another kind of it waits for work that waits for us."""
    code = """
import signal
from operator import mul
from time import sleep
from joblib import Parallel, delayed
from mixtura.run import Workers, map_tasks
signal.alarm(60)
pauses = Parallel(2, return_as="generator")(delayed(sleep)(0.05) for _ in range(12))
print([list(map_tasks(mul, 10, range(4), Workers(2, True))) for _ in pauses] == [[0, 10, 20, 30]] * 12)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "True"
