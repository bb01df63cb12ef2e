"""One small table, segmented, and the densities of its customers written out with scipy."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import multivariate_normal

from fitted import remembered
from mixtura.datasets import make_customers
from mixtura.segments import (
    Contradiction,
    Effort,
    KeptSegment,
    KeptSegments,
    KnownSegment,
    KnownSegments,
    SegmentationResult,
    Stability,
    segment_table,
)
from mixtura.select import ColumnRole, ColumnSelection, Role

__all__ = ["COLUMNS", "found", "joint_densities", "log_density", "memberships_of", "table"]

COLUMNS = ["income", "spending"]


def table() -> pl.DataFrame:
    rows = make_customers(120)
    rng = np.random.default_rng(3)
    return pl.DataFrame(
        {
            "customer": [f"C{number:03d}" for number in range(120)],
            "income": rows[:, 0],
            "spending": rows[:, 1],
            "region": rng.choice(["north", "south", "west"], 120).tolist(),
            "revenue": (rows[:, 1] * rng.uniform(5, 9, 120)).tolist(),
        }
    )


def segmented() -> tuple[SegmentationResult, Stability, dict[str, Any]]:
    result = segment_table(
        table(),
        columns=COLUMNS,
        describe=["region"],
        value="revenue",
        id_column="customer",
        components=[1, 2, 3, 4],
    ).with_effort(Effort(resamples=8))
    roles = (
        ColumnRole("income", Role.BUILDING, 84.2, stability=1.0),
        ColumnRole("tax", Role.REDUNDANT, -12.5, ("income",), 0.86, 0.95),
    )
    labels = np.full(120, -1)
    known = KnownSegments(
        "tier", (KnownSegment(0, True, 2, 38, 1),), labels, (Contradiction(4, "C004", 0, 1, 0.1, 0.8),)
    )
    stability = result.stability
    assert stability is not None
    kept = KeptSegments("before.csv", "2025-01-01", (KeptSegment(0, 0.5, 0.4, 40),), 10.0)
    selection = ColumnSelection(roles, None, 120, 20)
    result = replace(result, selection=selection, known=known, kept=kept)
    result = result.with_stability(stability)
    return result, stability, result.document.to_dict()


@cache
def found() -> tuple[SegmentationResult, Stability, dict[str, Any]]:
    return remembered("small-table-with-known-roles-and-kept", make=segmented)


def joint_densities() -> np.ndarray:
    """Weight times density, (N, K)."""
    mixture = found()[0].model.in_user_units()
    rows = table().select(COLUMNS).to_numpy()
    parts = zip(mixture.weights, mixture.means, mixture.full_covariances(), strict=True)
    return np.column_stack([weight * multivariate_normal(mean, own).pdf(rows) for weight, mean, own in parts])


def memberships_of() -> np.ndarray:
    """Bayes' rule written out."""
    joint = joint_densities()
    return joint / joint.sum(axis=1, keepdims=True)


def log_density() -> np.ndarray:
    return np.log(joint_densities().sum(axis=1))
