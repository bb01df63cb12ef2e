"""The model file, formats 2 to 4, as pydantic checks it, and what format 1 lacks.

Format 3 has discrete columns, format 4 what later rows are compared with and added to, noise and tails, and segments of
several components.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mixtura.core.mixture import Mixture
from mixtura.io.schema.statistics_schema import StatisticsValues
from mixtura.io.schema.strict_base import Count, Strict, Vector

__all__ = [
    "AnomalyRule",
    "BoxValues",
    "DiscreteValues",
    "Document",
    "Log1p",
    "MixtureValues",
    "NoiseValues",
    "PastAddition",
    "ReferenceSums",
    "ReferenceValues",
    "RobustValues",
    "Scaling",
    "TailValues",
    "Training",
    "Untransformed",
    "Winsorized",
    "YeoJohnson",
    "upgraded",
]


class Untransformed(Strict):
    """A column as it is."""

    kind: Literal["none"]


class Log1p(Strict):
    """``log(1 + x)``, and ``-log(1 - x)`` below zero."""

    kind: Literal["log1p"]


class YeoJohnson(Strict):
    """Yeo and Johnson's power transform."""

    kind: Literal["yeo-johnson"]
    exponent: Annotated[float, Field(ge=0, le=2)]


class Winsorized(Strict):
    """Values beyond the limits count as the limits."""

    kind: Literal["winsorize"]
    low: float
    high: float


Transform = Annotated[Untransformed | Log1p | YeoJohnson | Winsorized, Field(discriminator="kind")]


class Scaling(Strict):
    """``z = (T(x) - center) / scale``, one value per column; T as `transforms` say."""

    center: Vector
    scale: list[Annotated[float, Field(gt=0)]]
    transforms: list[Transform]


class MixtureValues(Strict):
    """Parameters of the mixture of the scaled rows; covariances in the shape of their type."""

    covariance_type: str
    weights: Vector
    means: list[Vector]
    covariances: Vector | list[Vector] | list[list[Vector]]

    def build(self, noise: float = 0.0) -> Mixture:
        """Return the mixture; raises `ParameterError` where there is none with these parameters.

        With noise of some weight, those of the components sum to one less that.
        """
        weights = [one / (1.0 - noise) for one in self.weights]
        return Mixture.from_parameters(weights, self.means, self.covariances, self.covariance_type)


class DiscreteColumn(Strict):
    """A column of counts or categories, or the point masses of a continuous one; probabilities by segment and level.

    The levels of a count are its numbers, from 0 or 1 on, the last for all larger ones.
    """

    name: str
    kind: Literal["category", "ordered", "count", "spike"]
    model: Literal["category", "poisson", "negative binomial"]
    levels: Annotated[list[str], Field(min_length=2)]
    labels: Annotated[list[str], Field(default_factory=list)]
    shares: Vector
    log_probabilities: list[list[Annotated[float, Field(le=1e-9)]]]


class DiscreteValues(Strict):
    """What a mixture says beside its Gaussian part; point masses of each of its continuous columns."""

    spikes: list[Vector]
    columns: Annotated[list[DiscreteColumn], Field(min_length=1)]


class BoxValues(Strict):
    """A box around the scaled rows: a corner and sides in coordinates of its axes, those of the columns by default."""

    lower: Vector
    ranges: list[Annotated[float, Field(gt=0)]]
    axes: list[Vector] | None
    origin: Vector | None


class NoiseValues(Strict):
    """Outliers in no component: their expected share, and the volumes over which they are spread evenly."""

    weight: Annotated[float, Field(ge=0, lt=1)]
    box: BoxValues
    columns: BoxValues


class TailValues(Strict):
    """Degrees of freedom of components that are t distributions."""

    freedom: list[Annotated[float, Field(gt=0)]]
    common: bool


class RobustValues(Strict):
    """What a mixture has against outliers."""

    noise: NoiseValues | None
    tails: TailValues | None


class AnomalyRule(Strict):
    """Rows below the threshold are anomalies; no threshold, no anomalies."""

    percentile: Annotated[float, Field(ge=0, lt=100)]
    log_density_threshold: float | None


class ReferenceSums(Strict):
    """Sums of the rows that the model was learned from, see `mixtura.drift.DriftSums`."""

    totals: Annotated[Vector, Field(min_length=8, max_length=8)]
    bins: Vector
    shares: Vector
    shares_squared: Vector | None = None
    products: list[Vector]
    first: list[Vector]
    first_squared: list[Vector]
    known: list[Vector]
    known_squared: list[Vector]
    second: list[Vector]
    second_squared: list[Vector]
    fourth: list[Vector]
    levels: list[Vector]
    levels_squared: list[Vector]


class ReferenceValues(Strict):
    """With what later rows are compared: sums of the rows that the model was learned from, and no row itself."""

    held_out: bool
    edges: Vector
    tail: float
    threshold: float | None
    sums: ReferenceSums


class PastAddition(Strict):
    """Rows that the model was given, see `mixtura.segments.updating.history.Addition`."""

    kind: Literal["learned", "updated", "merged"]
    source: str
    created: str
    rows: Count
    kept: Annotated[float, Field(ge=0, le=1)]


class KeptOrigin(Strict):
    """The model whose segments were kept, see `mixtura.segments.updating.training_info.KeptFrom`."""

    source: str
    created: str
    segments: Annotated[int, Field(ge=1)]


class Training(Strict):
    """How the model came about; log-likelihood and criteria refer to the user's units."""

    source: str
    created: str
    id_column: str | None
    rows: Count
    rows_dropped: Count
    seed: int
    n_init: Annotated[int, Field(ge=1)]
    criterion: str
    log_likelihood: float
    bic: float
    aic: float
    n_iter: Count
    converged: bool
    outcome: str
    weight_column: str | None
    value_column: str | None
    describe: list[str]
    prior: Literal["floor", "conjugate"] | Annotated[float, Field(ge=0)] = "floor"
    missing_codes: Annotated[dict[str, list[float]], Field(default_factory=dict)]
    history: Annotated[list[PastAddition], Field(default_factory=list)]
    kept_from: KeptOrigin | None = None


class Document(Strict):
    """A whole model file."""

    format: Literal["mixtura-model"]
    format_version: Literal[2, 3, 4]
    mixtura_version: str
    checksum: str
    columns: list[str]
    scaling: Scaling
    mixture: MixtureValues
    segments: list[str]
    automatic_names: list[str]
    mean_values: list[float | None]
    anomaly: AnomalyRule
    training: Training
    discrete: DiscreteValues | None = None
    reference: ReferenceValues | None = None
    robust: RobustValues | None = None
    statistics: StatisticsValues | None = None
    groups: list[Annotated[list[Count], Field(min_length=1)]] = Field(default_factory=list)
    """Components of each segment, from 0; empty where each is one."""

    @property
    def noise(self) -> float:
        """Expected share of outliers."""
        return 0.0 if self.robust is None or self.robust.noise is None else self.robust.noise.weight

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        mixture = self.mixture.build(self.noise)
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("columns: names stand twice")
        if not self.columns and self.discrete is None:
            raise ValueError("columns: at least one is required")
        sizes = {
            "mixture.means": mixture.n_features,
            "scaling.center": len(self.scaling.center),
            "scaling.scale": len(self.scaling.scale),
            "scaling.transforms": len(self.scaling.transforms),
        }
        for name, size in sizes.items():
            if size != len(self.columns):
                raise ValueError(
                    f"{name}: {size} values, one for each of {len(self.columns)} columns is required"
                )
        self._check_segments(mixture.n_components)
        if self.robust is not None:
            self._check_robust(self.robust, mixture.n_components)
        if self.discrete is not None:
            self._check_discrete(self.discrete, mixture.n_components)
        return self._with_sums(mixture)

    def _check_segments(self, n_components: int) -> None:
        number = len(self.groups) or n_components
        if self.groups and sorted(k for group in self.groups for k in group) != list(range(n_components)):
            raise ValueError(f"groups: each of {n_components} components in one segment is required")
        for name, names in (("segments", self.segments), ("automatic_names", self.automatic_names)):
            if len(set(names)) != number or len(names) != number:
                raise ValueError(f"{name}: {number} different names are required")
        if len(self.mean_values) not in {0, number}:
            raise ValueError(f"mean_values: none, or {number}, are required")

    def _with_sums(self, mixture: Mixture) -> Self:
        if self.reference is not None:
            _check_reference(self.reference, mixture)
        if self.statistics is None:
            return self
        columns = () if self.discrete is None else self.discrete.columns
        n_levels = None if self.discrete is None else 1 + sum(len(one.levels) for one in columns)
        tails = self.robust is not None and self.robust.tails is not None
        shape = mixture.n_components, mixture.n_features
        self.statistics.check(mixture.family.name, shape, n_levels, tails=tails)
        return self

    def _check_robust(self, robust: RobustValues, n_components: int) -> None:
        if robust.tails is not None and len(robust.tails.freedom) != n_components:
            raise ValueError(f"robust.tails.freedom: {n_components} degrees of freedom are required")
        for box in () if robust.noise is None else (robust.noise.box, robust.noise.columns):
            if {len(box.lower), len(box.ranges), *map(len, box.axes or ())} != {len(self.columns)}:
                raise ValueError(f"robust.noise: boxes of {len(self.columns)} columns are required")

    def _check_discrete(self, discrete: DiscreteValues, n_components: int) -> None:
        if len(discrete.spikes) != len(self.columns):
            raise ValueError(f"discrete.spikes: one list for each of {len(self.columns)} columns is required")
        for one in discrete.columns:
            sizes = {len(each) for each in one.log_probabilities}
            if (
                len(one.shares) != len(one.levels)
                or sizes != {len(one.levels)}
                or len(one.log_probabilities) != n_components
            ):
                raise ValueError(
                    f"discrete.columns: {one.name!r} needs {len(one.levels)} shares, and as many log probabilities "
                    f"for each of {n_components} segments"
                )
            if one.kind == "count" and one.levels[0] not in ("0", "1"):
                raise ValueError(
                    f"discrete.columns: the count {one.name!r} must begin at 0 or 1; got {one.levels[0]!r}"
                )


def _check_reference(reference: ReferenceValues, mixture: Mixture) -> None:
    k, d = mixture.n_components, mixture.n_features
    pairs = d * (d + 1) // 2
    sizes = {"first": d, "first_squared": d, "products": k}
    sizes |= dict.fromkeys(("known", "known_squared", "second", "second_squared", "fourth"), pairs)
    sums = reference.sums
    for name, size in sizes.items():
        values = getattr(sums, name)
        if len(values) != k or any(len(one) != size for one in values):
            raise ValueError(f"reference.sums.{name}: {k} rows of {size} numbers are required")
    squared = sums.shares_squared
    if squared is not None and len(squared) != k:
        raise ValueError(f"reference.sums.shares_squared: {k} numbers are required")
    if len(sums.shares) != k or any(len(one) != k for one in (*sums.levels, *sums.levels_squared)):
        raise ValueError(f"reference.sums: a number for each of {k} segments is required")
    if len(sums.bins) != len(reference.edges) + 1 or sums.totals[1] <= 0 or sums.totals[2] <= 0:
        raise ValueError("reference: a bin between each two edges, and a positive weight, are required")


def upgraded(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file of format 1 as one of format 2, which says no more.

    Anything that is not a mapping where one belongs is left for the check to find.
    """
    if content["format_version"] != 1:
        return content
    more: dict[str, dict[str, Any]] = {
        "scaling": {"transforms": [{"kind": "none"} for _ in content.get("columns") or ()]},
        "training": {"weight_column": None, "value_column": None, "describe": []},
    }
    parts = {
        name: {**part, **added}
        for name, added in more.items()
        if isinstance(part := content.get(name), dict) and not part.keys() & added.keys()
    }
    names: dict[str, Any] = {
        "format_version": 2,
        "automatic_names": content.get("segments"),
        "mean_values": [],
    }
    return content if content.keys() & {"automatic_names", "mean_values"} else content | parts | names
