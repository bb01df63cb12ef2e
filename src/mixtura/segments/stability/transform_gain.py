"""Whether transformed columns make better segments: more likely customers held out, and more stable segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import MixturaError
from mixtura.segments.options import Settings
from mixtura.segments.stability.model_choice import ComparisonSample, Contender, choose_model
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.transforms.recommend_transform import TransformAdvice
from mixtura.segments.transforms.scaling import Scaling, scaling_of
from mixtura.segments.transforms.transforms import IDENTITY, Transform
from mixtura.select import Candidate, search

__all__ = ["TransformGain", "keep_gains", "transform_gain"]

_ROWS = 1_000
"""Rows that both are tried on, of larger tables."""

_COMPONENTS = range(1, 7)
_FOLDS = 5
_GAINS = 1.96


@dataclass(frozen=True, slots=True)
class TransformGain:
    """What transforming gains.

    Parameters
    ----------
    held_out : float
        By how many standard errors the log-likelihood of customers held out rises.
    stability : float
        By how many standard errors the agreement of the segments of resamples rises.
    """

    held_out: float
    stability: float

    @property
    def is_gain(self) -> bool:
        """Whether both rise: customers held out by 1.96 standard errors, stability by one."""
        return self.held_out >= _GAINS and self.stability >= 1.0


def transform_gain(
    rows: FloatArray, weights: FloatArray | None, plain: Scaling, moved: Scaling, settings: Settings
) -> TransformGain:
    """Segment a sample with and without transforms, and compare what comes out.

    Of each the model is chosen as `segment_table` does, among one to six segments with full and diagonal covariances.
    Densities are of the user's units, so that they can be compared.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
        In the user's units; NaN where a value is missing.
    weights : ndarray of shape (N,) or None
    plain, moved : Scaling
        Without and with transforms.
    settings : Settings
        Its seed and prior.
    """
    rows, weights = _sample(rows, weights, settings.seed)
    asked = replace(
        settings, components=[k for k in _COMPONENTS if 4 * k <= len(rows)], covariance_types=("full", "diag"),
        criterion="bic", n_init=1, min_share=0.0,
    )  # fmt: skip
    try:
        both = [_segmented(rows, weights, scaling, asked) for scaling in (plain, moved)]
        densities = [
            _held_out(rows, weights, scaling, one.candidate, asked)
            for scaling, one in zip((plain, moved), both, strict=True)
        ]
    except MixturaError:  # too few rows for folds
        return TransformGain(0.0, 0.0)
    gains = densities[1] - densities[0]
    mean = float(np.average(gains, weights=weights))
    error = float(np.sqrt(np.average((gains - mean) ** 2, weights=weights) / gains.size))
    return TransformGain(mean / error if error > 0 else 0.0, float(both[0].less_stable_by(both[1])))


def _sample(rows: FloatArray, weights: FloatArray | None, seed: int) -> tuple[FloatArray, FloatArray | None]:
    there = ~np.isnan(rows).all(axis=1) if weights is None else ~np.isnan(rows).all(axis=1) & (weights > 0)
    chosen = np.flatnonzero(there)
    if chosen.size > _ROWS:
        chosen = np.sort(np.random.RandomState(seed).choice(chosen, _ROWS, replace=False))
    return np.ascontiguousarray(rows[chosen]), None if weights is None else weights[chosen]


def _segmented(
    rows: FloatArray, weights: FloatArray | None, scaling: Scaling, settings: Settings
) -> Contender:
    ranking = settings.search(scaling.apply(rows), None, None, weights, scaled_steps(rows, scaling)).ranking
    sound = [one for one in ranking if one.mixture is not None and not one.is_degenerate] or list(ranking)
    best = choose_model(sound, rows, scaling, settings, weights).best
    return ComparisonSample.of(rows, scaling, weights, settings).contender(best, 0.0)


def _held_out(
    rows: FloatArray, weights: FloatArray | None, scaling: Scaling, like: Candidate, settings: Settings
) -> FloatArray:
    """Return the log density of each row, in the user's units, under the model learned from the other folds, (N,)."""
    folds = np.random.RandomState(settings.seed).permutation(len(rows)) % _FOLDS
    scaled, found, steps = scaling.apply(rows), np.empty(len(rows)), scaled_steps(rows, scaling)
    for fold in range(_FOLDS):
        held = folds == fold
        best = search(
            np.ascontiguousarray(scaled[~held]),
            components=[like.n_components],
            covariance_types=[like.covariance_type],
            random_state=settings.seed,
            sample_weight=None if weights is None else weights[~held],
            prior=settings.prior,
            rounding=steps,
            missing="fiml",
        ).best
        assert best.mixture is not None, "a search without any mixture has raised"
        found[held] = best.mixture.log_density(np.ascontiguousarray(scaled[held]))
    return found + scaling.log_jacobian(rows, observed=True)


def keep_gains(
    rows: FloatArray,
    weights: FloatArray | None,
    transforms: tuple[Transform, ...],
    advice: tuple[TransformAdvice, ...],
    chosen: Sequence[bool],
    settings: Settings,
) -> tuple[tuple[Transform, ...], tuple[TransformAdvice, ...]]:
    """Return the transforms, those that the rule chose only where all of them together gain, and the advice after it.

    Winsorized values are not comparable with others by the density, so that nothing can be gained: columns are
    winsorized only where that is asked for.

    Parameters
    ----------
    rows : ndarray of shape (N, D)
    weights : ndarray of shape (N,) or None
    transforms : tuple of Transform, length D
        As asked for, or by the rule.
    advice : tuple of TransformAdvice, length D
    chosen : sequence of bool, length D
        Whether the rule chose the transform.
    settings : Settings
    """
    tried = [by_rule and one.kind != "none" for by_rule, one in zip(chosen, transforms, strict=True)]
    if not any(tried):
        return transforms, advice
    plain = tuple(IDENTITY if out else one for out, one in zip(tried, transforms, strict=True))
    moved = tuple(
        IDENTITY if out and one.kind == "winsorize" else one
        for out, one in zip(tried, transforms, strict=True)
    )
    if moved != plain:
        before, after = (scaling_of(rows, weights, kinds) for kinds in (plain, moved))
        if transform_gain(rows, weights, before, after, settings).is_gain:
            plain = moved
    said = tuple(
        _not_used(one) if out and done.kind == "none" else one
        for one, out, done in zip(advice, tried, plain, strict=True)
    )
    return plain, said


def _not_used(advice: TransformAdvice) -> TransformAdvice:
    lacking = (
        "its densities cannot be compared"
        if advice.kind == "winsorize"
        else "customers held out are not more likely, or segments not more stable"
    )
    reason = f"{advice.kind} was tried and is not used: {lacking} ({advice.reason})"
    return replace(advice, kind="none", skewness_after=advice.skewness, reason=reason)
