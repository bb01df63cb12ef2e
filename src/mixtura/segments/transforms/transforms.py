"""Transforms of skewed columns: what a model sees of them, and the way back to the user's units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np

from mixtura._typing import FloatArray
from mixtura.exceptions import ParameterError
from mixtura.expressions.expression import Case, Expression, Number, clipped, expm1, log1p

__all__ = [
    "IDENTITY",
    "TRANSFORMS",
    "Identity",
    "Log1p",
    "Transform",
    "Winsorized",
    "YeoJohnson",
    "build_transform",
    "fit_transform",
]

_PERCENTILES = (1.0, 99.0)
"""Winsorizing moves what lies outside of them onto them."""


class Transform(Protocol):
    """A monotone function of one column, ``z = T(x)``.

    The density of the user's values is that of the transformed ones times ``T'(x)``, the Jacobian.
    """

    kind: ClassVar[str]

    @property
    def n_parameters(self) -> int:
        """Parameters that were chosen by likelihood; they count in BIC."""
        ...

    def forward(self, values: FloatArray) -> FloatArray:
        """Return ``T(x)``, any shape."""
        ...

    def inverse(self, values: FloatArray) -> FloatArray:
        """Return x of ``T(x)``, any shape."""
        ...

    def log_derivative(self, values: FloatArray) -> FloatArray:
        """Return ``log T'(x)``, any shape."""
        ...

    def parameters(self) -> dict[str, float]:
        """Return what a model file keeps of it, beside its kind."""
        ...

    def expression(self, value: Expression) -> Expression:
        """Return ``T(x)`` of an expression, for exports."""
        ...

    def log_derivative_expression(self, value: Expression) -> Expression:
        """Return ``log T'(x)`` of an expression."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Values as they are."""

    kind: ClassVar[str] = "none"
    n_parameters: int = field(default=0, init=False)

    def forward(self, values: FloatArray) -> FloatArray:
        return values

    def inverse(self, values: FloatArray) -> FloatArray:
        return values

    def log_derivative(self, values: FloatArray) -> FloatArray:
        return np.zeros_like(values)

    def parameters(self) -> dict[str, float]:
        return {}

    def expression(self, value: Expression) -> Expression:
        return value

    def log_derivative_expression(self, value: Expression) -> Expression:
        return Number(0.0)


@dataclass(frozen=True, slots=True)
class Log1p:
    """``T(x) = log(1 + x)``; zero stays zero.

    Below zero it goes on as ``-log(1 - x)``, so that a later customer with a negative value has a place, far out. The
    rows a model is learned from hold none.
    """

    kind: ClassVar[str] = "log1p"
    n_parameters: int = field(default=0, init=False)

    def forward(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.sign(values) * np.log1p(np.abs(values)))

    def inverse(self, values: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return np.asarray(np.sign(values) * np.expm1(np.abs(values)))

    def log_derivative(self, values: FloatArray) -> FloatArray:
        return np.asarray(-np.log1p(np.abs(values)))

    def parameters(self) -> dict[str, float]:
        return {}

    def expression(self, value: Expression) -> Expression:
        return Case(((value < 0.0, 0.0 - log1p(0.0 - value)),), log1p(value))

    def log_derivative_expression(self, value: Expression) -> Expression:
        return Case(((value < 0.0, 0.0 - log1p(0.0 - value)),), 0.0 - log1p(value))


@dataclass(frozen=True, slots=True)
class YeoJohnson:
    """Yeo and Johnson's power transform (Biometrika 2000), which takes any sign.

    ``T(x) = ((1 + x)^p - 1) / p`` for x at least 0, ``-((1 - x)^(2 - p) - 1) / (2 - p)`` below; with their limits
    ``log(1 + x)`` at p = 0 and ``-log(1 - x)`` at p = 2.

    Parameters
    ----------
    exponent : float
        p, from 0 to 2. Only there does every number have an inverse.
    """

    kind: ClassVar[str] = "yeo-johnson"
    exponent: float
    n_parameters: int = field(default=1, init=False)

    def forward(self, values: FloatArray) -> FloatArray:
        size, power = self._folded(values)
        with np.errstate(over="ignore"):
            risen = np.where(
                power > 0, np.expm1(power * np.log1p(size)) / np.where(power > 0, power, 1), np.log1p(size)
            )
        return np.asarray(np.sign(values) * risen)

    def inverse(self, values: FloatArray) -> FloatArray:
        size, power = self._folded(values)
        with np.errstate(over="ignore"):
            fallen = np.where(
                power > 0,
                np.expm1(np.log1p(power * size) / np.where(power > 0, power, 1)),
                np.expm1(np.where(power > 0, 0, size)),
            )
        return np.asarray(np.sign(values) * fallen)

    def log_derivative(self, values: FloatArray) -> FloatArray:
        size, power = self._folded(values)
        return np.asarray((power - 1) * np.log1p(size))

    def parameters(self) -> dict[str, float]:
        return {"exponent": self.exponent}

    def expression(self, value: Expression) -> Expression:
        below, above = _risen(0.0 - value, 2 - self.exponent), _risen(value, self.exponent)
        return Case(((value < 0.0, 0.0 - below),), above)

    def log_derivative_expression(self, value: Expression) -> Expression:
        below, above = (1 - self.exponent) * log1p(0.0 - value), (self.exponent - 1) * log1p(value)
        return Case(((value < 0.0, below),), above)

    def _folded(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return sizes, and the power that holds on their side of zero."""
        values = np.asarray(values, dtype=np.float64)
        return np.abs(values), np.where(values >= 0, self.exponent, 2 - self.exponent)


@dataclass(frozen=True, slots=True)
class Winsorized:
    """Values beyond two limits count as the limits.

    Values beyond a limit become the limit; their inverse is the limit, and densities are those of the clipped values.

    Parameters
    ----------
    low, high : float
        In the user's units.
    """

    kind: ClassVar[str] = "winsorize"
    low: float
    high: float
    n_parameters: int = field(default=0, init=False)

    def forward(self, values: FloatArray) -> FloatArray:
        return np.clip(values, self.low, self.high)

    def inverse(self, values: FloatArray) -> FloatArray:
        return np.clip(values, self.low, self.high)

    def log_derivative(self, values: FloatArray) -> FloatArray:
        return np.zeros_like(values)

    def parameters(self) -> dict[str, float]:
        return {"low": self.low, "high": self.high}

    def expression(self, value: Expression) -> Expression:
        return clipped(value, self.low, self.high)

    def log_derivative_expression(self, value: Expression) -> Expression:
        return Number(0.0)


def _risen(size: Expression, power: float) -> Expression:
    """Return ``((1 + size)^power - 1) / power`` of an expression of at least 0."""
    return expm1(power * log1p(size)) / power if power > 0 else log1p(size)


IDENTITY = Identity()

TRANSFORMS = ("none", "log1p", "yeo-johnson", "winsorize")
"""What a column may be transformed by; "auto" chooses among them."""


def build_transform(kind: str, **parameters: float) -> Transform:
    """Return a transform from what a model file keeps of it.

    Examples
    --------
    >>> from mixtura.segments.transforms.transforms import build_transform
    >>> build_transform("yeo-johnson", exponent=0.5).forward(np.array([-3.0, 0.0, 3.0])).round(3)
    array([-4.667,  0.   ,  2.   ])
    """
    kinds = {one.kind: one for one in (Identity, Log1p, YeoJohnson, Winsorized)}
    built: Transform = kinds[kind](**parameters)
    return built


def fit_transform(kind: str, column: str, values: FloatArray, weights: FloatArray | None = None) -> Transform:
    """Return the transform of a column, with parameters from its values.

    The exponent of Yeo and Johnson's is the maximum-likelihood one for a single Gaussian, from 0 to 2. Winsorizing is
    at percentiles 1 and 99.

    Parameters
    ----------
    kind : str
        One of `TRANSFORMS`.
    column : str
        Its name, for messages.
    values : ndarray of shape (N,)
        Finite.
    weights : ndarray of shape (N,) or None, default=None

    Raises
    ------
    ParameterError
        There is no such transform, or it does not take these values.

    Examples
    --------
    >>> import numpy as np
    >>> from mixtura.segments import fit_transform
    >>> fit_transform("winsorize", "revenue", np.arange(1001.0))
    Winsorized(low=10.0, high=990.0, n_parameters=0)
    """
    from mixtura.segments.weighted import quantiles

    if kind == "none":
        return IDENTITY
    if kind == "winsorize":
        low, high = quantiles(values, np.array(_PERCENTILES) / 100, weights)
        return Winsorized(float(low), float(high))
    if kind == "yeo-johnson":
        return YeoJohnson(_likeliest_exponent(values, weights))
    if kind != "log1p":
        raise ParameterError(
            f"`transform` must be one of {', '.join(TRANSFORMS)}, or auto; got {kind!r} for the column {column!r}. Try "
            '`transform="auto"`.'
        )
    if values.min() < 0:
        raise ParameterError(
            f"The transform log1p needs values of at least 0; the column {column!r} holds {values.min():g}. Try "
            "yeo-johnson."
        )
    return Log1p()


def _likeliest_exponent(values: FloatArray, weights: FloatArray | None) -> float:
    """Maximize ``-1/2 W log var(T(x)) + sum w log T'(x)`` (Yeo and Johnson 2000, section 3)."""
    from scipy.optimize import minimize_scalar

    def loss(exponent: float) -> float:
        transform = YeoJohnson(exponent)
        moved = transform.forward(values)
        unit = float(np.abs(moved).max()) or 1.0
        variance = np.average(np.square((moved - np.average(moved, weights=weights)) / unit), weights=weights)
        if not 0 < variance < np.inf:
            return np.inf
        spread = 0.5 * np.log(variance) + np.log(unit)
        return float(spread - np.average(transform.log_derivative(values), weights=weights))

    found = float(minimize_scalar(loss, bounds=(0, 2), method="bounded", options={"xatol": 1e-6}).x)
    return min((0.0, 1.0, 2.0, found), key=loss)
