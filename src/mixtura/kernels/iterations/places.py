"""The state that stretches keep, as one vector: which parts it has and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from math import prod
from types import MappingProxyType

from mixtura._typing import FloatArray
from mixtura.kernels.algebra import ClosedForm, CommonForm
from mixtura.kernels.contract import Components, Layout, moment_size, sums_size

__all__ = ["MEMORY", "PAIRS", "SCALARS", "Places", "places_of"]

SCALARS = (
    "n_made", "is_accelerated", "n_passes", "confirming", "best_then", "best", "n_changes", "change_0", "change_1",
    "change_2", "active", "radius", "little", "has_trial", "has_entered", "has_coordinates", "n_history", "n_curvature",
    "has_last", "is_concave", "is_finite", "age", "n_plain", "plain_0", "plain_1", "plain_2", "previous",
    "entered_is_last", "trial_length", "trial_expected",
)  # fmt: skip
"""Numbers at the beginning of a state; flags are 0 or 1."""

_N_SCALARS, PAIRS, MEMORY = 32, 9, 8
"""Room for numbers, for sums before and after a pass, and for differences."""


@dataclass(frozen=True)
class Places:
    """Where the parts of a state stand in its vector.

    Parameters
    ----------
    form : ClosedForm or CommonForm
    layout : Layout
    n_components, n_features : int
    n_levels : int, default=0
        Of all discrete columns, with that of missing values.
    noise, tails : bool, default=False
        Whether there is noise, and whether components are t distributions.
    """

    form: ClosedForm | CommonForm
    layout: Layout
    n_components: int
    n_features: int
    n_levels: int = 0
    noise: bool = False
    tails: bool = False

    @cached_property
    def model(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of weights, means, covariances, whitening factors, log-determinants, and offsets.

        Then of what there is: levels, the weight of noise, degrees of freedom.
        """
        k, d, form = self.n_components, self.n_features, self.form
        own = (k, d) if form.diagonal else (k, d, d)
        one = isinstance(form, ClosedForm) and form.pooled and not form.diagonal
        spheres = form == ClosedForm(pooled=False, diagonal=True, averaged=True)
        whitening = (d, d) if one else own
        beside = ((self.n_levels > 0, (self.n_levels, k)), (self.noise, (1,)), (self.tails, (k,)))
        gaussian = (k,), (k, d), (k,) if spheres else whitening, whitening, (1,) if one else (k,), (k,)
        return *gaussian, *(shape for is_there, shape in beside if is_there)

    def serves(self, components: Components) -> bool:
        """Return whether a pass over components is one that stretches make."""
        return components.layout is self.layout

    @cached_property
    def frame_size(self) -> int:
        return 3 + sum(map(prod, self.model))

    @cached_property
    def _parts(self) -> Mapping[str, tuple[slice, tuple[int, ...]]]:
        k, d = self.n_components, self.n_features
        size = sums_size(self.layout, k, d)
        levels, tails = (max(self.n_levels - 1, 0), k), (k if self.tails else 0,)
        sums = (k * d + size + 2 * tails[0] + self.n_levels * k,)
        point = (size - 2 + prod(levels) + tails[0],)
        own = {Layout.DENSE: (k, d, d), Layout.DIAGONAL: (k, d), Layout.SHARED: (d, d)}[self.layout]
        assert size - 2 == k * (1 + d + moment_size(self.layout, d))
        model = (self.frame_size - 3,)
        shapes = {
            "scalars": (_N_SCALARS,), "model": model, "origin_model": model,
            "entered": sums, "trial": sums, "origin": sums, "trial_point": point, "trial_left": point,
            "point": point, "left": point, "last_point": point, "last_gradient": point,
            "moves": (MEMORY, *point), "drops": (MEMORY, *point),
            "about": (k, d), "roots": (k,), "whitening": own, "coloring": own,
            "likely": levels, "widths": levels, "known": levels,
            "expected": tails, "spreads": tails,
            "linked": (PAIRS,), "history": (PAIRS, 2, *sums),
        }  # fmt: skip
        found, at = {}, 0
        for name, shape in shapes.items():
            found[name] = slice(at, at + prod(shape)), shape
            at += prod(shape)
        return MappingProxyType(found)

    @property
    def size(self) -> int:
        """Length of a state."""
        return int(self.span("history").stop)

    def span(self, name: str) -> slice:
        """Return where a part of a state stands."""
        return self._parts[name][0]

    def part(self, state: FloatArray, name: str) -> FloatArray:
        """Return a part of a state, a view."""
        span, shape = self._parts[name]
        return state[span].reshape(shape)

    @cached_property
    def _of_model(self) -> list[tuple[slice, tuple[int, ...] | None]]:
        """Where the arrays of a model stand, and their shapes where they have several axes."""
        ends = list(accumulate(map(prod, self.model)))
        spans = [slice(end - prod(shape), end) for end, shape in zip(ends, self.model, strict=True)]
        return [
            (span, shape if len(shape) > 1 else None) for span, shape in zip(spans, self.model, strict=True)
        ]

    def model_of(self, vector: FloatArray) -> list[FloatArray]:
        """Return the arrays of a model from one vector: views in the order of `model`.

        Of vectors side by side, (..., frame_size - 3), those of all models.
        """
        if vector.ndim == 1:
            return [
                vector[span] if shape is None else vector[span].reshape(shape)
                for span, shape in self._of_model
            ]
        sides = vector.shape[:-1]
        return [vector[..., span].reshape(*sides, *(shape or (-1,))) for span, shape in self._of_model]


@lru_cache(maxsize=256)
def places_of(
    form: ClosedForm | CommonForm,
    layout: Layout,
    n_components: int,
    n_features: int,
    n_levels: int = 0,
    noise: bool = False,
    tails: bool = False,
) -> Places:
    """Return the places of parts of states, found once."""
    return Places(form, layout, n_components, n_features, n_levels, noise, tails)
