"""Some passes from many mixtures, of which the likeliest are gone on with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.fit.loop.result import FitResult
from mixtura.fit.loop.stopping import StoppingRule
from mixtura.fit.restarts import continue_batch
from mixtura.fit.steps.em import EMStep, Problem
from mixtura.fit.steps.stretched import StretchedEM, stretched
from mixtura.kernels.iterations.stretch import Contestant, Ending

__all__ = ["likeliest_after"]


def likeliest_after(
    problem: Problem, starts: Sequence[Mixture], stop: StoppingRule, n_passes: int, most: int
) -> list[Mixture]:
    """Return what some plain passes make of mixtures, of those that are the likeliest before the last of them.

    Parameters
    ----------
    problem : Problem
    starts : sequence of Mixture
        Of its family and number of components.
    stop : StoppingRule
        As for `continue_batch`.
    n_passes : int
        At least one.
    most : int
        Mixtures to return, the likeliest first; fewer where fewer have a likelihood.
    """
    step = stretched(EMStep(problem), problem, 0.0)
    runs = _runs(step, starts, n_passes) if isinstance(step, StretchedEM) else None
    if isinstance(step, StretchedEM) and runs is not None:
        best = sorted(runs, key=lambda run: -float(run.frames[-1, 0]))[:most]
        return [step.states.mixture(run.frames[-1, 3:].copy()).refined() for run in best]
    tried = continue_batch([problem] * len(starts), starts, stop, n_passes)
    ends = [one for one in tried if isinstance(one, FitResult)]
    return [one.mixture for one in sorted(ends, key=lambda one: -one.lower_bound)[:most]]


def _runs(step: StretchedEM, starts: Sequence[Mixture], n_passes: int) -> list[Contestant] | None:
    """Return the passes of all, made by compiled code; None where one takes more care."""
    packed, runs = np.array([step.states.pack_model(one) for one in starts]), list[Contestant]()
    at_a_time = max(1, step.most_steps // n_passes)
    while len(runs) < len(packed):
        rest = packed[len(runs) : len(runs) + at_a_time]
        runs += step.stretch.contest(rest, None, None, n_passes, n_passes * len(rest))
        if runs[-1].ending is not Ending.COMPLETE:
            return None
    return runs
