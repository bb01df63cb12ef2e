"""The passes that read single rows: outputs of components per row, rows by number, samples by hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

import mixtura.core.queries as queries
from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.core.accumulate import evaluate, pass_work
from mixtura.core.protocols import Block, Blocks, Pass
from mixtura.kernels import Components, Kernel, Outputs

if TYPE_CHECKING:
    from mixtura.expressions.aggregates import Aggregates

__all__ = ["Chosen", "Evaluate", "Rows", "SmallestHashes", "TotalWeight", "hash_numbers"]

Chosen: TypeAlias = list[tuple[IntArray, RowArray, FloatArray | None, IntArray | None]]
"""Rows chosen from some blocks: their places in the result, the rows, their weights and levels where there are any."""


_AT_ONCE = 1 << 20
"""Rows whose numbers are hashed at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluate:
    """Fill states with what components say of the rows.

    Parameters
    ----------
    components : Components
    kernel : Kernel
    outputs : tuple of str
        Which field of `Outputs` each state is, in the order of the states.
    hard : bool, default=False
        Give every row wholly to its most likely component.
    """

    components: Components
    kernel: Kernel
    outputs: tuple[str, ...]
    hard: bool = False

    def __call__(self, block: Block, *states: Any) -> None:
        outputs = Outputs(**dict(zip(self.outputs, states, strict=True)))
        evaluate(block, self.components, self.kernel, outputs, hard=self.hard)

    def add(self, total: None, more: None) -> None:
        return None

    def after(self, earlier: Pass[Any]) -> Evaluate:
        return self

    def work(self, blocks: Blocks) -> float:
        return pass_work(self.components.layout, blocks.n_rows, *self.components.means.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some rows and their weights, by number; `joined` brings them into the order of the numbers.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        In any order; a row may stand there several times.
    """

    numbers: IntArray

    def __call__(self, block: Block) -> Chosen:
        within = self.numbers - block.start
        places = ((within >= 0) & (within < block.n_rows)).nonzero()[0]
        if not places.size:
            return []
        chosen, weight = within if places.size == within.size else within[places], block.sample_weight
        levels = None if block.levels is None else block.levels[chosen]
        return [(places, block.rows[chosen], None if weight is None else weight[chosen], levels)]

    def add(self, total: Chosen, more: Chosen) -> Chosen:
        return total + more

    def of_rows(self, numbers: IntArray, rows: RowArray, weights: FloatArray | None) -> Chosen:
        """Return the same of rows that were asked for by number, (n,), ascending and each once."""
        at = np.searchsorted(numbers, self.numbers)
        return [(np.arange(self.numbers.size), rows[at], None if weights is None else weights[at], None)]

    def work(self, blocks: Blocks) -> float:
        return float(self.numbers.size * (len(blocks) + blocks.n_features))

    def joined(self, chosen: Chosen) -> tuple[RowArray, FloatArray | None, IntArray | None]:
        """Return the rows, (n, D), their weights, (n,), and levels, (n, J), or None where there are none."""
        if len(chosen) == 1:
            return chosen[0][1:]
        places = np.concatenate([one[0] for one in chosen])
        order = np.empty_like(places)
        order[places] = np.arange(places.size)
        rows: RowArray = np.concatenate([one[1] for one in chosen])[order]
        parts = [one[3] for one in chosen if one[3] is not None]
        levels = np.concatenate(parts)[order] if parts else None
        if all(one[2] is None for one in chosen):
            return rows, None, levels
        weights = [np.ones(len(one[1])) if one[2] is None else one[2] for one in chosen]
        return rows, np.concatenate(weights)[order], levels


@dataclass(frozen=True, slots=True, eq=False)
class SmallestHashes:
    """Numbers and hashes of the rows whose numbers have the smallest hashes: a random sample without replacement.

    It depends on the seed and the numbers of the rows alone, so that it is the same wherever the rows live, however
    they are cut into blocks; the smallest m of n are the sample of m rows.

    Parameters
    ----------
    n_rows : int
    seed : int
    positive : bool, default=False
        Leave out rows of weight zero.
    """

    n_rows: int
    seed: int
    positive: bool = False

    def __call__(self, block: Block) -> tuple[IntArray, IntArray]:
        numbers = np.arange(block.start, block.start + block.n_rows)
        if self.positive and block.sample_weight is not None:
            numbers = numbers[block.sample_weight > 0]
        return self._smallest(numbers, hash_numbers(numbers, self.seed))

    def add(
        self, total: tuple[IntArray, IntArray], more: tuple[IntArray, IntArray]
    ) -> tuple[IntArray, IntArray]:
        numbers, hashes = (np.concatenate(pair) for pair in zip(total, more, strict=True))
        return self._smallest(numbers, hashes)

    def of_numbers(self, n_rows: int) -> tuple[IntArray, IntArray]:
        """Return the same of rows that are known by their number alone, none of which has the weight zero."""
        total: tuple[IntArray, IntArray] = np.empty(0, dtype=np.intp), np.empty(0, dtype=np.uint64)
        for start in range(0, n_rows, _AT_ONCE):
            numbers = np.arange(start, min(start + _AT_ONCE, n_rows))
            total = self.add(total, self._smallest(numbers, hash_numbers(numbers, self.seed)))
        return total

    def _smallest(self, numbers: IntArray, hashes: IntArray) -> tuple[IntArray, IntArray]:
        if numbers.size <= self.n_rows:
            return numbers, hashes
        kept = np.argpartition(hashes, self.n_rows - 1)[: self.n_rows]
        return numbers[kept], hashes[kept]

    def work(self, blocks: Blocks) -> float:
        return 20.0 * blocks.n_rows


def hash_numbers(numbers: IntArray, seed: int) -> IntArray:
    """Return 64-bit hashes of row numbers, (n,), no two of them equal: SplitMix64 (Steele, Lea and Flood 2014).

    Parameters
    ----------
    numbers : ndarray of shape (n,)
    seed : int
        Not negative.
    """
    constants = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
    start = np.uint64(seed * 0xD1342543DE82EF95 % 2**64)
    z = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + start
    for shift, constant in zip((30, 27), constants, strict=True):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(constant)
    return np.asarray(z ^ (z >> np.uint64(31)))


@dataclass(frozen=True, slots=True, eq=False)
class TotalWeight:
    """The sum of the sample weights."""

    def __call__(self, block: Block) -> float:
        return float(block.n_rows if block.sample_weight is None else block.sample_weight.sum())

    def query(self, *, weighted: bool) -> Aggregates[float]:
        return queries.weight_query(weighted=weighted)

    def add(self, total: float, more: float) -> float:
        return total + more

    def work(self, blocks: Blocks) -> float:
        return float(blocks.n_rows)
