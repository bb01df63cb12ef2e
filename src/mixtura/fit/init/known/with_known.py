"""Starts of a fit whose rows are known in part: from these rows themselves, or any other start in their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mixtura._typing import FloatArray, IntArray
from mixtura.core.accumulate import AccumulateAbout, EStep
from mixtura.core.parts.known_labels import known_levels
from mixtura.core.parts.level_models import KNOWN
from mixtura.fit.init.base import Initialization, Initializer, InitialStatistics
from mixtura.fit.init.known.known_kmeans import best_order, kmeans_of_known, known_labels
from mixtura.fit.init.sample import FromLabels, draw_sample
from mixtura.fit.steps.em import Problem
from mixtura.kernels import Components

__all__ = ["FromKnown", "WithKnown"]


class FromKnown:
    """K-means of a sample of the rows in which known rows keep their component, see `kmeans_of_known`.

    Parameters
    ----------
    coordinates : str, default="std"
        One of `TRANSFORMS`.
    """

    def __init__(self, coordinates: str = "std") -> None:
        self._coordinates = coordinates

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        sample = draw_sample(problem.data, rng)
        known = known_labels(sample.data)
        assert known is not None, "some rows are known"
        seen = sample.seen_as(self._coordinates)
        labels = kmeans_of_known(seen.rows, seen.weights, known, problem.model.n_components, rng)
        return FromLabels(sample, labels).prepare(problem, rng)


class WithKnown:
    """Another start, with its components in the order of the known rows, and these where they belong.

    Its mixture, as if nothing were known, says how much of each known component is in which of its own.

    Parameters
    ----------
    initialization : Initialization
    """

    def __init__(self, initialization: Initialization) -> None:
        self._initialization = initialization

    def prepare(self, problem: Problem, rng: np.random.RandomState) -> Initializer:
        initializer = self._initialization.prepare(problem, rng)

        def finish(problem: Problem) -> InitialStatistics:
            start, data = initializer(problem), problem.data
            moments, levels = problem.model.structure.moments[-1], known_levels(data.discrete)
            if levels is not None and levels.stop - levels.start > problem.model.n_components:
                return start
            mixture = start.first_mixture(problem)
            components = mixture.components(moments)
            assert levels is not None, "some rows are known"
            assert components.table is not None, "known rows have levels"
            free = components.table.copy()
            free[levels] = 0.0
            sums = data.reduce(EStep(replace(components, table=free), data.kernel))
            assert sums.levels is not None, "known rows have levels"
            order = best_order(sums.levels[levels])
            again = _in_order(components, free, levels, order)
            about = AccumulateAbout(again, again.means, moments, data.kernel)
            return InitialStatistics(data.reduce(about), start.notes, n_passes=start.n_passes + 2)

        return finish


def _in_order(components: Components, table: FloatArray, levels: slice, order: IntArray) -> Components:
    """Return components in another order, in whose table the levels of known rows are those that they belong to."""
    logs = np.ascontiguousarray(table[:, order])
    logs[levels] = KNOWN.log_probabilities(logs[levels])
    return replace(
        components,
        means=np.ascontiguousarray(components.means[order]),
        factors=np.ascontiguousarray(components.factors[order]),
        offsets=components.offsets[order],
        table=logs,
        freedom=None if components.freedom is None else components.freedom[order],
    )
