"""The pass of a detector over the rows of a table: what is kept of each row is a number or two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mixtura._typing import FloatArray
from mixtura.anomaly.ensemble import Ensemble
from mixtura.anomaly.normal_mixture import log_density
from mixtura.anomaly.standard_rows import StandardRows
from mixtura.anomaly.tail_probability import Tail
from mixtura.core.mixture import Mixture
from mixtura.core.protocols import Block, Blocks
from mixtura.engine import as_data

__all__ = ["Judge", "JudgeRows", "MeanStrangeness", "StableStrangeness", "TailOfDensity", "judged"]

_AT_ONCE = 4_096
"""Rows that all members look at in turn: what they say of them stays in the cache of the processor."""

_WORK_OF_COLUMN, _WORK_OF_ROW = 10.0, 40.0


@dataclass(frozen=True, slots=True, eq=False)
class MeanStrangeness:
    """The score of rows: minus the mean strangeness to the members of an ensemble.

    Parameters
    ----------
    ensemble : Ensemble
    """

    ensemble: Ensemble

    def __call__(self, rows: FloatArray) -> tuple[FloatArray, ...]:
        total = np.zeros(len(rows))
        for member in self.ensemble.members:
            total += member.strangeness(rows)
        return (-total / len(self.ensemble.members),)

    @property
    def work(self) -> float:
        return sum(_work_of(member.density.mixture) for member in self.ensemble.members)


@dataclass(frozen=True, slots=True, eq=False)
class StableStrangeness:
    """The score of rows, and in which share of resamples of the members they are among the strangest.

    Parameters
    ----------
    ensemble : Ensemble
        M members.
    weights : ndarray of shape (R, M)
        Of the members in each resample.
    limits : ndarray of shape (R,)
        Mean strangeness from which on a row is among the strangest of a resample.
    """

    ensemble: Ensemble
    weights: FloatArray
    limits: FloatArray

    def __call__(self, rows: FloatArray) -> tuple[FloatArray, ...]:
        strange = self.ensemble.each(rows)
        stability = (self.weights @ strange >= self.limits[:, None]).mean(axis=0)
        return -strange.sum(axis=0) / len(strange), stability

    @property
    def work(self) -> float:
        return MeanStrangeness(self.ensemble).work + 2.0 * self.weights.size


@dataclass(frozen=True, slots=True, eq=False)
class TailOfDensity:
    """The log probability that a row of a mixture has a density as low as each of some rows.

    Parameters
    ----------
    mixture : Mixture
    tail : Tail
        Of the mixture.
    """

    mixture: Mixture
    tail: Tail

    def __call__(self, rows: FloatArray) -> tuple[FloatArray, ...]:
        n_missing = np.isnan(rows).sum(axis=1)
        return (self.tail.log_probability(log_density(self.mixture, rows), n_missing),)

    @property
    def work(self) -> float:
        return _work_of(self.mixture)


Judge: TypeAlias = MeanStrangeness | StableStrangeness | TailOfDensity
"""From scaled rows (n, D) to numbers per row, (n,) each, with the work of a row."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgeRows:
    """Fill one state with each of the numbers that a judge has for rows in the user's units.

    Parameters
    ----------
    standard : StandardRows
        How rows are scaled.
    judge : Judge
    """

    standard: StandardRows
    judge: Judge

    def __call__(self, block: Block, *states: FloatArray) -> None:
        for start in range(0, block.n_rows, _AT_ONCE):
            here = slice(start, start + _AT_ONCE)
            scaled = self.standard.scaled(np.asarray(block.rows[here], dtype=np.float64))
            for state, found in zip(states, self.judge(scaled), strict=True):
                state[here] = found

    def add(self, total: None, more: None) -> None:
        return None

    def after(self, earlier: object) -> JudgeRows:
        return self

    def work(self, blocks: Blocks) -> float:
        return blocks.n_rows * self.judge.work


def judged(rows: FloatArray, standard: StandardRows, judge: Judge) -> tuple[FloatArray, ...]:
    """Return what a judge says of rows (N, D) in the user's units, (N,) each; rows are read once."""
    data, n_states = as_data(rows), 2 if isinstance(judge, StableStrangeness) else 1
    states = [data.state(np.float64) for _ in range(n_states)]
    data.reduce(JudgeRows(standard, judge), *states)
    return tuple(np.asarray(state.gathered()) for state in states)


def _work_of(mixture: Mixture | None) -> float:
    """Return what a row costs a mixture that looks at it, and what it costs to look it up in ranks."""
    return _WORK_OF_ROW + (0.0 if mixture is None else float(_WORK_OF_COLUMN * mixture.means.size))
