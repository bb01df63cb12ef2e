"""The choice among numbers of segments that the criterion does not separate."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mixtura.segments import Effort, segment_table
from mixtura.segments.model.candidate_choice import candidates_to_choose_from
from mixtura.segments.stability.model_choice import Contender, choose_model
from mixtura.select import search


def table(rows) -> pl.DataFrame:
    return pl.DataFrame(np.asarray(rows), schema=[f"c{j}" for j in range(rows.shape[1])])


def blobs(centers, sizes, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    centers = np.repeat(np.asarray(centers, dtype=float), sizes, axis=0)
    return table(centers + rng.normal(size=centers.shape))


def skewed(n_rows: int = 1500) -> pl.DataFrame:
    return table(np.random.default_rng(2).lognormal(sigma=1.0, size=(n_rows, 2)))


def test_where_groups_stand_apart_the_criterion_decides_alone() -> None:
    found = segment_table(blobs([[0, 0], [12, 0], [0, 12]], [300] * 3), components=range(1, 6))
    assert found.model.n_segments == 3
    assert found.best is found.ranking[0]
    assert (found.choice.rule, found.choice.compared) == ("minimum", ())
    assert found.choice.determined


def test_groups_that_do_not_overlap_are_found_at_the_largest_number_too() -> None:
    """Resamples start from K-means, which cuts these groups across; the likelihood leaves no doubt."""
    found = segment_table(blobs([[20, 0], [-20, 0], [0, 0]], [30] * 3), components=[2, 3])
    assert found.model.n_segments == 3
    assert found.choice.determined


def test_of_numbers_that_bic_does_not_separate_the_most_stable_is_taken(shared_data) -> None:
    """Old Faithful: BIC prefers three components to two by less than its error; to the eye there are two."""
    found = segment_table(pl.read_csv(shared_data / "old_faithful.csv"), components=range(1, 7))
    assert found.ranking[0].n_components == 3
    assert found.model.n_segments == 2
    assert found.choice.rule == "stability"
    by_number = {one.candidate.n_components: one for one in found.choice.compared}
    assert by_number[2].adjusted_rand > by_number[3].adjusted_rand
    assert all(one.separation < 1.96 for one in found.choice.compared)
    note = next(one for one in found.notes if "does not separate" in one)
    assert (
        "in 20 resamples of 272 customers, each number with its best covariance type (1 is the same)" in note
    )
    # With the same covariance type, the number in the note is that in the table of stability.
    measured = found.with_effort(Effort(resamples=20)).stability.numbers
    of_two = next(one.adjusted_rand for one in measured if one.n_segments == 2)
    assert of_two == pytest.approx(by_number[2].adjusted_rand)
    assert f"2 segments {of_two:.2f}" in note
    content = found.with_effort(Effort(resamples=0)).document.to_dict()["choice"]
    assert (content["rule"], content["determined"], content["minimum"]) == ("stability", True, False)
    assert len(content["compared"]) == len(by_number)


def test_species_are_found_where_bic_would_split_one(shared_data) -> None:
    frame = pl.read_csv(shared_data / "penguins.csv", null_values="NA")
    measures = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    found = segment_table(frame, columns=measures, components=range(1, 7), covariance_types=["tied"])
    assert found.ranking[0].n_components == 4
    assert found.model.n_segments == 3


def test_a_shape_that_is_not_gaussian_does_not_determine_a_number() -> None:
    """Two lognormal columns are one cloud: with more components BIC only follows the tails."""
    found = segment_table(skewed(), components=range(1, 6), covariance_types=["spherical"])
    assert found.ranking[0].n_components == 5
    assert not found.choice.determined
    assert found.model.n_segments < 5
    leader = found.choice.compared[0]
    assert leader.candidate is found.ranking[0]
    most = max(found.choice.compared[1:], key=lambda one: one.adjusted_rand)
    assert found.best is most.candidate
    assert any(note.startswith("The table does not determine a number of segments") for note in found.notes)
    assert found.with_effort(Effort(resamples=0)).document.choice.determined is False


def test_as_many_groups_as_were_tried_at_most_are_kept_if_they_are_there() -> None:
    centers = [[12 * i, 12 * j] for i in range(2) for j in range(2)]
    found = segment_table(blobs(centers, [150] * 4), components=range(1, 5), covariance_types=["spherical"])
    assert found.model.n_segments == 4
    assert found.choice.determined
    assert any("the largest that was tried" in note for note in found.notes)


def test_a_single_segment_and_other_criteria_are_chosen_by_the_criterion_alone() -> None:
    one = segment_table(blobs([[0, 0]], [200]), components=range(1, 4))
    assert (one.model.n_segments, one.choice.compared, one.choice.rule) == (1, (), "minimum")
    by_icl = segment_table(skewed(300), components=range(1, 4), criterion="icl")
    assert by_icl.choice.compared == ()
    by_folds = segment_table(skewed(300), components=range(1, 4), criterion="cv", n_folds=3)
    assert by_folds.choice.compared == ()
    assert by_folds.choice.rule in ("minimum", "one standard error")


def test_weights_count_as_repetitions() -> None:
    """A weight of two is the row twice, where all rows are looked at."""
    rng = np.random.default_rng(3)
    frame = skewed(150)
    counts = rng.integers(1, 3, 150)
    repeated = frame[np.repeat(np.arange(150), counts)]
    weighted = frame.with_columns(weight=pl.Series(counts.astype(float)))
    options = {"components": [1, 2, 3], "covariance_types": ["spherical"]}
    one, two = segment_table(weighted, weight="weight", **options), segment_table(repeated, **options)
    gaps = [
        {held.candidate.n_components: held.separation for held in found.choice.compared}
        for found in (one, two)
    ]
    assert gaps[0]
    assert gaps[0] == pytest.approx(gaps[1], rel=1e-3)


def test_less_stable_is_measured_in_errors_of_the_same_resamples() -> None:
    first = Contender(None, 0.0, np.array([0.5, 0.6, 0.7]), 0.5)
    other = Contender(None, 0.0, np.array([0.6, 0.8, 0.7]), 0.5)
    gap, deviation = 0.1, np.std([0.1, 0.2, 0.0], ddof=1)
    assert first.less_stable_by(other) == pytest.approx(gap / (2 * deviation / np.sqrt(3)))
    assert first.less_stable_by(first) == 0.0
    fewer = Contender(None, 0.0, np.array([0.6, 0.8]), 0.5)
    unpaired = 2 * np.sqrt(np.var([0.5, 0.6, 0.7]) / 3 + 0.01 / 2)
    assert first.less_stable_by(fewer) == pytest.approx(gap / unpaired)
    even = Contender(None, 0.0, np.full(3, 0.9), 0.5)
    assert Contender(None, 0.0, np.full(3, 0.8), 0.5).less_stable_by(even) == np.inf
    assert Contender(None, 0.0, np.full(3, 0.9), 0.5).less_stable_by(even) == 0.0


def test_where_nothing_can_be_learned_from_resamples_the_next_by_the_criterion_is_given(monkeypatch) -> None:
    from mixtura.segments.options import Settings
    from mixtura.segments.stability import model_choice
    from mixtura.segments.transforms.scaling import scaling_of

    rows = skewed(300).to_numpy()
    scaling = scaling_of(rows)
    settings = Settings([1, 2, 3], ["spherical"], "bic", 1, 0)
    ranking = search(scaling.apply(rows), components=[1, 2, 3], covariance_types=["spherical"]).ranking
    monkeypatch.setattr(model_choice, "refit_labels", lambda *_, **__: [])
    found = choose_model(candidates_to_choose_from(ranking, {}), rows, scaling, settings)
    assert found.best is found.compared[1].candidate
    assert not found.determined
