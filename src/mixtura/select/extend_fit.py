"""A model that was chosen on a sample, fitted to all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from mixtura._typing import FloatArray
from mixtura.core.covariance import get_family
from mixtura.core.data import Data
from mixtura.core.model import GaussianModel
from mixtura.fit import (
    AcceleratedEMStep,
    Event,
    Problem,
    RemainingGain,
    Settings,
    continue_fit,
    score_mixture,
)
from mixtura.select.model_search.candidate import Candidate
from mixtura.select.priors import PriorName, make_prior

__all__ = ["extend_fit"]

_TOLERANCE = 0.5
"""Nats of the total log-likelihood that may be left to be gained: far less than what another table would change."""

_MAX_ITER = 200


def extend_fit(
    candidate: Candidate,
    sample: Data,
    data: Data,
    *,
    prior: PriorName | float = "floor",
    rounding: FloatArray | None = None,
    on_pass: Callable[[int, int | None], object] | None = None,
) -> Candidate:
    """Return a candidate fitted to all rows, from where the fit to a sample of them ended, with its score on all.

    Parameters
    ----------
    candidate : Candidate
        Found on the sample; it has a mixture.
    sample : Data
        What the prior is made from, as it was for the candidate.
    data : Data
        All rows, on the scale of the sample.
    prior, rounding
        As of `mixtura.select.search`.
    on_pass : callable, optional
        Called after each pass over all rows with how many were made; how many will be needed is not known.
    """
    assert candidate.mixture is not None, "a candidate that failed is not chosen"
    k = candidate.n_components
    kept = make_prior(prior, sample.total, k, rounding)
    problem = Problem(data, GaussianModel(k, get_family(candidate.covariance_type), kept, data.discrete))
    stop = RemainingGain(data.total_weight, _TOLERANCE, kept.ridge > 0)
    step = partial(AcceleratedEMStep, tolerance=_TOLERANCE)

    def observe(event: Event, state: object) -> None:
        if on_pass is not None:
            on_pass(event.iteration, None)

    result = continue_fit(problem, candidate.mixture, Settings(stop, _MAX_ITER, observe, step))
    score = score_mixture(data, result.mixture)
    return replace(
        candidate,
        n_rows=data.total_weight,
        log_likelihood=score.log_likelihood,
        entropy=score.entropy,
        classification_entropy=score.classification_entropy,
        mixture=result.mixture,
        result=result,
    )
