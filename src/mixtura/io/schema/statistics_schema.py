"""Sums that models are learned from, in model files and in files of statistics that leave a site."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mixtura.core.covariance import get_family
from mixtura.io.schema.strict_base import Count, Strict, Vector

__all__ = ["SiteModel", "StatisticsDocument", "StatisticsValues"]


class StatisticsValues(Strict):
    """Sums of the rows that the model was learned from, to which others can be added."""

    weight: Annotated[float, Field(ge=0)]
    log_likelihood: float
    log_jacobian: float
    counts: list[Annotated[float, Field(ge=0)]]
    first: list[Vector]
    second: list[Vector]
    levels: list[Vector] | None
    tails: list[Vector] | None
    total_first: Vector
    total_second: Vector
    rounding: list[Annotated[float, Field(ge=0)]]
    as_of: float | str | None

    def check(
        self, covariance_type: str, shape: tuple[int, int], n_levels: int | None, *, tails: bool
    ) -> None:
        """Raise ValueError unless they are those of K components in D columns, with as many levels, or with tails."""
        k, d = shape
        rows, size = get_family(covariance_type).moments[-1].shape(k, d)
        shapes: dict[str, tuple[int, ...]] = {
            "counts": (k,),
            "first": (k, d),
            "second": (rows, size),
            "total_first": (d,),
            "total_second": (d * (d + 1) // 2,),
            "rounding": (d,),
        }
        shapes |= {} if n_levels is None else {"levels": (n_levels, k)}
        shapes |= {"tails": (2, k)} if tails else {}
        for name, wanted in shapes.items():
            if not _has_shape(getattr(self, name), wanted):
                raise ValueError(f"statistics.{name}: numbers of shape {wanted} are required")
        for name in {"levels", "tails"} - shapes.keys():
            if getattr(self, name) is not None:
                raise ValueError(f"statistics.{name}: the model has none")


class SiteModel(Strict):
    """Which model sums are about."""

    columns: Annotated[list[str], Field(min_length=1)]
    discrete_columns: list[str]
    covariance_type: str
    means: Annotated[list[Vector], Field(min_length=1)]
    scaling: str
    model: str
    created: str


class StatisticsDocument(Strict):
    """A whole file of statistics."""

    format: Literal["mixtura-statistics"]
    format_version: Literal[1]
    mixtura_version: str
    checksum: str
    sources: Annotated[list[str], Field(min_length=1)]
    created: str
    rows: Count
    about: SiteModel
    statistics: StatisticsValues
    parts: Annotated[list[str], Field(default_factory=list)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        about, held = self.about, self.statistics
        shape = len(about.means), len(about.columns)
        if not _has_shape(about.means, shape):
            raise ValueError(f"about.means: numbers of shape {shape} are required")
        n_levels = None if held.levels is None else len(held.levels)
        held.check(about.covariance_type, shape, n_levels, tails=held.tails is not None)
        return self


def _has_shape(values: Any, shape: tuple[int, ...]) -> bool:
    if not isinstance(values, list) or len(values) != shape[0]:
        return False
    return len(shape) == 1 or all(_has_shape(one, shape[1:]) for one in values)
