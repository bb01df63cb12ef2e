"""What every runner must do; one body, all runners."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import threadpoolctl

from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.data import ArrayBlocks
from mixtura.run import SerialRunner, ThreadRunner, limit_blas_threads

N = 20_000


@pytest.fixture(
    params=[SerialRunner, lambda: ThreadRunner(1), lambda: ThreadRunner(2), lambda: ThreadRunner(5)],
    ids=["serial", "1 thread", "2 threads", "5 threads"],
)
def runner(request: pytest.FixtureRequest) -> Runner:
    made: Runner = request.param()
    return made


@pytest.fixture
def blocks() -> Blocks:
    return ArrayBlocks(np.random.RandomState(0).standard_normal((N, 2)))


@dataclass
class Task:
    """A pass of two functions."""

    function: Callable[..., Any]
    join: Callable[[Any, Any], Any] = lambda left, right: left + right
    flops: float = float("inf")

    def __call__(self, block: Block, *states: Any) -> Any:
        return self.function(block, *states)

    def add(self, total: Any, more: Any) -> Any:
        return self.join(total, more)

    def work(self, blocks: Blocks) -> float:
        return self.flops


def slowly(function: Callable[[Block], Any]) -> Callable[[Block], Any]:
    """The earlier a block, the longer it takes, so that workers end out of order."""

    def wrapped(block: Block) -> Any:
        time.sleep(0.002 if block.number % 3 == 0 else 0.0)
        return function(block)

    return wrapped


def test_blocks_are_added_in_their_order(runner: Runner, blocks: Blocks) -> None:
    """Joining is not commutative: any other order shows."""
    found = runner.reduce(blocks, Task(slowly(lambda block: (block.start,))))
    assert found == tuple(range(0, N, 2048))
    assert len(found) == len(blocks)


def test_sums_are_the_same_to_the_last_bit(runner: Runner, blocks: Blocks) -> None:
    def total(block: Block) -> Any:
        return np.exp(block.rows).sum(axis=0)

    wanted = total(blocks.block(0))
    for number in range(1, len(blocks)):
        wanted = wanted + total(blocks.block(number))
    for _ in range(5):
        np.testing.assert_array_equal(runner.reduce(blocks, Task(slowly(total))), wanted)


def test_every_block_is_visited_once(runner: Runner, blocks: Blocks) -> None:
    seen: list[int] = []
    runner.reduce(blocks, Task(lambda block: seen.append(block.number), lambda _left, _right: None))
    assert sorted(seen) == list(range(len(blocks)))


def test_a_single_block_needs_no_sum(runner: Runner) -> None:
    task = Task(lambda block: float(block.rows.sum()), pytest.fail)
    assert runner.reduce(ArrayBlocks(np.ones((3, 1))), task) == 3.0


def test_small_work_stays_on_the_calling_thread(runner: Runner, blocks: Blocks) -> None:
    task = Task(slowly(lambda _block: {threading.get_ident()}), set.union, flops=1e3)
    assert runner.reduce(blocks, task) == {threading.get_ident()}


@pytest.mark.parametrize("first", [0, 3, 9])
def test_what_a_block_raises_is_raised(runner: Runner, blocks: Blocks, first: int) -> None:
    def fail(block: Block) -> int:
        if block.number >= first:
            raise LookupError("no such row")
        return 1

    with pytest.raises(LookupError, match="no such row"):
        runner.reduce(blocks, Task(slowly(fail)))
    assert runner.reduce(blocks, Task(lambda _block: 1)) == len(blocks)


def test_a_state_is_kept_between_passes(runner: Runner, blocks: Blocks) -> None:
    """Every pass sees, for the rows of its block, what the one before it left."""
    state = runner.state(blocks, np.float64, columns=2, fill=1.0)

    def multiply(block: Block, values: Any) -> float:
        values *= block.rows
        return float(values.sum())

    first, second = (runner.reduce(blocks, Task(multiply), state) for _ in range(2))
    rows = np.vstack([blocks.block(number).rows for number in range(len(blocks))])
    np.testing.assert_array_equal(state.gathered(), rows**2)
    assert first == pytest.approx(rows.sum())
    assert second == pytest.approx((rows**2).sum())


def test_states_come_in_the_order_given_and_may_be_read(runner: Runner, blocks: Blocks) -> None:
    numbers, labels = np.arange(N, dtype=np.intp), runner.state(blocks, np.intp, fill=-1)

    def copy(block: Block, read: Any, written: Any) -> int:
        written[...] = read
        return int(read[0] == block.start)

    assert runner.reduce(blocks, Task(copy), runner.state_of(numbers), labels) == len(blocks)
    np.testing.assert_array_equal(labels.gathered(), numbers)
    assert labels.gathered().dtype == np.intp


def test_alone_everything_stays_on_the_calling_thread(runner: Runner, blocks: Blocks) -> None:
    alone = runner.alone()
    assert alone.n_workers == 1
    assert alone.reduce(blocks, Task(lambda _block: {threading.get_ident()}, set.union)) == {
        threading.get_ident()
    }


def test_tasks_come_back_in_their_order(runner: Runner) -> None:
    def task(number: int) -> Callable[[], int]:
        def run() -> int:
            time.sleep(0.003 if number % 2 == 0 else 0.0)
            return number

        return run

    assert runner.map([task(number) for number in range(12)]) == list(range(12))
    assert runner.map([task(7)]) == [7]


def test_what_a_task_raises_is_raised(runner: Runner) -> None:
    def fail() -> int:
        raise LookupError("no such task")

    with pytest.raises(LookupError, match="no such task"):
        runner.map([lambda: 1, fail, lambda: 2])
    assert runner.map([lambda: 1, lambda: 2]) == [1, 2]


def test_a_task_may_reduce(runner: Runner, blocks: Blocks) -> None:
    """Restarts beside each other, each passing over rows: nobody waits for a worker that waits for him."""

    def task() -> int:
        return int(runner.alone().reduce(blocks, Task(lambda block: block.n_rows)))

    assert runner.map([task] * 6) == [N] * 6


def test_workers_work_side_by_side(blocks: Blocks) -> None:
    """Two threads meet at a barrier, which one alone would never pass."""
    barrier = threading.Barrier(2, timeout=20)
    met: list[int] = []

    def meet(block: Block) -> int:
        if len(met) < 2:
            met.append(block.number)
            barrier.wait()
        return 1

    assert ThreadRunner(2).reduce(blocks, Task(meet)) == len(blocks)
    assert len(met) == 2


def blas_threads(_block: Block | None = None) -> set[int]:
    return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture
def two_blas_threads() -> Any:
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert blas_threads() == {2}
        yield
        assert blas_threads() == {2}


@pytest.mark.usefixtures("two_blas_threads")
@pytest.mark.parametrize("make", [SerialRunner, lambda **how: ThreadRunner(2, **how)])
def test_blas_is_held_to_one_thread_where_the_kernel_uses_it(make: Any, blocks: Blocks) -> None:
    assert make(hold_blas=True).reduce(blocks, Task(blas_threads, set.union)) == {1}
    assert make(hold_blas=False).reduce(blocks, Task(blas_threads, set.union)) == {2}
    assert make(hold_blas=True).alone().reduce(blocks, Task(blas_threads, set.union)) == {1}
    assert make().map([blas_threads, blas_threads]) == [{1}, {1}]


@pytest.mark.usefixtures("two_blas_threads")
def test_blas_gets_its_threads_back_when_the_last_one_leaves() -> None:
    with limit_blas_threads():
        with limit_blas_threads():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    one, other = limit_blas_threads(), limit_blas_threads()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert blas_threads() == {1}
    other.__exit__(None, None, None)
