"""Values so far from all others that they alone make the scale of a column."""

from __future__ import annotations

import numpy as np

from mixtura.cli.option_names import with_options
from mixtura.segments.transforms.lone_values import lone_value_notes
from mixtura.segments.transforms.scaling import Scaling
from mixtura.segments.transforms.transforms import Log1p

SPEND = np.linspace(10.0, 109.0, 300)


def notes(*columns: np.ndarray, scaling: Scaling | None = None) -> tuple[str, ...]:
    rows = np.column_stack(columns)
    plain = Scaling(np.zeros(rows.shape[1]), np.ones(rows.shape[1]))
    return lone_value_notes(rows, ["spend", "visits"][: rows.shape[1]], scaling or plain)


def test_a_value_far_from_all_others_is_named_with_what_to_do() -> None:
    spend = SPEND.copy()
    spend[17] = 1e9
    (said,) = notes(spend, SPEND)
    assert said.startswith(
        "1 value of 'spend' lies far from all others: 1000000000; the others lie from 10 to 109."
    )
    shown = with_options(said)
    assert "say --missing-code spend=1000000000; if not, --transform spend=winsorize moves it" in shown


def test_only_values_that_make_the_scale_are_lone() -> None:
    skewed = np.exp(np.random.default_rng(0).normal(size=1000) * 1.5)
    assert notes(skewed) == ()
    assert notes(SPEND[:10]) == ()
    assert notes(np.full(300, 2.0)) == ()
    wide = SPEND.copy()
    wide[0] = 500.0
    assert notes(wide) == ()
    few = np.append(np.tile(SPEND, 4), [-80000.5, -90000.0, 109.0, np.nan])
    (said,) = notes(few)
    assert said.startswith(
        "2 values of 'spend' lie far from all others: -90000, -80000.5; the others lie from 10"
    )
    assert "`missing_codes={'spend': [-90000, -80000.5]}`" in said


def test_a_transform_that_moves_them_leaves_nothing_to_say() -> None:
    spend = SPEND.copy()
    spend[17] = 20000.0
    logs = Scaling(np.zeros(1), np.ones(1), (Log1p(),))
    assert len(notes(spend)) == 1
    assert notes(spend, scaling=logs) == ()
