"""Where nothing changed, nothing is found: tables with many zeros, equal rows, columns without a value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixtura.segments import segment_table, with_reference
from mixtura.segments.change import drift_of_table, drift_over_time


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame.assign(t=1), frame.assign(t=2)], ignore_index=True)


def with_zeros(share: float, n: int, seed: int) -> pd.DataFrame:
    """Two periods of n rows of the same distribution: four columns, of which a share is zero."""
    rng = np.random.RandomState(seed)
    values = np.where(rng.uniform(size=(2 * n, 4)) < share, 0.0, rng.exponential(50, size=(2 * n, 4)))
    return pd.DataFrame(values, columns=list("abcd")).assign(t=np.repeat([1, 2], n))


@pytest.mark.parametrize(("share", "n"), [(0.6, 300), (0.8, 400), (0.95, 400)])
def test_many_zeros_raise_no_alarm(share: float, n: int) -> None:
    tables = [with_zeros(share, n, seed) for seed in range(6)]
    words = [drift_over_time(one, "t", components=[1, 2], renewed=False).verdict.word for one in tables]
    assert words.count("keep") >= 5  # an alarm in 3 % of such tables; two in six once in 80 times


@pytest.mark.parametrize("k", [1, 2])
def test_the_same_rows_again_have_not_changed(k: int) -> None:
    zeros = with_zeros(0.7, 500, 0).query("t == 1").drop(columns="t")
    ten = pd.DataFrame(np.repeat(np.arange(30).reshape(10, 3) ** 2 % 17, 20, axis=0), columns=list("abc"))
    for frame in (zeros, ten):
        found = drift_over_time(twice(frame), "t", components=[k], renewed=False)
        assert found.verdict.word == "keep"


def test_a_correlation_that_changed_is_found_beside_zeros() -> None:
    rng = np.random.RandomState(3)
    z = rng.normal(size=(4000, 2))
    z[2000:, 1] = 0.8 * z[2000:, 0] + 0.6 * z[2000:, 1]
    frame = pd.DataFrame(np.where(rng.uniform(size=(4000, 2)) < 0.3, 0.0, 20 + 3 * z), columns=["a", "b"])
    found = drift_over_time(frame.assign(t=np.repeat([1, 2], 2000)), "t", components=[1], renewed=False)
    (change,) = found.last.drift.comparison.of_family("correlation")
    assert change.is_found
    assert change.low <= 0.8 <= change.high + 0.1


def made(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.RandomState(seed)
    z = rng.randint(0, 2, n)
    north = rng.uniform(size=n) < 0.2 + 0.6 * z
    return pd.DataFrame(
        {
            "amount": rng.normal(50 + 30 * z, 5),
            "spend": rng.normal(20 + 10 * z, 3),
            "region": np.where(north, rng.choice(["north", "west"], n), rng.choice(["south", "east"], n)),
        }
    )


@pytest.mark.parametrize("change", [lambda region: None, str.upper], ids=["missing", "unknown"])
def test_nothing_is_said_of_densities_without_a_category(change) -> None:
    result = segment_table(made(500, 1), components=[2], kinds="auto")
    assert "region" in result.columns.discrete
    model = with_reference(result.model, result.table)
    later = made(500, 2)
    assert drift_of_table(model, later, renewed=False).verdict.word == "keep"
    found = drift_of_table(model, later.assign(region=later["region"].map(change).astype(object)))
    assert found.verdict.word == "keep"
    assert any("region" in note for note in found.notes)


def test_columns_of_one_value_are_named_and_so_is_a_model_that_is_not_made() -> None:
    rng = np.random.RandomState(0)
    before = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    after = before.assign(a=500.0)
    found = drift_over_time(
        pd.concat([before.assign(a=1.0, t=1), after.assign(t=2)]), "t", components=[1], renewed=False
    )
    assert "Nothing is said of changes in 'a': 1 has one value there, or none." in found.notes
    still = pd.concat([before.assign(t=1), before.assign(a=0.0, t=2)])
    refused = drift_over_time(still, "t", components=[1])
    assert refused.verdict.word == "refit"
    made_or_said = refused.renewal is not None or any("No model of 2 is made" in one for one in refused.notes)
    assert made_or_said
