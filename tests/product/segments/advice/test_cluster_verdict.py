"""The verdict of `advise` on clusters at the head of a segmentation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from fitted import fitted
from mixtura.segments import Effort, advise, segment_table
from mixtura.segments.advice.cluster_verdict import cluster_verdict

QUICK = Effort(resamples=0, draws=100)


def cloud(n_rows: int = 1200) -> pl.DataFrame:
    rows = np.random.default_rng(2).lognormal(sigma=0.8, size=(n_rows, 2))
    return pl.DataFrame(rows, schema=["a", "b"])


def test_groups_that_stand_apart_are_said_to() -> None:
    found = fitted("five")
    assert found.clusters is not None
    assert found.clusters.found
    assert found.clusters.explanation.startswith("There are separate clusters. The dip test finds")
    assert found.with_effort(QUICK).document.verdict.clusters is True


def test_one_skewed_cloud_has_none_as_advise_says() -> None:
    found = segment_table(cloud(), components=[3, 4])
    assert found.clusters is not None
    assert not found.clusters.found
    assert advise(cloud()).method == "none"
    # What is drawn meanwhile does not wait for the tests.
    assert found.outline.verdict.clusters is None
    verdict = found.with_effort(QUICK).document.verdict
    assert verdict.clusters is False
    assert verdict.clusters_explanation == found.clusters.explanation
    assert "the borders between them are constructed" in found.clusters.explanation


def test_a_weight_of_two_is_the_row_twice() -> None:
    rows = cloud(300).to_numpy()
    found = segment_table(pl.DataFrame(rows, schema=["a", "b"]), components=[2])
    labels, mixture, counts = found.assignment.labels, found.model.mixture, np.arange(300) % 2 + 1
    weighted = cluster_verdict(rows, mixture, labels, 0.1, seed=0, weights=counts.astype(float))
    repeated = np.repeat(np.arange(300), counts)
    assert weighted == cluster_verdict(rows[repeated], mixture, labels[repeated], 0.1, seed=0)


def test_where_nothing_can_be_tested_nothing_is_said() -> None:
    single = segment_table(cloud(200), components=[1])
    assert single.clusters is None
    assert single.with_effort(QUICK).document.verdict.clusters_explanation is None
    found = segment_table(cloud(200), components=[2])
    mixture, labels = found.model.mixture, found.assignment.labels
    few = np.where(np.arange(200)[:, None] < 19, found.rows, np.nan)
    assert cluster_verdict(few, mixture, labels, 0.1, seed=0) is None
    assert cluster_verdict(np.ones((200, 2)), mixture, labels, 0.1, seed=0) is None


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["wholesale_customers", "mall_customers"])
def test_it_is_that_of_advise_on_real_tables(shared_data, name) -> None:
    frame = pl.read_csv(shared_data / f"{name}.csv")
    found = segment_table(frame, kinds="continuous", components=[4])
    assert found.clusters is not None
    assert found.clusters.found == (advise(frame).method != "none")
