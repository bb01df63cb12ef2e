"""Segments that may be parts of one cluster."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mixtura.segments import segment_table
from mixtura.segments.merging.merged_segments import merge_segments
from mixtura.select import merge_components


def halves() -> np.ndarray:
    return np.repeat([[0.5, 0.5, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]], 20, axis=0)


def test_the_components_of_a_cluster_are_merged_first() -> None:
    """A crescent beside two round groups: six components, and merging down to three finds the three."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0.1, np.pi - 0.1, 400)
    crescent = np.column_stack([8 * np.cos(angle), 8 * np.sin(angle)]) + rng.normal(size=(400, 2)) * 0.5
    others = [rng.normal(size=(200, 2)) + center for center in ([-14, -14], [14, -14])]
    frame = pl.DataFrame(np.vstack([crescent, *others]), schema=["a", "b"])
    found = segment_table(frame, components=[6], covariance_types=["full"])
    labels = found.merging.labels(3)
    assert [np.unique(labels[part]).size for part in (slice(400), slice(400, 600), slice(600, 800))] == [
        1,
        1,
        1,
    ]


def test_many_customers_are_sampled_with_their_weights() -> None:
    many = np.tile(halves(), (400, 1))
    weights = np.arange(len(many)) % 3 + 1.0
    found = merge_segments(many, weights, 0)
    assert len(found.component_memberships) == 20_000
    whole = merge_components(many, weights)
    assert [(one.left, one.right) for one in found.merges][:1] == [
        (one.left, one.right) for one in whole.merges
    ][:1]
    share = found.entropies[-1] / whole.entropies[-1]
    assert share == pytest.approx(20_000 / len(many), rel=0.05)
