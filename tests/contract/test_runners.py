"""What every runner must do; one body, all runners."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mixtura.core.protocols import Block, Blocks, Runner
from mixtura.data import ArrayBlocks
from mixtura.run import SerialRunner, ThreadRunner

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


def slowly(function: Callable[[Block], Any]) -> Callable[[Block], Any]:
    """The earlier a block, the longer it takes, so that workers end out of order."""

    def wrapped(block: Block) -> Any:
        time.sleep(0.002 if (block.span.start // 2048) % 3 == 0 else 0.0)
        return function(block)

    return wrapped


def test_blocks_are_added_in_their_order(runner: Runner, blocks: Blocks) -> None:
    """Joining is not commutative: any other order shows."""
    found = runner.reduce(blocks, slowly(lambda block: (block.span.start,)), lambda left, right: left + right)
    assert found == tuple(range(0, N, 2048))
    assert len(found) == len(blocks)


def test_sums_are_the_same_to_the_last_bit(runner: Runner, blocks: Blocks) -> None:
    def total(block: Block) -> Any:
        return np.exp(block.rows).sum(axis=0)

    wanted = total(blocks.block(0))
    for number in range(1, len(blocks)):
        wanted = wanted + total(blocks.block(number))
    for _ in range(5):
        found = runner.reduce(blocks, slowly(total), np.add)
        np.testing.assert_array_equal(found, wanted)


def test_every_block_is_visited_once(runner: Runner, blocks: Blocks) -> None:
    seen: list[int] = []
    runner.reduce(blocks, lambda block: seen.append(block.span.start), lambda _left, _right: None)
    assert sorted(seen) == list(range(0, N, 2048))


def test_a_single_block_needs_no_sum(runner: Runner) -> None:
    rows = np.ones((3, 1))
    assert runner.reduce(ArrayBlocks(rows), lambda block: float(block.rows.sum()), pytest.fail) == 3.0


def test_small_work_stays_on_the_calling_thread(runner: Runner, blocks: Blocks) -> None:
    def where(_block: Block) -> set[int]:
        return {threading.get_ident()}

    assert runner.reduce(blocks, slowly(where), set.union, work=1e3) == {threading.get_ident()}


@pytest.mark.parametrize("first", [0, 3, 9])
def test_what_a_block_raises_is_raised(runner: Runner, blocks: Blocks, first: int) -> None:
    def fail(block: Block) -> int:
        if block.span.start >= first * 2048:
            raise LookupError("no such row")
        return 1

    with pytest.raises(LookupError, match="no such row"):
        runner.reduce(blocks, slowly(fail), int.__add__)
    assert runner.reduce(blocks, lambda _block: 1, int.__add__) == len(blocks)


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
        return SerialRunner().reduce(blocks, lambda block: block.rows.shape[0], int.__add__)

    assert runner.map([task] * 6) == [N] * 6


def test_workers_work_side_by_side(blocks: Blocks) -> None:
    """Two threads meet at a barrier, which one alone would never pass."""
    barrier = threading.Barrier(2, timeout=20)
    met: list[int] = []

    def meet(block: Block) -> int:
        if len(met) < 2:
            met.append(block.span.start)
            barrier.wait()
        return 1

    assert ThreadRunner(2).reduce(blocks, meet, int.__add__) == len(blocks)
    assert len(met) == 2
