"""Hartigan's dip against the C code of R's ``diptest``, and its p-values against R's published table of quantiles.

``dip.py`` writes ``dip.csv`` and ``dip_quantiles.csv``.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mixtura.segments.advice import dip_p_value, dip_statistic
from reference.dip import samples


def cases(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("case", cases("dip.csv"), ids=lambda case: f"{case['kind']}-{case['n']}")
def test_the_dip_is_that_of_diptest(case: dict[str, str]) -> None:
    values = samples(int(case["n"]))[case["kind"]]
    assert dip_statistic(values) == pytest.approx(float(case["dip"]), abs=1e-12)


def test_there_are_dips_of_every_kind() -> None:
    dips = [float(case["dip"]) for case in cases("dip.csv")]
    assert (len(dips), min(dips) < 0.01, max(dips) > 0.15) == (48, True, True)


def test_p_values_are_those_of_the_published_table() -> None:
    """R's table comes from a million samples each, ours from fewer: they differ by chance, and between our sizes."""
    table = cases("dip_quantiles.csv")
    assert len(table) > 50
    for case in table:
        expected = 1 - float(case["probability"])
        found = dip_p_value(float(case["dip"]), int(case["n"]))
        # Four standard errors of 50,000 samples, and the interpolation between the quantiles kept.
        allowed = 4 * np.sqrt(expected / 50_000) + 0.08 * expected
        assert found == pytest.approx(expected, abs=allowed), case
