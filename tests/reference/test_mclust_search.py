"""The whole search against mclust 6.0.0: every family with 1 to 9 components, on seven tables.

Ours begins from other starts beside mclust's and so finds better optima. On two tables these change the winner: of the
thyroid data mclust takes VVI, 3 (log-likelihood -2303.02) and ours has VVI, 4 (-2267.36); of the wholesale data
mclust takes VVE, 4 (-3601.84) and ours has VVE, 5 (-3553.64).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fitted import remembered
from mixtura.core.covariance import MCLUST_NAMES, get_family
from mixtura.select import Candidate, SearchResult, search
from reference.tables import COLUMNS, answers, rows_of

WINNERS = {
    "old_faithful": ("EEE", 3),
    "diabetes_reaven_miller": ("VVV", 3),
    "thyroid_gland": ("VVI", 3),
    "swiss_banknote": ("VVE", 3),
    "penguins": ("VEE", 4),
    "mall_customers": ("EII", 7),
    "wholesale_customers": ("VVE", 4),
}
"""What mclust chooses."""

CHANGED = ("thyroid_gland", "wholesale_customers")
"""Where a better optimum changes the winner."""

LETTERS = {get_family(name).name: name for name in MCLUST_NAMES}


def cells(table: str) -> dict[tuple[str, int], dict[str, str]]:
    """Return mclust's fits that are not degenerate, by the rule of `find_degeneracies`."""
    found = {(one["family"], int(one["components"])): one for one in answers(table)}
    return {key: one for key, one in found.items() if one["log_likelihood"] and is_sound(table, one)}


def is_sound(table: str, cell: dict[str, str]) -> bool:
    family = get_family(cell["family"])
    needed = len(COLUMNS[table]) + 1 if family.stores_matrices else 2
    few = cell["family"] in ("VII", "VVI", "VVV") and float(cell["rows"]) < needed - 0.5
    return float(cell["width"]) >= 1e-7 and float(cell["equal"]) <= 0.5 and not few


@pytest.fixture(scope="module")
def searched(shared_data: Path) -> Callable[[str], SearchResult]:
    """Search a table among all families with 1 to 9 components."""

    def found(table: str) -> SearchResult:
        rows = rows_of(shared_data, table)
        return remembered(
            "mclust-search", rows, make=lambda: search(rows, covariance_types="all", components=range(1, 10))
        )

    return found


def sound(found: SearchResult) -> dict[tuple[str, int], Candidate]:
    return {
        (LETTERS[one.covariance_type], one.n_components): one
        for one in found.candidates
        if not one.failure and not one.is_degenerate
    }


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "table",
    [pytest.param(one, marks=pytest.mark.slow if one == "thyroid_gland" else ()) for one in COLUMNS],
)
def test_the_winner_is_mclusts_or_better(searched: Callable[[str], SearchResult], table: str) -> None:
    found, theirs = searched(table), cells(table)
    best = found.best
    key = max(theirs, key=lambda one: float(theirs[one]["bic"]))
    assert key == WINNERS[table]
    assert not best.is_degenerate
    assert best.bic <= -float(theirs[key]["bic"]) + 0.02
    assert sound(found)[key].log_likelihood >= float(theirs[key]["log_likelihood"]) - 0.01
    if table in CHANGED:
        assert best.bic < -float(theirs[key]["bic"]) - 2
    else:
        assert (LETTERS[best.covariance_type], best.n_components) == key


@pytest.mark.slow
def test_98_of_100_likelihoods_are_mclusts_or_better(searched: Callable[[str], SearchResult]) -> None:
    gaps = {
        (table, *key): ours[key].log_likelihood - float(cell["log_likelihood"])
        for table, ours in ((table, sound(searched(table))) for table in COLUMNS)
        for key, cell in cells(table).items()
        if key in ours
    }
    below = {key: round(gap, 3) for key, gap in gaps.items() if gap < -0.01}
    assert len(gaps) > 800
    assert len(below) <= 0.02 * len(gaps), below
