"""Rounding steps as a mixture sees them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mixtura.segments import segment_table
from mixtura.segments.table.rounding import scaled_steps
from mixtura.segments.transforms.scaling import scaling_of
from mixtura.segments.transforms.transforms import IDENTITY, fit_transform


def test_a_step_is_in_units_of_the_scaled_column() -> None:
    rows = np.array([[1.0, 0.5, np.nan], [2.0, np.pi, 10.0], [7.0, 2.0, 30.0]])
    scaling = scaling_of(rows)
    np.testing.assert_allclose(scaled_steps(rows, scaling), [1, 0, 1] / scaling.scale)


def test_after_a_transform_it_is_the_geometric_mean_of_the_steps() -> None:
    counts = np.array([0.0, 0.0, 1.0, 5.0])
    transform = fit_transform("log1p", "x", counts)
    scaling = scaling_of(counts[:, None], None, (transform,))
    steps = [np.log((count + 2) / (count + 1)) for count in counts]
    expected = np.prod(steps) ** 0.25 / scaling.scale[0]
    assert scaled_steps(counts[:, None], scaling)[0] == pytest.approx(expected, rel=1e-12)


def test_a_column_without_values_or_steps_has_none() -> None:
    rows = np.column_stack([np.full(3, np.nan), np.array([0.1, np.e, np.pi])])
    scaling = scaling_of(np.nan_to_num(rows, nan=1.0), None, (IDENTITY, IDENTITY))
    np.testing.assert_array_equal(scaled_steps(rows, scaling), [0.0, 0.0])


def test_no_shared_covariance_is_narrower_than_the_step_of_a_count() -> None:
    """One component on each of 1, 2, 3, ... had half that deviation, and was paid for it by BIC."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"frequency": rng.geometric(0.35, 1500), "recency": rng.gamma(2, 40, 1500)})
    found = segment_table(
        frame, transform={"frequency": "log1p"}, covariance_types=["tied"], components=range(1, 10)
    )
    scaled = scaled_steps(found.rows, found.model.scaling)
    for one in found.ranking:
        assert one.mixture is not None
        narrowest = np.sqrt(one.mixture.full_covariances()[:, 0, 0].min())
        assert narrowest >= scaled[0] / np.sqrt(2 * np.pi) * (1 - 1e-9)
