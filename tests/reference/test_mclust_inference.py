"""Merging, bootstrap tests and bootstrap errors against mclust 6.0.0: the examples of Baudry et al., Old Faithful.

``mclust/mclust_merging.R`` and ``mclust/mclust_bootstrap.R`` wrote the values.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.select import bootstrap_lrt, bootstrap_parameters, merge_components, search
from reference.tables import MCLUST, answers, rows_of

MERGING, TESTS, ERRORS = (answers(name) for name in ("merging", "bootstrap_test", "bootstrap_parameters"))


@pytest.fixture
def faithful(shared_data: Path) -> np.ndarray:
    return rows_of(shared_data, "old_faithful")


@pytest.mark.parametrize("example", ["ex4.1", "ex4.2"])
def test_components_merge_as_in_clust_combi(example: str) -> None:
    given = np.loadtxt(MCLUST / f"mclust_merging_{example}.csv", delimiter=",")
    rows = [row for row in MERGING if row["example"] == example]
    merged = merge_components(given)
    assert given.shape == (600, len(rows))
    np.testing.assert_allclose(merged.entropies, [float(row["entropy"]) for row in rows], rtol=0, atol=2e-10)
    by_size = {merge.n_clusters: merge for merge in merged.merges}
    for row in rows[:-1]:
        n_clusters = int(row["clusters"])
        merge = by_size[n_clusters]
        # mclust numbers the clusters of each step in the order of their first component, from 1.
        before = merged.groups(n_clusters + 1)
        pair = before.index(merge.left) + 1, before.index(merge.right) + 1
        assert pair == (int(row["first"]), int(row["second"]))
        assert merge.merged_weight == int(row["merged"])
    for row in rows:
        sizes = np.bincount(merged.labels(int(row["clusters"])), minlength=int(row["clusters"]))
        assert sizes.tolist() == [int(size) for size in row["sizes"].split()]
    assert merged.elbow("clusters") == int(rows[0]["elbow_by_clusters"])
    assert merged.elbow("weight") == int(rows[0]["elbow_by_count"])


def test_the_elbow_of_the_first_example_is_the_published_number() -> None:
    """Baudry et al. 2010, section 4.1: six components are four clusters, two of them crosses."""
    given = np.loadtxt(MCLUST / "mclust_merging_ex4.1.csv", delimiter=",")
    assert merge_components(given).elbow() == 4


def cases_of(family: str) -> list[dict[str, str]]:
    return [row for row in TESTS if row["family"] == family]


@pytest.mark.parametrize("family", ["EEE", "VII"])
def test_statistics_and_p_values_are_those_of_mclust(faithful: np.ndarray, family: str) -> None:
    """Samples are fitted as mclust fits them; where it starts, statistics come out smaller than they are.

    p-values agree within four standard errors of their difference, from the 999 samples of mclust and ours.
    """
    expected, n_boot = cases_of(family), 59
    found = bootstrap_lrt(
        faithful,
        covariance_type=family,
        max_components=len(expected) + 1,
        n_boot=n_boot,
        starts="warm",
        level=0.99,
    )
    for row, test in zip(expected, found.tests, strict=True):
        assert test.n_components == int(row["components"])
        # Both fits are finished to 0.01 in the log-likelihood, of which the statistic is twice the difference.
        assert test.statistic == pytest.approx(float(row["statistic"]), abs=0.04)
        p = float(row["p_value"])
        error = np.sqrt(max(p * (1 - p), 1 / 999) * (1 / n_boot + 1 / 999))
        # The smallest p-value of B samples is 1 / (B + 1).
        assert abs(test.p_value - p) < 4 * error + 1 / n_boot
        # The sample median has the error 1 / (2 sqrt(B) density); the density is read off between median and 90 %.
        density = 0.4 / (float(row["boot_90"]) - float(row["boot_median"]))
        width = 0.5 / density * np.sqrt(1 / n_boot + 1 / 999)
        assert np.median(test.replicates) == pytest.approx(float(row["boot_median"]), abs=4 * width)


def test_where_mclust_stops_below_the_optimum_the_statistic_is_larger(faithful: np.ndarray) -> None:
    found = bootstrap_lrt(faithful, covariance_type="VVV", max_components=3, n_boot=1, level=0.99)
    for row, test in zip(cases_of("VVV"), found.tests, strict=True):
        assert test.statistic > float(row["statistic"]) - 0.04


KINDS = {"bs": "nonparametric", "wlbs": "weighted", "pb": "parametric"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("case", [("VVV", "2"), ("EEE", "3"), ("VVI", "2")], ids="-".join)
@pytest.mark.parametrize("kind", KINDS)
def test_standard_errors_are_those_of_mclust(faithful: np.ndarray, case: tuple[str, str], kind: str) -> None:
    """Each side is off by 1 / sqrt(2 B) if estimates are normal, by twice that at a kurtosis of nine.

    So many numbers are compared that four standard errors of the difference are allowed. The weights of mclust's
    weighted kind are not scaled to sum to the number of rows, which changes no estimate.
    """
    family, components = case
    rows = [row for row in ERRORS if (row["family"], row["components"], row["type"]) == (*case, kind)]
    values = {(int(row["component"]) - 1, row["parameter"]): row for row in rows}
    mixture = search(faithful, components=[int(components)], covariance_types=[family]).best.mixture
    assert mixture is not None
    n_boot = 299
    found = bootstrap_parameters(faithful, mixture, kind=KINDS[kind], n_boot=n_boot)
    order = matching(found.mixture, values)
    spread = np.sqrt(1 / (2 * 999) + 1 / (2 * n_boot))
    # Whatever the distribution, of our samples as many as of mclust's lie beyond the ends of its intervals.
    share = np.sqrt(0.025 * 0.975 * (1 / 999 + 1 / n_boot))
    for (k, name), row in values.items():
        estimate, error, low, high = (
            float(row[key]) for key in ("estimate", "standard_error", "low", "high")
        )
        # A log-likelihood that is 1e-4 from its top stands sqrt(2e-4) standard errors from it.
        assert pick(found.estimates, order[k], name) == pytest.approx(estimate, abs=0.02 * error)
        assert pick(found.standard_errors, order[k], name) == pytest.approx(error, rel=4 * 2 * spread)
        samples = pick(found, order[k], name)
        beyond = np.mean(samples < low), np.mean(samples > high)
        assert beyond == pytest.approx((0.025, 0.025), abs=4 * share)


def matching(mixture: Mixture, values: dict[tuple[int, str], dict[str, str]]) -> list[int]:
    """Our component for each of mclust's: the one of the nearest mean waiting time."""
    theirs = [float(row["estimate"]) for (_, name), row in values.items() if name == "mean2"]
    order = [int(np.abs(mixture.means[:, 1] - mean).argmin()) for mean in theirs]
    assert sorted(order) == list(range(mixture.n_components))
    return order


def pick(parameters, k: int, name: str):
    """Return a parameter, or what it was in each sample."""
    if name == "weight":
        return parameters.weights[..., k]
    i = int(name[-1]) - 1
    return parameters.means[..., k, i] if name.startswith("mean") else parameters.covariances[..., k, i, i]


def test_there_are_as_many_values_as_the_script_writes() -> None:
    sizes = {key: len(list(rows)) for key, rows in groupby(ERRORS, lambda row: (row["family"], row["type"]))}
    assert sizes == {(f, t): n for f, n in (("VVV", 10), ("EEE", 15), ("VVI", 10)) for t in KINDS}
    assert len(TESTS) == 7
