"""The base of what is checked in files."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Count", "Strict", "Vector"]

Vector = list[float]
Count = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    """Nothing unknown, nothing converted, nothing that is not finite."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)
