from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from mixtura.core.covariance import count_parameters, get_family
from mixtura.segments import Finding, advise
from mixtura.segments.advice import capacities
from mixtura.segments.advice.findings.capacity import FAMILIES, needs_pca
from mixtura.segments.advice.findings.column_findings import column_statistics, kurtosis, skewness


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(autouse=True)
def few_components(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings look at columns and rows; the fit they are told beside need not be the best."""
    monkeypatch.setattr("mixtura.segments.advice.evidence.quick_fit._COMPONENTS", range(1, 4))


def findings_of(table: dict[str, object], **options: object) -> dict[str, Finding]:
    """By topic; the table is small, so that this is quick."""
    return {finding.topic: finding for finding in advise(pl.DataFrame(table), **options).findings}


def test_parameters_are_those_of_fifty_columns_and_five_full_components() -> None:
    full = capacities(10_000, 50)[0]
    assert (full.covariance_type, full.n_covariances, full.n_parameters) == ("full", 6375, 6375 + 250 + 4)
    assert full.most_components == 1
    for name in FAMILIES:
        assert count_parameters(name, 3, 4) == 2 + 12 + get_family(name).n_parameters(3, 4)


def test_what_rows_carry_has_five_rows_for_each_parameter() -> None:
    for one in capacities(200, 3):
        k = one.most_components
        assert (
            5 * count_parameters(one.covariance_type, k, 3)
            <= 200
            < 5 * count_parameters(one.covariance_type, k + 1, 3)
        )
    assert needs_pca(100, 20)
    assert not needs_pca(300, 20)


def test_rows_for_each_parameter_are_written_without_powers_of_ten(rng: np.random.Generator) -> None:
    """Fourteen parameters of five components of one column: 1,800 / 14 = 128.6."""
    said = findings_of({"x": rng.normal(size=1800)})["rows and parameters"].measured
    assert said.startswith("1,800 rows, 1 column: ")
    assert said.endswith(" 14 parameters, 5 of them covariances, 129 rows for each")


def test_moments_are_scipys(rng: np.random.Generator) -> None:
    for values in (rng.exponential(size=500), 1e200 * rng.normal(size=500), 1e-200 * rng.random(500)):
        unit = values / np.abs(values).max()
        assert skewness(values) == pytest.approx(stats.skew(unit), rel=1e-9, abs=1e-9)
        assert kurtosis(values) == pytest.approx(stats.kurtosis(unit), rel=1e-9, abs=1e-9)
    assert (skewness(np.ones(5)), kurtosis(np.ones(5))) == (0, -3)


def test_facts_of_a_column() -> None:
    facts = column_statistics("x", np.array([0, 0, 0, 2.5, 5, 7.5, 10, 1.1]))
    assert (facts.spike, facts.spike_share, facts.n_values, facts.lowest) == (0, 3 / 8, 6, 0)
    assert facts.step == pytest.approx(0.1)
    assert facts.heaped == 7 / 8
    assert column_statistics("x", np.array([0.123456, 3.1, 2])).step == 0
    assert column_statistics("x", np.array([1e-200, 3e-200, 2e-200])).step == 0
    assert column_statistics("x", np.array([1e12, 3e12, 2e12])).step == 0


def test_a_quiet_table_has_no_complaints(rng: np.random.Generator) -> None:
    rows = np.vstack([rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 9])
    found = findings_of({"a": rows[:, 0], "b": rows[:, 1]})
    assert {finding.severity for finding in found.values()} == {"fine"}
    assert set(found) == {
        "rows and parameters",
        "clusterability",
        "crowding",
        "quick fit",
        "roundness",
        "shapes",
        "overlap",
        "normality",
    }


def test_single_columns_are_told_about(rng: np.random.Generator) -> None:
    n = 100
    found = findings_of(
        {
            "same": np.full(n, 7.0),
            "code": rng.integers(1, 4, n),
            "rating": rng.integers(1, 8, n),
            "spiked": np.where(np.arange(n) < 45, 0.0, 5 + rng.normal(size=n)),
            "skewed": rng.permutation(np.exp(2 * stats.norm.ppf((np.arange(n) + 0.5) / n))),
            "heavy": rng.permutation(stats.t(2).ppf((np.arange(n) + 0.5) / n)),
            "rounded": np.rint(3 * rng.normal(size=n)) / 1.0,
            "heaped": np.where(np.arange(n) < 60, 5 * rng.integers(4, 30, n), rng.integers(20, 150, n)),
        },
        kinds="continuous",
    )
    assert found["constant"].columns == ("same",)
    assert found["codes"].columns == ("code",)
    assert "rating" in found["few values"].columns
    spikes = found["point masses"]
    assert (spikes.columns, spikes.severity, spikes.value) == (("spiked",), "serious", 0.45)
    others = ["rating", "skewed", "heavy", "rounded", "heaped"]
    assert spikes.arguments == {"columns": others, "kinds": "continuous"}
    assert found["skew"].columns[0] == "skewed"
    assert found["skew"].severity == "serious"
    assert found["skew"].arguments == {"transform": "auto", "kinds": "continuous"}
    assert found["heavy tails"].columns == ("heavy",)
    assert found["rounding"].columns == ("rounded",)
    assert found["heaping"].columns == ("heaped",)


def test_findings_name_a_few_columns_and_count_the_rest(rng: np.random.Generator) -> None:
    found = findings_of({f"c{k}": rng.exponential(size=150) ** 2 for k in range(12)})
    assert "and 4 more" in found["skew"].measured
    assert len(found["skew"].columns) == 12


def test_few_rows_are_told(rng: np.random.Generator) -> None:
    found = findings_of({"a": rng.normal(size=30), "b": rng.normal(size=30)})
    assert (found["few rows"].value, found["few rows"].severity) == (30, "serious")
    pair = np.where(np.arange(24) < 12, 0, 50) + rng.normal(size=24)
    assert "normality" not in findings_of({"a": pair})
    for n_columns, action in ((1, "Add rows."), (3, "Add rows."), (6, "Add rows, or use fewer `columns`.")):
        few = rng.normal(size=(10, n_columns))
        advice = advise(pl.DataFrame({f"c{k}": few[:, k] for k in range(n_columns)}))
        assert next(one.action for one in advice.findings if one.topic == "rows and parameters") == action
    advice = advise(pl.DataFrame({"a": [1.0, 2.5, 4.0]}))
    assert (advice.method, advice.verdict.title) == ("none", "Too few rows to find clusters in")
    assert (dict(advice.evidence), advice.n_sampled) == ({}, 0)


def test_families_that_the_rows_carry_are_recommended(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(150, 8))
    found = findings_of({f"c{k}": rows[:, k] for k in range(8)})["rows and parameters"]
    assert found.severity == "notable"
    assert found.arguments == {"covariance_types": ["spherical", "EEI", "EII"]}
    # Two components with one covariance have 53 parameters; one component of any family is too much for 60 rows.
    found = findings_of({f"c{k}": rows[:60, k] for k in range(8)})["rows and parameters"]
    assert (found.severity, found.action) == ("serious", "Use fewer `columns`.")


def test_blanks_are_counted_and_what_they_go_with_is_found(rng: np.random.Generator) -> None:
    n = 200
    paid = np.where(np.arange(n) < 30, 0.0, 10 + rng.normal(size=n))
    due = np.where(np.arange(n) < 36, np.nan, rng.normal(size=n))
    found = findings_of({"paid": paid, "due": due, "other": rng.normal(size=n)})
    missing = found["missing values"]
    assert (missing.value, missing.severity, missing.columns) == (36 / 200, "serious", ("due",))
    assert missing.arguments is None
    assert "used with the values that they have" in missing.meaning
    selective = found["missing not at random"]
    assert selective.columns == ("due", "paid")
    assert "where paid is 0: in 30 of 36 rows" in selective.measured


def test_blanks_among_high_values_are_found_and_random_ones_are_not(rng: np.random.Generator) -> None:
    n = 300
    income, other = rng.normal(size=n), rng.normal(size=n)
    age = np.where(income > np.quantile(income, 0.85), np.nan, rng.normal(size=n))
    found = findings_of({"income": income, "other": other, "age": age})["missing not at random"]
    assert found.columns == ("age", "income")
    assert "income is high" in found.measured
    holes = np.where(np.arange(n) % 20 == 0, np.nan, rng.normal(size=n))
    at_random = findings_of({"income": income, "other": other, "age": holes})
    assert "missing not at random" not in at_random
    assert at_random["missing values"].severity == "notable"


def test_repeated_rows_and_columns(rng: np.random.Generator) -> None:
    rows = np.repeat(rng.normal(size=(50, 2)), 2, axis=0)
    columns = {"a": rows[:, 0], "b": rows[:, 1], "twice, a": 2 * rows[:, 0] + 1}
    left_out = findings_of(columns)["dependent columns"]
    assert (left_out.columns, left_out.severity) == (("twice, a",), "notable")
    assert left_out.measured == "twice, a is the same as 'a', up to scale and rounding"
    found = findings_of(columns, columns=list(columns))
    assert (found["repeated rows"].value, found["repeated rows"].severity) == (0.5, "serious")
    same = found["repeated columns"]
    assert (same.value, same.columns) == (pytest.approx(1), ("a", "twice, a"))
    assert same.arguments == {"columns": ["a", "b"]}
    assert "repeated rows" not in findings_of({"a": np.r_[rows[::2, 0], 0.0], "b": np.r_[rows[::2, 1], 0.0]})


def test_sums_of_other_columns(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 200))
    columns = {"a": a, "b": b, "total": a + b}
    assert findings_of(columns)["dependent columns"].measured == "total is the sum of 'a' and 'b'"
    found = findings_of(columns, columns=list(columns))["dependent columns"]
    assert (found.severity, found.columns) == ("serious", ())
    near = a + b + 0.1 * rng.normal(size=200)
    found = findings_of({"a": a, "b": b, "total": near})["dependent columns"]
    rows = np.column_stack([np.ones(200), a, b])
    left = near - rows @ np.linalg.lstsq(rows, near, rcond=None)[0]
    assert found.columns == ("total",)
    assert found.value == pytest.approx(1 - left.var() / near.var(), rel=1e-9)
    assert "dependent columns" not in findings_of({"a": a, "b": b})
    wide = {f"c{k}": rng.normal(size=20) for k in range(12)}
    assert "dependent columns" not in findings_of(wide)


def test_few_rows_of_many_columns_are_not_reduced_to_principal_components(rng: np.random.Generator) -> None:
    """Two components with one covariance have 34 parameters in six columns."""
    rows = rng.normal(size=(30, 6))
    advice = advise(pl.DataFrame({f"c{k}": rows[:, k] for k in range(6)}))
    assert (advice.method, advice.verdict.title) == ("none", "Too few rows for these columns")
    assert advice.verdict.steps[0] == "Add rows, or choose a few `columns`."
