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
    sound_by_family,
    start_from_neighbors,
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


class Neighbors:
    """Fits from neighbors that come out as told, and who began from what."""

    def __init__(self, ends: dict[str, Candidate]) -> None:
        self.ends, self.asked = ends, dict[str, tuple[float | None, float | None]]()

    def __call__(self, one: Candidate, smaller: Candidate | None, larger: Candidate | None) -> Candidate:
        of = (near and near.log_likelihood for near in (smaller, larger))
        self.asked[one.covariance_type] = (next(of), next(of))
        return self.ends.get(one.covariance_type, one)


def by_family(*candidates: Candidate) -> dict[str, Candidate]:
    return sound_by_family(candidates)


def test_a_candidate_below_the_mean_of_its_neighbors_begins_from_these() -> None:
    found = [candidate("VVV", -300.0, 4), candidate("EEE", -400.0, 4), candidate("EII", -450.0, 4)]
    smaller = by_family(candidate("VVV", -320.0, 3), candidate("EEE", -410.0, 3), candidate("EII", -480.0, 3))
    larger = by_family(candidate("VVV", -290.0, 5), candidate("EEE", -350.0, 5))
    fits = Neighbors({"EEE": candidate("EEE", -360.0, 4), "EII": candidate("EII", -460.0, 4)})
    ends = start_from_neighbors(found, smaller, larger, frozenset(), fits)
    assert outcome(ends) == {"VVV": -300.0, "EEE": -360.0, "EII": -450.0}
    # The mean of -320 and -290 is below -300; of EII nothing is known with five.
    assert fits.asked == {"EEE": (-410.0, -350.0), "EII": (-480.0, None)}
    assert ends[1].single_log_likelihood == -500.0


def test_a_leader_and_where_that_is_cheap_all_begin_from_neighbors() -> None:
    found = [candidate("VVV", -300.0, 4), candidate("EEE", -400.0, 4)]
    smaller = by_family(candidate("VVV", -320.0, 3), candidate("EEE", -430.0, 3))
    larger = by_family(candidate("VVV", -290.0, 5), candidate("EEE", -390.0, 5))
    fits = Neighbors({})
    start_from_neighbors(found, smaller, larger, {"EEE"}, fits)
    assert fits.asked == {"EEE": (-430.0, -390.0)}
    start_from_neighbors(found, smaller, larger, {"EEE"}, fits, join_all=True)
    assert fits.asked == {"VVV": (None, -290.0), "EEE": (-430.0, -390.0)}


def test_neither_degenerate_candidates_nor_single_components_take_part() -> None:
    fits, nothing = Neighbors({}), frozenset[str]()
    good = by_family(candidate("VVV", -290.0, 3))
    assert not by_family(candidate("VVV", -290.0, 3, degenerate=True))
    assert not by_family(candidate("VVV", np.nan, 3, failure="none"))
    start_from_neighbors([candidate("VVV", -300.0, degenerate=True)], good, good, nothing, fits)
    start_from_neighbors([candidate("VVV", -300.0, 1)], {}, good, nothing, fits)
    assert start_from_neighbors([candidate("VVV", -300.0)], {}, {}, nothing, fits)[0].log_likelihood == -300.0
    assert not fits.asked
