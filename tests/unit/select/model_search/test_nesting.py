"""What families learn from each other, on candidates whose ends are given."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from mixtura.core.covariance import FAMILIES
from mixtura.fit import Degeneracy, DegeneracyKind
from mixtura.select import Candidate
from mixtura.select.model_search.nesting import (
    contains,
    enforce_nesting,
    start_from_larger,
    warm_start_from_best,
)

NAMES = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}

STEPS = {
    ("EII", "VII"), ("EII", "EEI"), ("VII", "VEI"), ("EEI", "VEI"), ("EEI", "EVI"), ("VEI", "VVI"), ("EVI", "VVI"),
    ("EEI", "EEE"), ("VEI", "VEE"), ("EVI", "EVE"), ("VVI", "VVE"), ("EEE", "VEE"), ("EEE", "EVE"), ("EEE", "EEV"),
    ("VEE", "VVE"), ("VEE", "VEV"), ("EVE", "VVE"), ("EVE", "EVV"), ("VVE", "VVV"), ("EEV", "VEV"), ("EEV", "EVV"),
    ("VEV", "VVV"), ("EVV", "VVV"),
}  # fmt: skip
"""From each family to those that free one of volume, shape and orientation more (Celeux and Govaert 1995)."""


def reached_from(family: str) -> set[str]:
    """Every family that steps lead to."""
    following = {wide for narrow, wide in STEPS if narrow == family}
    return following.union(*(reached_from(wide) for wide in following))


def test_a_family_contains_those_whose_steps_lead_to_it() -> None:
    for wide, narrow in product(FAMILIES, repeat=2):
        expected = NAMES.get(wide, wide) in reached_from(NAMES.get(narrow, narrow))
        assert contains(wide, narrow) is expected, (wide, narrow)


def test_names_of_one_family_are_one() -> None:
    assert not contains("VVV", "full")
    assert contains("VVV", "tied")
    assert contains("full", "EEE")


BROKEN = Degeneracy(0, DegeneracyKind.EMPTY, (), 0, np.empty(0, dtype=np.intp), np.empty((0, 2)), np.empty(0))


def candidate(
    family: str, log_likelihood: float, k: int = 2, *, degenerate: bool = False, failure: str | None = None
) -> Candidate:
    """A candidate with as many parameters as letters that are free, and a single component at -500."""
    size = 10 * k + sum("IEV".index(letter) for letter in NAMES.get(family, family))
    measured = (log_likelihood, 0.0, 0.0, -500.0)
    return Candidate(
        family, k, size, 100.0, *measured, None, None, 0.0, failure, (BROKEN,) if degenerate else ()
    )


class Fits:
    """Fits from another's end that come out as told, and who began from whom."""

    def __init__(self, ends: dict[str, Candidate]) -> None:
        self.ends, self.asked = ends, list[tuple[str, str]]()

    def __call__(self, one: Candidate, near: Candidate) -> Candidate:
        self.asked.append((one.covariance_type, near.covariance_type))
        return self.ends.get(one.covariance_type, one)


def outcome(candidates: list[Candidate]) -> dict[str, float]:
    return {one.covariance_type: one.log_likelihood for one in candidates}


def test_all_begin_from_the_best_by_bic_and_the_best_from_the_second() -> None:
    found = [candidate("VVV", -300.0), candidate("EEE", -200.0), candidate("VVI", -250.0)]
    fits = Fits({"VVV": candidate("VVV", -190.0)})
    ends = warm_start_from_best(found, fits)
    assert outcome(ends) == {"VVV": -190.0, "EEE": -200.0, "VVI": -250.0}
    # The second asks when the first is already better.
    assert fits.asked == [
        ("VVV", "EEE"),
        ("EEE", "VVV"),
        ("VVI", "EEE" if ends[1].bic < ends[0].bic else "VVV"),
    ]
    assert ends[1] is found[1]
    assert found[0].log_likelihood == -300.0


def test_what_one_component_comes_to_is_kept() -> None:
    better = Candidate("VVV", 2, 29, 100.0, -190.0, 0.0, 0.0, float("nan"), None, None, 0.0)
    for learn in (warm_start_from_best, enforce_nesting):
        ends = learn([candidate("VVV", -300.0), candidate("EEE", -200.0)], Fits({"VVV": better}))
        assert (ends[0].log_likelihood, ends[0].single_log_likelihood) == (-190.0, -500.0)


@pytest.mark.parametrize("learn", [warm_start_from_best, enforce_nesting])
@pytest.mark.parametrize(
    "worthless",
    [candidate("VVV", -300.0), candidate("VVV", -400.0), candidate("VVV", -10.0, degenerate=True)],
    ids=["equal", "worse", "degenerate"],
)
def test_what_is_no_better_is_not_taken(learn: Any, worthless: Candidate) -> None:
    found = [candidate("VVV", -300.0), candidate("EEE", -200.0)]
    fits = Fits({"VVV": worthless})
    ends = learn(found, fits)
    assert ("VVV", "EEE") in fits.asked
    assert ends[0] is found[0]


@pytest.mark.parametrize("learn", [warm_start_from_best, enforce_nesting])
def test_degenerate_and_failed_ones_neither_lend_nor_are_touched(learn: Any) -> None:
    found = [
        candidate("VVV", -300.0),
        candidate("EEE", -100.0, degenerate=True),
        candidate("VVI", float("nan"), failure="it would not"),
    ]
    fits = Fits({})
    assert learn(found, fits) == found
    assert fits.asked == []


@pytest.mark.parametrize("learn", [warm_start_from_best, enforce_nesting])
def test_only_those_with_as_many_components_are_asked(learn: Any) -> None:
    found = [candidate("VVV", -300.0, 2), candidate("EEE", -200.0, 3)]
    fits = Fits({})
    assert learn(found, fits) == found
    assert fits.asked == []


def test_one_component_has_nothing_to_learn() -> None:
    """Each family finds its only maximum at once."""
    fits = Fits({})
    warm_start_from_best([candidate("VVV", -300.0, 1), candidate("EEE", -200.0, 1)], fits)
    assert fits.asked == []


def test_a_family_below_one_it_contains_begins_from_the_highest_of_those() -> None:
    found = [candidate("VVV", -300.0), candidate("EEE", -280.0), candidate("EII", -290.0)]
    fits = Fits({"VVV": candidate("VVV", -270.0)})
    assert outcome(enforce_nesting(found, fits)) == {"VVV": -270.0, "EEE": -280.0, "EII": -290.0}
    assert fits.asked == [("VVV", "EEE")]


def test_the_smaller_family_is_mended_first_and_lends_its_new_end() -> None:
    found = [candidate("VVV", -300.0), candidate("EEE", -310.0), candidate("EII", -290.0)]
    fits = Fits({"EEE": candidate("EEE", -285.0), "VVV": candidate("VVV", -280.0)})
    assert outcome(enforce_nesting(found, fits)) == {"VVV": -280.0, "EEE": -285.0, "EII": -290.0}
    assert fits.asked == [("EEE", "EII"), ("VVV", "EEE")]


def test_what_a_finished_fit_may_leave_is_no_breach() -> None:
    """Neither are families side by side, of which none contains the other."""
    for short, expected in ((0.009, []), (0.011, [("VVV", "EEE")])):
        fits = Fits({})
        enforce_nesting([candidate("VVV", -200.0 - short), candidate("EEE", -200.0)], fits)
        assert fits.asked == expected
    fits = Fits({})
    enforce_nesting([candidate("VEI", -300.0), candidate("EVI", -200.0)], fits)
    assert fits.asked == []


def test_a_family_begins_from_what_it_has_with_one_component_more() -> None:
    found = [candidate("VVV", -300.0), candidate("EEE", -400.0), candidate("EII", -450.0)]
    larger = [candidate("EEE", -350.0, 3), candidate("VVV", -290.0, 3)]
    fits = Fits({"EEE": candidate("EEE", -360.0), "VVV": candidate("VVV", -310.0)})
    ends = start_from_larger(found, larger, fits)
    assert outcome(ends) == {"VVV": -300.0, "EEE": -360.0, "EII": -450.0}
    assert fits.asked == [("VVV", "VVV"), ("EEE", "EEE")]
    assert ends[1].single_log_likelihood == -500.0


def test_neither_degenerate_candidates_nor_single_components_take_part() -> None:
    fits = Fits({})
    start_from_larger([candidate("VVV", -300.0, degenerate=True)], [candidate("VVV", -290.0, 3)], fits)
    start_from_larger([candidate("VVV", -300.0)], [candidate("VVV", -290.0, 3, degenerate=True)], fits)
    start_from_larger([candidate("VVV", -300.0)], [candidate("VVV", np.nan, 3, failure="none")], fits)
    start_from_larger([candidate("VVV", -300.0, 1)], [candidate("VVV", -290.0, 2)], fits)
    assert start_from_larger([candidate("VVV", -300.0)], [], fits)[0].log_likelihood == -300.0
    assert not fits.asked
