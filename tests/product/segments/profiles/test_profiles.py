"""Every number of a profile against one computed another way."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import polars as pl
import pytest
from scipy import stats

from mixtura.segments import segment_table
from mixtura.segments.profiles.distinctness import Distinctness, distinctness_of
from mixtura.segments.profiles.leading_level import leading_level
from mixtura.segments.profiles.profile import LevelShare
from mixtura.segments.profiles.profile_columns import MISSING, OTHER, read_columns
from mixtura.segments.profiles.segment_statistics import NumberSummary, sizes_of
from mixtura.segments.profiles.share_interval import share_interval
from mixtura.segments.scan import Scored
from mixtura.segments.transforms.scaling import scaling_of
from mixtura.segments.weighted import quantiles, skewness

N = 240


def customers() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    kind = rng.choice(3, N, p=[0.5, 0.3, 0.2])
    return pl.DataFrame(
        {
            "id": [f"c{i:03d}" for i in range(N)],
            "income": rng.normal(40 + 20 * kind, 4).round(1),
            "spending": rng.normal(90 - 30 * kind, 5),
            "age": np.where(rng.random(N) < 0.1, np.nan, rng.normal(40 + 5 * kind, 9)),
            "region": np.array(["north", "south", "west", None])[(kind + rng.integers(0, 2, N)) % 4],
            "member": rng.random(N) < 0.3 + 0.2 * kind,
            "children": rng.integers(0, 4, N),
            "town": [f"town {int(i)}" for i in rng.zipf(1.6, N).clip(1, 60)],
            "revenue": np.where(rng.random(N) < 0.05, np.nan, rng.gamma(2, 50 * (1 + kind))),
            "weight": rng.integers(0, 4, N),
        }
    ).with_columns(pl.col("age", "revenue").fill_nan(None))


def bins(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Customers per bin of the column and segment."""
    rows, k = values[:, None], int(labels.max()) + 1
    scored = Scored(rows, scaling_of(rows), None, 0, np.eye(k)[labels], np.zeros(len(rows)), labels)
    summary = NumberSummary(0, k, scored)
    summary.add(scored)
    exact = summary.result()
    exact.add(scored)
    return exact.result().bins


def distinguish(values: np.ndarray, labels: np.ndarray) -> list[Distinctness]:
    return distinctness_of(bins(values, labels), np.bincount(labels).astype(float))


DESCRIBE = ["age", "region", "member", "children", "town"]


def segmented(weight: str | None):
    return segment_table(
        customers(),
        columns=["income", "spending"],
        describe=DESCRIBE,
        value="revenue",
        weight=weight,
        components=[3],
        covariance_types=["full"],
    )


@pytest.fixture(scope="module", params=[None, "weight"])
def result(request):
    return segmented(request.param)


@pytest.fixture(scope="module")
def table(result) -> pl.DataFrame:
    """Rows repeated by their weight, with their segment: what the profiles tell of."""
    frame = customers().with_columns(pl.Series("segment", result.assignment.labels))
    if result.columns.weight is None:
        return frame
    return frame.select(pl.all().repeat_by("weight").explode())


def near(one: float, other: float) -> None:
    assert one == pytest.approx(other, rel=1e-9, abs=1e-12)


def test_sizes_and_shares(result, table) -> None:
    counts = Counter(result.assignment.labels.tolist())
    weighted = table["segment"].value_counts()
    for segment in result.segments:
        assert segment.count == counts[segment.number - 1]
        of = weighted.filter(pl.col("segment") == segment.number - 1)["count"][0]
        near(segment.share, of / len(table))
        low, high = segment.share_interval
        assert low < segment.share < high
    assert result.population.count == N
    assert result.population.total_weight == len(table)


@pytest.mark.parametrize("name", ["income", "spending", "age", "revenue"])
def test_numbers(result, table, name) -> None:
    values = table[name]
    roles = {"income": "active", "spending": "active", "age": "descriptive", "revenue": "value"}
    everybody = result.population.numbers[name]
    near(everybody.mean, values.mean())
    near(everybody.sd, values.std(ddof=0))
    for segment in result.segments:
        one = next(one for one in segment.numbers if one.column == name)
        assert one.role == roles[name]
        inside = table.filter(pl.col("segment") == segment.number - 1)[name].drop_nulls()
        outside = table.filter(pl.col("segment") != segment.number - 1)[name].drop_nulls()
        raw = customers()[name].to_list()
        members = [raw[n] for n in np.flatnonzero(result.assignment.labels == segment.number - 1)]
        assert one.summary.missing == members.count(None)
        assert one.summary.count == len(members) - members.count(None)
        near(one.summary.mean, inside.mean())
        near(one.summary.sd, inside.std(ddof=0))
        near(one.summary.median, inside.median())
        expected = np.quantile(inside.to_numpy(), [0.25, 0.75], method="averaged_inverted_cdf")
        np.testing.assert_allclose([one.summary.q1, one.summary.q3], expected)
        near(one.summary.iqr, expected[1] - expected[0])
        assert (one.summary.minimum, one.summary.maximum) == (inside.min(), inside.max())
        near(one.difference, (inside.mean() - values.mean()) / values.std(ddof=0))
        pooled = (len(inside) * inside.var(ddof=0) + len(outside) * outside.var(ddof=0)) / (
            len(inside) + len(outside)
        )
        near(one.cohens_d, (inside.mean() - outside.mean()) / math.sqrt(pooled))


def naive_distinction(inside, everybody, size) -> tuple[float, float, float]:
    """Overlap, bits and percent from two lists of bins, cell by cell."""
    share = len(inside) / len(everybody)
    a, whole = Counter(inside), Counter(everybody)
    overlap = bits = 0.0
    for cell, count in whole.items():
        s, p = a[cell] / len(inside), count / len(everybody)
        overlap += min(s, (count - a[cell]) / (len(everybody) - len(inside)))
        bits += s * math.log2(s / p) if s else 0.0
    chance = (len(whole) - 1) * (1 - share) / (2 * size * math.log(2))
    bits = max(bits - chance, 0.0)
    return overlap, bits, 100 * bits / math.log2(1 / share)


def check_distinction(result, table, column, cells, distinctions) -> None:
    """`cells` holds a bin per row of the table, or None where there is no value."""
    labels = table["segment"].to_list()
    everybody = [cell for cell in cells if cell is not None]
    known = customers()[column].is_not_null().to_list() if column in {"age", "revenue"} else [True] * N
    weights = np.ones(N) if result.weights is None else result.weights
    for k, one in enumerate(distinctions):
        members = (result.assignment.labels == k) & np.array(known)
        inside = [cell for cell, label in zip(cells, labels, strict=True) if label == k and cell is not None]
        overlap, bits, percent = naive_distinction(inside, everybody, weights[members].sum())
        near(one.overlap, overlap)
        near(one.divergence, bits)
        near(one.distinctness, percent)


@pytest.mark.parametrize("name", ["income", "spending", "age", "revenue"])
def test_what_distinguishes_in_numbers(result, table, name) -> None:
    values = table[name].to_list()
    present = np.array([value for value in values if value is not None])
    edges = np.quantile(present, np.arange(1, 20) / 20, method="averaged_inverted_cdf")
    cells = [None if value is None else sum(value > edge for edge in edges) for value in values]
    distinctions = [
        next(one for one in segment.numbers if one.column == name).distinction for segment in result.segments
    ]
    check_distinction(result, table, name, cells, distinctions)


@pytest.mark.parametrize("name", ["region", "member", "children", "town"])
def test_levels(result, table, name) -> None:
    texts = ["" if value is None else str(value).lower() for value in table[name].to_list()]
    frequent = customers()[name].drop_nulls().value_counts(sort=True)
    told = [level.level for level in result.population.categories[name]]
    if name == "town":
        assert told[10] == OTHER
        assert told[:1] == [frequent["town"][0]]
        texts = [text if text in told else OTHER for text in texts]
    elif name == "region":
        assert told[-1] == MISSING
        texts = [text or MISSING for text in texts]
    whole = Counter(texts)
    for segment in result.segments:
        one = next(one for one in segment.categories if one.column == name)
        inside = Counter(
            text for text, label in zip(texts, table["segment"], strict=True) if label == segment.number - 1
        )
        assert sum(level.count for level in one.levels) == segment.count
        for level in one.levels:
            near(level.share, inside[level.level] / inside.total())
            near(level.population_share, whole[level.level] / whole.total())
            near(level.lift, level.share / level.population_share)
        # Where values are missing they are so by the kind of customer, and may lead.
        said = {
            level.level: level.share * np.log2(level.share / level.population_share) if level.share else 0.0
            for level in one.levels
        }
        assert one.leading_level.level == max(said, key=lambda text: said[text])
    distinctions = [
        next(one for one in segment.categories if one.column == name).distinction
        for segment in result.segments
    ]
    check_distinction(result, table, name, texts, distinctions)


def test_values(result, table) -> None:
    total = table["revenue"].sum()
    near(result.population.value.total, total)
    assert sum(segment.value.share for segment in result.segments) == pytest.approx(1)
    for segment in result.segments:
        inside = table.filter(pl.col("segment") == segment.number - 1)["revenue"]
        near(segment.value.total, inside.sum())
        near(segment.value.share, inside.sum() / total)
        near(segment.value.mean, inside.mean())
        near(segment.value.median, inside.median())
        near(segment.value.index, inside.mean() / table["revenue"].mean())
        near(result.model.mean_values[segment.number - 1], inside.mean())


def test_what_distinguishes_most_comes_first(result) -> None:
    for segment in result.segments:
        bits = [one.distinction.divergence for one in segment.distinguishing]
        assert bits == sorted(bits, reverse=True)
        assert len(bits) == 8


def test_the_most_typical_customers_are_where_the_component_is_densest(result) -> None:
    mixture = result.model.in_user_units()
    covariances = mixture.full_covariances()
    for k, segment in enumerate(result.segments):
        bell = stats.multivariate_normal(mixture.means[k], covariances[k])
        members = np.flatnonzero(result.assignment.labels == k)
        density = bell.logpdf(result.rows[members])
        expected = members[np.argsort(-density)[:5]]
        assert [one.row for one in segment.typical] == expected.tolist()
        assert [one.customer for one in segment.typical] == [f"c{row:03d}" for row in expected]
        np.testing.assert_array_equal([one.values for one in segment.typical], result.rows[expected])
        scaled = np.log(result.model.scaling.scale).sum()
        np.testing.assert_allclose(
            [one.log_density for one in segment.typical], np.sort(density)[::-1][:5] + scaled, rtol=1e-9
        )


def test_typical_is_not_the_nearest_to_the_mean() -> None:
    rng = np.random.default_rng(1)
    # A long thin segment: one customer off across it, another farther off along it.
    long = rng.normal(size=(200, 1)) @ [[30.0, 30.0]] + rng.normal(size=(200, 2))
    rows = np.vstack([long, long.mean(axis=0) + np.array([[4, -4], [15, 15]])])
    result = segment_table(pl.DataFrame(rows, schema=["a", "b"]), components=[1], covariance_types=["full"])
    density = result.assignment.log_density
    assert density[201] > density[200]
    mean = rows.mean(axis=0)
    nearest = np.argsort(np.linalg.norm(rows - mean, axis=1))[:5]
    typical = [one.row for one in result.segments[0].typical]
    assert typical == np.argsort(-density)[:5].tolist()
    assert typical != nearest.tolist()


def test_one_segment_differs_in_nothing() -> None:
    result = segment_table(customers(), columns=["income"], describe=["region"], components=[1])
    one = result.segments[0]
    assert one.share_interval == (1.0, 1.0)
    assert (one.numbers[0].distinction.overlap, one.numbers[0].distinction.distinctness) == (1.0, 0.0)
    assert math.isnan(one.numbers[0].cohens_d)
    assert one.value is None


def test_overlap_of_two_bells_is_the_closed_form() -> None:
    rng = np.random.default_rng(2)
    for shift in (0.5, 1.0, 2.0):
        values = np.concatenate([rng.normal(size=40_000), rng.normal(shift, size=40_000)])
        one = distinguish(values, np.repeat([0, 1], 40_000))[0]
        assert one.overlap == pytest.approx(2 * stats.norm.cdf(-shift / 2), abs=0.012)
        grid = np.linspace(-9, 11, 20_001)
        inside = stats.norm.pdf(grid)
        both = (inside + stats.norm.pdf(grid - shift)) / 2
        bits = np.trapezoid(inside * np.log2(inside / both), grid)
        assert one.divergence == pytest.approx(bits, abs=0.01)


def test_a_random_group_differs_in_nothing_on_average() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=1000)
    groups = [rng.permutation(np.repeat([0, 1], [60, 940])) for _ in range(200)]
    raw = []
    for labels in groups:
        cells = bins(values, labels)[:, 0] / 60
        raw.append(float(np.sum(cells[cells > 0] * np.log2(20 * cells[cells > 0]))))
    chance = 19 * 0.94 / (2 * 60 * np.log(2))
    assert np.mean(raw) == pytest.approx(chance, rel=0.15)
    corrected = [distinguish(values, labels)[0].divergence for labels in groups]
    np.testing.assert_allclose(corrected, np.maximum(np.array(raw) - chance, 0), atol=1e-12)
    assert np.median(corrected) < 0.15 * np.median(raw)


def test_bins_of_equal_values_and_spikes() -> None:
    values = np.concatenate([np.zeros(500), np.arange(1.0, 501.0)])
    labels = np.repeat([0, 1], 500)
    table = bins(values, labels)
    np.testing.assert_array_equal(table[0], [500, 0])
    assert table[1:, 0].sum() == 0
    found = bins(np.array([3.0, 1.0, 3.0]), np.array([0, 1, 2]))
    np.testing.assert_array_equal(found[:2], [[0, 1, 0], [1, 0, 1]])


def test_the_interval_is_that_of_a_bootstrap() -> None:
    labels = np.repeat([0, 1, 2], [37, 100, 163])
    rng = np.random.default_rng(4)
    for k in range(3):
        shares = [np.mean(rng.choice(labels, 300) == k) for _ in range(4000)]
        expected = np.percentile(shares, [2.5, 97.5])
        np.testing.assert_allclose(share_interval(sizes_of(labels, 3), k), expected, atol=0.008)
        exact = stats.binom(300, np.mean(labels == k)).ppf([0.025, 0.975]) / 300
        np.testing.assert_allclose(share_interval(sizes_of(labels, 3), k), exact)


def test_the_interval_with_weights_is_that_of_a_bootstrap() -> None:
    rng = np.random.default_rng(4)
    labels, weights = np.repeat([0, 1], [80, 220]), rng.gamma(2, 1, 300)
    drawn = rng.integers(0, 300, (4000, 300))
    shares = np.sum(weights[drawn] * (labels[drawn] == 0), axis=1) / weights[drawn].sum(axis=1)
    interval = share_interval(sizes_of(labels, 2, weights), 0)
    np.testing.assert_allclose(interval, np.percentile(shares, [2.5, 97.5]), atol=0.008)


def test_quantiles_are_numpys_with_and_without_weights() -> None:
    rng = np.random.default_rng(6)
    values, weights = rng.normal(size=41).round(1), rng.integers(0, 4, 41)
    shares = np.array([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1])
    repeated = np.repeat(values, weights)
    expected = np.quantile(repeated, shares, method="averaged_inverted_cdf")
    np.testing.assert_allclose(quantiles(values, shares, weights.astype(float)), expected)
    np.testing.assert_allclose(quantiles(values, shares, weights / 7.3), expected)
    np.testing.assert_allclose(quantiles(repeated, shares), expected)


def test_equal_values_are_not_skewed() -> None:
    assert skewness(np.array([2.0, 2.0])) == 0


def test_a_column_of_any_kind_is_read_from_any_frame(result) -> None:
    frame = customers()
    complete = np.ones(N, dtype=bool)
    told = [
        read_columns(table, result.columns, result.rows, complete)
        for table in (frame, frame.to_pandas(), frame.to_arrow())
    ]
    for numbers, levels in told[1:]:
        for one, other in zip(numbers, told[0][0], strict=True):
            np.testing.assert_array_equal(one.values, other.values)
        for one, other in zip(levels, told[0][1], strict=True):
            assert one.levels == other.levels
            np.testing.assert_array_equal(one.codes, other.codes)


def test_odd_levels_keep_apart() -> None:
    frame = pl.DataFrame(
        {
            "x": np.arange(8.0),
            "code": [1.0, None, 2.5, 2.5, 30.0, math.inf, 1.0, 1.0],
            "word": [MISSING, None, "b", "b", "b", OTHER, OTHER, OTHER],
            "whole": [1.0, 10.0, 2.0, math.nan, 1.0, 1.0, 1.0, 1.0],
        }
    )
    result = segment_table(
        frame, columns=["x"], describe=["code", "word", "whole"], components=[1], covariance_types=["full"]
    )
    assert [one.level for one in result.population.categories["whole"]] == ["1", "2", "10", MISSING]
    assert [one.level for one in result.population.categories["word"]] == [
        f"{OTHER!r}",
        "b",
        f"{MISSING!r}",
        MISSING,
    ]
    assert result.population.numbers["code"].missing == 2


def test_describing_never_drops_a_customer() -> None:
    frame = customers().with_columns(pl.lit(None, dtype=pl.Float64).alias("age"))
    result = segment_table(
        frame, columns=["income", "spending"], describe=["age"], components=[2], covariance_types=["full"]
    )
    assert result.assignment.complete.all()
    levels = result.segments[0].categories[0].levels
    assert [(one.level, one.share, one.lift) for one in levels] == [(MISSING, 1.0, 1.0)]


def test_weights_are_repeated_rows() -> None:
    weighted = segmented("weight")
    frame = customers().select(pl.all().repeat_by("weight").explode())
    repeated = segment_table(
        frame,
        columns=["income", "spending"],
        describe=DESCRIBE,
        value="revenue",
        components=[3],
        covariance_types=["full"],
    )
    np.testing.assert_allclose(weighted.model.scaling.center, repeated.model.scaling.center)
    np.testing.assert_allclose(weighted.model.scaling.scale, repeated.model.scaling.scale)
    np.testing.assert_allclose(weighted.model.mixture.means, repeated.model.mixture.means, atol=1e-3)
    assert weighted.best.log_likelihood == pytest.approx(repeated.best.log_likelihood, rel=1e-6)
    assert weighted.best.bic == pytest.approx(repeated.best.bic, rel=1e-6)
    for one, other in zip(weighted.segments, repeated.segments, strict=True):
        near(one.share, other.share)
        np.testing.assert_allclose(one.means, other.means)


def test_differences_of_a_transformed_column_are_those_that_the_mixture_sees() -> None:
    rng = np.random.default_rng(0)
    spent = np.r_[np.exp(rng.normal(3, 0.3, 150)), np.exp(rng.normal(5, 0.3, 100)), 9000.0]
    frame = pl.DataFrame({"spent": spent, "age": np.r_[rng.normal(40, 3, 150), rng.normal(60, 3, 101)]})
    result = segment_table(frame, components=[2], covariance_types=["diag"], transform={"spent": "log1p"})
    seen = {"spent": np.log1p(spent), "age": frame["age"].to_numpy()}
    for segment in result.segments:
        members = result.assignment.labels == segment.number - 1
        for d, name in enumerate(("spent", "age")):
            expected = (seen[name][members].mean() - seen[name].mean()) / seen[name].std()
            near(segment.differences[d], expected)
            near(next(one.difference for one in segment.numbers if one.column == name), expected)
            near(segment.means[d], frame[name].to_numpy()[members].mean())


@pytest.mark.parametrize(
    ("inside", "everywhere", "leads"),
    [
        ({"female": 72, MISSING: 5, "male": 0}, {"female": 165, MISSING: 11, "male": 168}, "female"),
        ({"female": 40, MISSING: 2, "male": 38}, {"female": 168, MISSING: 6, "male": 170}, "female"),
        ({"female": 20, MISSING: 40, "male": 20}, {"female": 150, MISSING: 44, "male": 150}, MISSING),
    ],
    ids=["a rare level with the highest ratio", "a few by chance", "missing in the segment"],
)
def test_missing_values_lead_a_profile_where_they_go_with_the_segment(
    inside: dict[str, int], everywhere: dict[str, int], leads: str
) -> None:
    n, whole = sum(inside.values()), sum(everywhere.values())
    levels = [
        LevelShare(level, count, count / n, everywhere[level] / whole, count / n * whole / everywhere[level])
        for level, count in inside.items()
    ]
    assert leading_level(levels).level == leads
