"""Tasks in several processes: the same results in the same order, whoever did them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import pytest

from mixtura.run import get_threads, map_processes, processes, ready_workers
from mixtura.run.workers import kept_pool, worker_thread
from mixtura.run.workers.worker_pool import WorkerPool
from mixtura.run.workers.worker_process import is_at_work


def meet(begun: str, task: int) -> None:
    """Wait, with the second task, until another process has begun one, however long starting it takes."""
    if is_at_work():
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
    return get_threads() if is_at_work() else 1


def starts_none(begun: str, task: int) -> list[int]:
    meet(begun, task)
    return list(map_processes(pid, "inner", [1, 2], 2)) if is_at_work() else []


def dies_elsewhere(shared: None, task: int) -> int:
    time.sleep(0.05)
    if is_at_work():
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
    def refused() -> None:
        raise PermissionError("no processes")

    monkeypatch.setattr(kept_pool, "_pools", [])
    monkeypatch.setattr(worker_thread, "StartedProcess", refused)
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
    elif is_at_work():
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


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool(1)
    yield made
    made.shutdown()


def prints(text: str) -> str:
    print(text, flush=True)
    return text


def fails() -> None:
    raise LookupError("nothing there")


def makes_what_cannot_be_sent() -> Callable[[], None]:
    return lambda: None


def test_what_goes_there_and_back_may_be_larger_than_a_pipe_holds(pool: WorkerPool) -> None:
    """Two are in hand: whoever sends the second must not wait for the one who sends what came of the first."""
    sent = [bytes([i]) * 3_000_000 for i in range(6)]
    futures = [pool.submit(bytes.upper, one) for one in sent]
    assert [future.result(60) == one.upper() for future, one in zip(futures, sent, strict=True)] == [True] * 6


def test_what_a_function_prints_is_not_taken_for_an_answer(pool: WorkerPool) -> None:
    assert pool.submit(prints, "said").result(60) == "said"


def test_errors_say_where_they_were_met_and_the_next_is_done(pool: WorkerPool) -> None:
    with pytest.raises(LookupError, match="nothing there") as met:
        pool.submit(fails).result(60)
    assert "in fails" in met.value.__notes__[0]
    with pytest.raises(RuntimeError, match="pickle"):
        pool.submit(makes_what_cannot_be_sent).result(60)
    assert pool.submit(os.getpid).result(60) != os.getpid()


def test_a_process_is_ready_once_it_has_answered_until_there_has_been_no_work(
    monkeypatch: pytest.MonkeyPatch, pool: WorkerPool
) -> None:
    monkeypatch.setattr(worker_thread, "_IDLE", 0.2)
    assert pool.n_ready == 0
    first = pool.submit(os.getpid).result(60)
    assert pool.n_ready == 1
    limit = time.monotonic() + 60
    while pool.n_ready and time.monotonic() < limit:
        time.sleep(0.01)
    assert pool.n_ready == 0
    assert pool.submit(os.getpid).result(60) not in (first, os.getpid())


def test_once_it_is_shut_down_a_pool_takes_no_work(pool: WorkerPool) -> None:
    left = [pool.submit(time.sleep, 600) for _ in range(4)]
    pool.shutdown()
    assert all(isinstance(one.exception(60), BrokenExecutor) for one in left)
    with pytest.raises(BrokenExecutor):
        pool.submit(os.getpid)


def test_other_numbers_of_processes_are_those_asked_for(tmp_path: Path) -> None:
    for n_processes in (2, 3, 2):
        needed = tmp_path / str(n_processes)
        list(map_processes(who, str(needed), range(12), n_processes))
        assert kept_pool._pools[0].n_workers == n_processes - 1
        assert 1 <= ready_workers() <= n_processes - 1


def test_scripts_are_not_run_again_and_nothing_is_left_behind(tmp_path: Path) -> None:
    """Functions of scripts are not known elsewhere; what calls modules needs no guard."""
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_of_a_fork_has_processes_of_its_own_and_ends_none_of_its_parent() -> None:
    code = (
        "import os\n"
        "from operator import add\n"
        "from mixtura.run import map_processes\n"
        "from mixtura.run.workers import kept_pool\n"
        "assert sum(map_processes(add, 1, range(40), 2)) == 820\n"
        "pool = kept_pool._pools[0]\n"
        "number = pool.submit(os.getpid).result(60)\n"
        "child = os.fork()\n"
        "assert sum(map_processes(add, 1, range(40), 2)) == 820\n"
        "if child:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    assert pool.submit(os.getpid).result(60) == number\n"
        "else:\n"
        "    assert kept_pool._pools[0] is not pool and not pool.is_usable\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
