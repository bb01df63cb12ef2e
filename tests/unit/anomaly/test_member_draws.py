"""Members of an ensemble: drawn in one order from one stream, and learned by anyone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import mixtura
import mixtura.anomaly.ensemble as ensemble
from mixtura._typing import FloatArray
from mixtura.anomaly.ensemble import Ensemble, learn_ensemble
from mixtura.anomaly.member_draws import DrawOfMixture, MemberDraws, make_recipe
from mixtura.anomaly.standard_rows import StandardRows, standardize
from mixtura.core.mixture import Mixture
from mixtura.exceptions import MixturaError
from mixtura.run import ALONE, Workers

N_MEMBERS = 20


def a_table(kind: str) -> FloatArray:
    rng = np.random.RandomState(1)
    rows = rng.normal(size=(120, 4)) @ rng.normal(size=(4, 4))
    if kind == "point masses":
        rows[rng.uniform(size=120) < 0.7, :2] = 0.0
    elif kind == "missing":
        rows[rng.uniform(size=rows.shape) < 0.1] = np.nan
    return rows


def sample_of(kind: str) -> StandardRows:
    return standardize(a_table(kind), None, 0)


def densities_of(found: Ensemble, standard: StandardRows) -> list[list[float]]:
    """What each member says of all rows; NaN does not occur."""
    return [member.density.log_density(standard.sample).tolist() for member in found.members]


@pytest.mark.parametrize("all_normal", [False, True], ids=["outliers", "novelty"])
@pytest.mark.parametrize("kind", ["complete", "point masses", "missing"])
def test_members_are_the_same_whoever_learns_them(
    kind: str, all_normal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    standard, recipe = sample_of(kind), make_recipe(all_normal, 3, n_members=N_MEMBERS)
    found = []
    for workers in (ALONE, Workers(2), Workers(5), Workers(2, are_processes=True)):
        monkeypatch.setattr(ensemble, "_workers", lambda draws, workers=workers: workers)
        found.append(densities_of(learn_ensemble(standard, recipe), standard))
    assert all(one == found[0] for one in found[1:])


def test_scores_are_the_same_for_any_number_of_threads() -> None:
    rows, found = a_table("point masses"), []
    for n_threads in (1, 2, 5):
        with mixtura.set_threads(n_threads):
            detector = mixtura.GaussianMixtureOutlierDetector(N_MEMBERS, random_state=0).fit(rows)
        found.append(detector.scores_.tolist())
    assert found[1:] == found[:1] * 2


def test_draws_are_those_of_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that cannot be learned is left out, and further ones are drawn, as if drawn and learned in turn."""
    standard, recipe = sample_of("complete"), make_recipe(False, 3, n_members=N_MEMBERS)
    fit = ensemble._fit

    def fit_some(
        rows: FloatArray, weights: FloatArray | None, n_components: int, seed: int
    ) -> Mixture | None:
        return None if seed % 3 == 0 else fit(rows, weights, n_components, seed)

    monkeypatch.setattr(ensemble, "_fit", fit_some)
    draws, rng = MemberDraws.of(standard, recipe), np.random.RandomState(recipe.seed)

    def in_turn() -> Iterator[list[int]]:
        while True:
            drawn = draws.draw(rng)
            if isinstance(drawn, DrawOfMixture) and drawn.seed % 3:
                yield drawn.rows.tolist()

    wanted = [rows for _, rows in zip(range(N_MEMBERS), in_turn(), strict=False)]
    assert [member.rows.tolist() for member in learn_ensemble(standard, recipe).members] == wanted


def test_draws_end_where_no_mixture_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    n_drawn, draw = [], MemberDraws.draw

    def counted(draws: MemberDraws, rng: np.random.RandomState) -> object:
        n_drawn.append(1)
        return draw(draws, rng)

    monkeypatch.setattr(MemberDraws, "draw", counted)
    monkeypatch.setattr(ensemble, "_fit", lambda *asked: None)
    with pytest.raises(MixturaError, match="Give more rows"):
        learn_ensemble(sample_of("complete"), make_recipe(False, 3, n_members=N_MEMBERS))
    assert len(n_drawn) == 3 * N_MEMBERS


def test_small_tables_are_learned_by_one_thread_and_large_ones_with_gaps_in_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []
    monkeypatch.setattr(ensemble, "start_workers", lambda function, count: started.append(count))
    monkeypatch.setattr("mixtura.select.model_search.cost.ready_workers", lambda: 0)
    rng = np.random.RandomState(0)
    large = rng.normal(size=(2_000, 20))
    large[rng.uniform(size=len(large)) < 0.7, 0] = 0.0
    with mixtura.set_threads(3):
        small = MemberDraws.of(sample_of("complete"), make_recipe(False, 0))
        assert ensemble._workers(small) == ALONE
        assert started == []
        wide = MemberDraws.of(standardize(large, None, 0), make_recipe(False, 0))
        assert ensemble._workers(wide) == Workers(3, are_processes=True)
        assert started == [3]
    with mixtura.set_threads(1):
        assert ensemble._workers(wide) == ALONE
