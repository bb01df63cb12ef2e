"""What a model has against outliers, in its file: noise, and degrees of freedom; and its components without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtura.core.mixture import Mixture
from mixtura.core.parts.student import Tails
from mixtura.exceptions import ParameterError
from mixtura.kernels.terms.background import Background, Box

if TYPE_CHECKING:
    from mixtura.io.model_schema import BoxValues, RobustValues

__all__ = ["OUTLIER", "components_alone", "read_robust", "require_gaussian", "robust_content", "robust_kind"]


OUTLIER = "outlier"
"""What stands for the segment of customers who lie far from all segments."""


def robust_kind(mixture: Mixture) -> str:
    """Return what a mixture has against outliers: "noise", "t" or "none"."""
    if mixture.background is not None:
        return "noise"
    return "none" if mixture.tails is None else "t"


def require_gaussian(mixture: Mixture, form: str) -> None:
    """Raise `ParameterError` where a mixture has noise, t or no continuous columns: it cannot be written as `form`."""
    if not mixture.n_features:
        raise ParameterError(
            f"A model of discrete columns alone cannot be written as {form}. Assign the customers with the model "
            "itself."
        )
    kind = robust_kind(mixture)
    if kind != "none":
        what = "noise for outliers" if kind == "noise" else "t components"
        raise ParameterError(
            f"A model with {what} cannot be written as {form}; only Gaussian components can. Assign the customers with "
            'the model itself, or segment with `robust="none"`.'
        )


def components_alone(mixture: Mixture) -> Mixture:
    """Return the mixture of those who belong to a component, without noise."""
    if mixture.background is None:
        return mixture
    return replace(mixture, weights=mixture.weights / mixture.weights.sum(), offsets=None, background=None)


def robust_content(mixture: Mixture) -> dict[str, Any]:
    """Return what a model file says of noise and tails: nothing where there are none."""
    noise, tails = mixture.background, mixture.tails
    if noise is None and tails is None:
        return {}
    spread = noise and {
        "weight": noise.weight,
        "box": _content(noise.box),
        "columns": _content(noise.columns),
    }
    freedom = tails and {"freedom": tails.freedom.tolist(), "common": tails.common}
    return {"robust": {"noise": spread, "tails": freedom}}


def read_robust(values: RobustValues | None, mixture: Mixture) -> Mixture:
    """Return the mixture of a model file with the noise and the tails that the file says."""
    if values is None:
        return mixture
    if values.tails is not None:
        mixture = replace(mixture, tails=Tails(np.array(values.tails.freedom), values.tails.common))
    if values.noise is None:
        return mixture
    table = mixture.levels
    logs = None if table is None else table.columns.maximize(None)[:, 0]
    noise = Background(values.noise.weight, _box(values.noise.box), _box(values.noise.columns), logs)
    return replace(mixture, offsets=None, background=noise)


def _content(box: Box) -> dict[str, Any]:
    axes = None if box.axes is None else box.axes.tolist()
    origin = None if box.origin is None else box.origin.tolist()
    return {"lower": box.lower.tolist(), "ranges": box.ranges.tolist(), "axes": axes, "origin": origin}


def _box(values: BoxValues) -> Box:
    axes = None if values.axes is None else np.array(values.axes)
    origin = None if values.origin is None else np.array(values.origin)
    return Box(np.array(values.lower), np.array(values.ranges), axes, origin)
