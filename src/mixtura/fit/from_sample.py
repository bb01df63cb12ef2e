"""A fit that begins with that of a sample: where the rows live, a pass takes long, and starts cannot be looked for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mixtura.fit.loop.result import FitResult
from mixtura.fit.restarts import Given, Settings, continue_fit, fit_mixture
from mixtura.fit.steps.accelerated import AcceleratedEMStep
from mixtura.fit.steps.em import Problem

if TYPE_CHECKING:
    from mixtura.fit.init.base import Initialization

__all__ = ["SAMPLE_ROWS", "fit_from_sample"]

SAMPLE_ROWS = 10_000
"""Rows that a start is looked for on."""

_TOLERANCE = 0.01
"""Gain of the total log-likelihood, in nats, that is not worth more passes."""


def fit_from_sample(
    problem: Problem,
    initialization: Initialization,
    settings: Settings,
    *,
    n_init: int = 1,
    random_state: np.random.RandomState,
    given: Given | None = None,
) -> FitResult:
    """Fit a mixture to 10,000 of the rows, drawn at random, and go on from it with all of them.

    Parameters
    ----------
    problem : Problem
    initialization, n_init, random_state, given
        As of `fit_mixture`; starts are those of the sample.
    settings : Settings
        Passes over all rows are accelerated.
    """
    given = Given() if given is None else given
    going_on = replace(settings, step=partial(AcceleratedEMStep, tolerance=_TOLERANCE))
    if given.is_complete:
        return fit_mixture(problem, initialization, going_on, random_state=random_state, given=given)
    sample = replace(problem, data=problem.data.sample(SAMPLE_ROWS, int(random_state.randint(2**31 - 1))))
    found = fit_mixture(
        sample, initialization, settings, n_init=n_init, random_state=random_state, given=given
    )
    result = continue_fit(problem, found.mixture, going_on)
    return replace(result, notes=(*found.notes, *result.notes))
