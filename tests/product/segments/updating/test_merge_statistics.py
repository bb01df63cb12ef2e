"""One model of several sites: what leaves a site, what is made of it, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import naive
from fitted import fitted
from mixtura.datasets import make_customers
from mixtura.exceptions import DataError, ModelFileError, ParameterError
from mixtura.segments import (
    SegmentModel,
    SiteStatistics,
    add_statistics,
    merge_statistics,
    segment_table,
    site_statistics,
    update_model,
    with_reference,
)
from mixtura.segments.change import drift_of_table

EVERYONE = make_customers(400, random_state=3, as_frame="polars")
SITES = EVERYONE[:150], EVERYONE[150:]


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    result = fitted("customers-3")
    return with_reference(result.model, result.table)


@pytest.fixture(scope="module")
def sites(model: SegmentModel) -> list[SiteStatistics]:
    return [site_statistics(model, one, source=f"site {i}") for i, one in enumerate(SITES)]


def test_a_merge_is_one_step_of_em_on_all_rows(
    model: SegmentModel, sites: list[SiteStatistics], tmp_path: Path
) -> None:
    """Against a loop over the rows of all sites, and through files."""
    for number, site in enumerate(sites):
        site.save(tmp_path / f"{number}.stats")
    loaded = [SiteStatistics.load(tmp_path / f"{number}.stats") for number in range(2)]
    found = merge_statistics(model, loaded).mixture
    rows = (EVERYONE.select(model.columns).to_numpy() - model.scaling.center) / model.scaling.scale
    before = model.mixture
    wanted = naive.naive_em(
        before.covariance_type, rows, before.weights, before.means, before.covariances, n_iter=1
    )
    np.testing.assert_allclose(found.weights, wanted[0], rtol=1e-10)
    np.testing.assert_allclose(found.means, wanted[1], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.covariances, wanted[2], rtol=1e-9)


def test_rounds_end_where_the_pooled_rows_end(model: SegmentModel) -> None:
    found = model
    for _ in range(20):
        found = merge_statistics(found, [site_statistics(found, one) for one in SITES])
    rows = (EVERYONE.select(model.columns).to_numpy() - model.scaling.center) / model.scaling.scale
    before = model.mixture
    wanted = naive.naive_em(
        before.covariance_type, rows, before.weights, before.means, before.covariances, n_iter=20
    )
    np.testing.assert_allclose(found.mixture.means, wanted[1], rtol=1e-8, atol=1e-10)
    assert found.names == model.names
    assert [one.kind for one in found.training.history] == ["merged"]
    assert found.training.rows == 400


def test_the_likelihood_of_the_model_sent_out_is_in_the_sums(
    model: SegmentModel, sites: list[SiteStatistics]
) -> None:
    total = model.log_density(EVERYONE.select(model.columns).to_numpy()).sum()
    assert add_statistics(model, sites).statistics.log_likelihood == pytest.approx(total, rel=1e-12)
    # What the merged model says of itself is a bound below the true one.
    merged = merge_statistics(model, sites)
    assert total < merged.training.log_likelihood
    true = merged.log_density(EVERYONE.select(model.columns).to_numpy()).sum()
    assert merged.training.log_likelihood <= true + 1e-9


def test_sums_of_sums_are_those_of_all_sites(
    model: SegmentModel, sites: list[SiteStatistics], tmp_path: Path
) -> None:
    region = add_statistics(model, sites)
    region.save(tmp_path / "region.stats")
    again = SiteStatistics.load(tmp_path / "region.stats")
    one, other = merge_statistics(model, [again]), merge_statistics(model, sites)
    np.testing.assert_array_equal(one.mixture.means, other.mixture.means)
    assert (again.rows, again.sources) == (400, ("site 0", "site 1"))


def test_a_merged_model_assigns_is_updated_and_is_compared(
    model: SegmentModel, sites: list[SiteStatistics]
) -> None:
    merged = merge_statistics(model, sites)
    assert merged.anomaly_threshold == pytest.approx(
        np.percentile(merged.log_density(EVERYONE.select(model.columns).to_numpy()), 4.0), abs=0.5
    )
    found = update_model(merged, make_customers(200, random_state=7, as_frame="polars"))
    assert (found.weight_before, found.weight_added) == (400.0, 200.0)
    assert found.model.reference is not None
    assert found.model.reference.sums.n_rows == 200
    later = make_customers(400, random_state=8, as_frame="polars")
    assert drift_of_table(found.model, later).verdict.word == "keep"
    assert drift_of_table(merged, later).verdict.word == "keep"


def test_no_row_and_no_value_of_a_customer_is_in_a_file(
    model: SegmentModel, sites: list[SiteStatistics]
) -> None:
    content = json.loads(sites[0].to_json())
    assert set(content) == {
        "format", "format_version", "mixtura_version", "sources", "created", "rows", "about", "statistics", "checksum",
    }  # fmt: skip
    k, d = model.mixture.means.shape
    numbers = sum(np.size(one) for one in content["statistics"].values() if isinstance(one, list))
    # Counts, sums, sums of products; of all rows the same; steps. Nothing grows with the rows.
    size = model.mixture.family.moments[-1].shape(k, d)
    assert numbers == k + k * d + size[0] * size[1] + d + d * (d + 1) // 2 + d


def test_sums_of_few_customers_are_not_handed_out(model: SegmentModel) -> None:
    few = EVERYONE.filter(pl.col("income") > 60)
    with pytest.raises(DataError, match="At least 10 customers are required in each segment") as caught:
        site_statistics(model, few)
    assert f"{model.names[1]!r}, 8.5" in str(caught.value)
    assert site_statistics(model, few, min_rows=0).rows == len(few)
    with pytest.raises(ParameterError, match="non-negative; got -1"):
        site_statistics(model, few, min_rows=-1)


def test_sums_about_another_model_are_refused_with_what_differs(
    model: SegmentModel, sites: list[SiteStatistics]
) -> None:
    moved = merge_statistics(model, sites)
    with pytest.raises(DataError, match="'site 0' are about another model: its segments differ"):
        merge_statistics(moved, sites)
    full = segment_table(EVERYONE, components=[3], covariance_types=["full"]).model
    with pytest.raises(DataError, match="covariance type differ"):
        merge_statistics(full, sites)
    other = replace(model, columns=("income", "visits"))
    with pytest.raises(DataError, match="its columns differ, income, spending instead of income, visits"):
        merge_statistics(other, sites)
    scale = replace(model, scaling=replace(model.scaling, scale=model.scaling.scale * 2))
    with pytest.raises(DataError, match="scales and transforms of the columns differ"):
        merge_statistics(scale, sites)
    # Other names of segments are the same model.
    assert merge_statistics(model.renamed({1: "Anna"}), sites).names[0] == "Anna"


def test_rows_are_not_counted_twice(model: SegmentModel, sites: list[SiteStatistics]) -> None:
    with pytest.raises(DataError, match="'site 1' are given twice"):
        merge_statistics(model, [*sites, sites[1]])
    with pytest.raises(ParameterError, match="at least one site"):
        merge_statistics(model, [])


def test_a_site_is_not_counted_again_through_its_region(
    model: SegmentModel, sites: list[SiteStatistics], tmp_path: Path
) -> None:
    add_statistics(model, sites).save(tmp_path / "region.stats")
    region = SiteStatistics.load(tmp_path / "region.stats")
    assert region.parts == tuple(one.fingerprints[0] for one in sites)
    for given in ([region, sites[0]], [sites[1], region], [region, add_statistics(model, [*sites])]):
        with pytest.raises(DataError, match="would count twice"):
            merge_statistics(model, given)
    with pytest.raises(DataError, match="'site 1' and of 'site 0, site 1' have a table in common"):
        add_statistics(model, [region, sites[1]])
    # Sums of one file are those of the site, and not of another one; a third site is welcome.
    alone, more = add_statistics(model, sites[:1]), site_statistics(model, EVERYONE[50:300], source="more")
    assert alone.fingerprints == sites[0].fingerprints
    assert len(add_statistics(model, [region, more]).fingerprints) == 3


def test_altered_files_are_noticed(sites: list[SiteStatistics], tmp_path: Path) -> None:
    path = tmp_path / "a.stats"
    sites[0].save(path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"rows": 150', '"rows": 151'), encoding="utf-8")
    with pytest.raises(ModelFileError, match="was altered"):
        SiteStatistics.load(path)
    path.write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(ModelFileError, match="truncated"):
        SiteStatistics.load(path)
    with pytest.raises(ModelFileError, match="There is no file"):
        SiteStatistics.load(tmp_path / "none.stats")
