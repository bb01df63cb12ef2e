"""How many threads, by call, by block and by environment variable."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import mixtura
from mixtura.exceptions import ParameterError
from mixtura.run import SerialRunner, ThreadRunner, get_runner, limit_blas_threads, parallelism, threads


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallelism, "_chosen", [])
    monkeypatch.delenv("MIXTURA_NUM_THREADS", raising=False)


def test_all_cores_that_the_process_may_use_by_default() -> None:
    assert mixtura.get_threads() == len(os.sched_getaffinity(0))


def test_where_affinity_is_unknown_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert mixtura.get_threads() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert mixtura.get_threads() == 1


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("7", 7), (" 3 ", 3)])
def test_the_variable_chooses(monkeypatch: pytest.MonkeyPatch, text: str, count: int) -> None:
    monkeypatch.setenv("MIXTURA_NUM_THREADS", text)
    assert mixtura.get_threads() == count
    with mixtura.set_threads(2):
        assert mixtura.get_threads() == 2


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", ""])
def test_a_bad_variable_is_an_error(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MIXTURA_NUM_THREADS", text)
    with pytest.raises(
        ParameterError, match=f"variable MIXTURA_NUM_THREADS must be a whole number from 1; got '{text}'"
    ):
        mixtura.get_threads()
    with pytest.raises(ParameterError, match="MIXTURA_NUM_THREADS"):
        mixtura.GaussianMixture(2).fit(np.eye(3))


@pytest.mark.parametrize("count", [0, -2, 1.5, 2.0, "many", None])
def test_a_bad_count_is_an_error_and_changes_nothing(count: Any) -> None:
    before = mixtura.get_threads()
    with pytest.raises(ParameterError, match=r"`n_threads` must be a whole number from 1; got "):
        mixtura.set_threads(count)
    assert mixtura.get_threads() == before


def test_a_choice_lasts_until_its_block_is_left() -> None:
    mixtura.set_threads(3)
    with mixtura.set_threads(5):
        with mixtura.set_threads(1):
            assert mixtura.get_threads() == 1
        assert mixtura.get_threads() == 5
    assert mixtura.get_threads() == 3
    with pytest.raises(LookupError), mixtura.set_threads(4):
        raise LookupError
    assert mixtura.get_threads() == 3


def test_the_runner_is_the_one_for_the_choice() -> None:
    with mixtura.set_threads(1):
        assert isinstance(get_runner(), SerialRunner)
    with mixtura.set_threads(4):
        runner = get_runner()
        assert isinstance(runner, ThreadRunner)
        assert runner.n_workers == 4


def test_blas_is_held_to_one_thread_while_asked() -> None:
    def counts() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = counts()
    assert before
    with limit_blas_threads():
        assert set(counts()) == {1}
    assert counts() == before


def test_blas_that_comes_while_it_is_held_is_held_too() -> None:
    """SciPy's, which is loaded when it is first needed, is not limited by who looked before."""
    code = (
        "from threadpoolctl import threadpool_info\n"
        "from mixtura._lazy import load_lapack\n"
        "from mixtura.run import limit_blas_threads\n"
        "def counts():\n"
        "    return [one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas']\n"
        "with limit_blas_threads():\n"
        "    before = len(counts())\n"
        "    load_lapack()\n"
        "    assert len(counts()) > before and set(counts()) == {1}, counts()\n"
        "print(*counts())\n"
        "with limit_blas_threads():\n"
        "    assert set(counts()) == {1}, counts()\n"
    )
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    given = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=given)
    assert len(set(done.stdout.split())) == 1  # both have their threads back


def test_a_child_of_a_fork_forgets_the_pools_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs in the child, run here: `tests/laws/test_threads.py` forks in earnest."""
    monkeypatch.setattr(threads, "_pools", threads._Pools())
    assert ThreadRunner(2).map([lambda: 1, lambda: 2]) == [1, 2]
    kept = dict(threads._pools._by_size)
    threads._pools._lock.acquire()
    threads._pools.forget()
    assert threads._pools._by_size == {}
    assert ThreadRunner(2).map([lambda: 3, lambda: 4]) == [3, 4]
    for pool in kept.values():
        pool.shutdown()
