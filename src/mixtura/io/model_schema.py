"""The model file, format 1, as pydantic checks it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mixtura.core.mixture import Mixture

__all__ = ["AnomalyRule", "Document", "MixtureValues", "Scaling", "Training"]

Vector = list[float]
Count = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    """Nothing unknown, nothing converted, nothing that is not finite."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Scaling(_Strict):
    """``z = (x - center) / scale``, one value per column, in the user's units."""

    center: Vector
    scale: list[Annotated[float, Field(gt=0)]]


class MixtureValues(_Strict):
    """Parameters of the mixture of the scaled rows; covariances in the shape of their type."""

    covariance_type: str
    weights: Vector
    means: list[Vector]
    covariances: Vector | list[Vector] | list[list[Vector]]

    def build(self) -> Mixture:
        """Return the mixture; raises `ParameterError` where there is none with these parameters."""
        return Mixture.from_parameters(self.weights, self.means, self.covariances, self.covariance_type)


class AnomalyRule(_Strict):
    """Rows below the threshold are anomalies; no threshold, no anomalies."""

    percentile: Annotated[float, Field(ge=0, lt=100)]
    log_density_threshold: float | None


class Training(_Strict):
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


class Document(_Strict):
    """A whole model file."""

    format: Literal["mixtura-model"]
    format_version: Literal[1]
    mixtura_version: str
    checksum: str
    columns: Annotated[list[str], Field(min_length=1)]
    scaling: Scaling
    mixture: MixtureValues
    segments: list[str]
    anomaly: AnomalyRule
    training: Training

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        mixture = self.mixture.build()
        if len(set(self.columns)) != len(self.columns):
            raise ValueError("columns: names stand twice")
        sizes = {
            "mixture.means": mixture.n_features,
            "scaling.center": len(self.scaling.center),
            "scaling.scale": len(self.scaling.scale),
        }
        for name, size in sizes.items():
            if size != len(self.columns):
                raise ValueError(
                    f"{name}: {size} values, one for each of {len(self.columns)} columns is required"
                )
        if len(set(self.segments)) != mixture.n_components or len(self.segments) != mixture.n_components:
            raise ValueError(f"segments: {mixture.n_components} different names are required")
        return self
