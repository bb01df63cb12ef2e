"""From a table to segments, from Python."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from fitted import fitted
from mixtura import Mixture
from mixtura.core.covariance import FAMILIES
from mixtura.datasets import make_customers
from mixtura.exceptions import ColumnError, DataError, ParameterError, TooFewRowsError
from mixtura.io import readable_json
from mixtura.report.view import side_by_side
from mixtura.segments import RESULT_FILES, Effort, SegmentModel, deliver, name_segments, segment_table
from mixtura.segments.certainty.ambiguous import most_ambiguous
from mixtura.segments.comparison.kmeans_comparison import kmeans_labels
from mixtura.segments.model.candidate_choice import Exclusion, candidates_to_choose_from, exclusions_of
from mixtura.segments.model.component_order import ordered
from mixtura.segments.model.naming import readable_name
from mixtura.segments.profiles.profile_columns import OTHER, read_columns
from mixtura.segments.results.notes import make_notes, value_notes
from mixtura.segments.table.columns import choose_columns
from mixtura.select import search

QUICK = Effort(resamples=0, draws=100)


@pytest.fixture(scope="module")
def result():
    return fitted("five")


def test_five_kinds_of_customers_are_found(result) -> None:
    assert result.model.n_segments == 5
    assert [segment.count for segment in result.segments] == [60] * 5
    assert len(set(result.model.names)) == 5
    assert result.kmeans.agreement > 0.99
    assert result.excluded == ()


def test_criteria_are_those_of_the_rows_in_the_users_units(result) -> None:
    rows = make_customers(kind="five")
    for candidate in result.ranking:
        log_likelihood = candidate.log_likelihood
        assert candidate.bic == pytest.approx(candidate.n_parameters * np.log(300) - 2 * log_likelihood)
        assert candidate.aic == pytest.approx(2 * candidate.n_parameters - 2 * log_likelihood)
    mixture = result.model.in_user_units()
    assert result.best.log_likelihood == pytest.approx(mixture.log_density(rows).sum(), rel=1e-9)
    np.testing.assert_allclose(mixture.responsibilities(rows), result.assignment.memberships, atol=1e-9)
    single = next(one for one in result.ranking if (one.covariance_type, one.n_components) == ("full", 1))
    reference = GaussianMixture(1, reg_covar=0).fit(rows)
    assert single.bic == pytest.approx(reference.bic(rows), rel=1e-6)


def test_the_summary_is_plain_json(result) -> None:
    summary = json.loads(readable_json(result.with_effort(QUICK).document.to_dict()))
    assert summary["choice"]["n_components"] == 5
    assert len(summary["candidates"]) == 36
    assert summary["segments"][0]["means"].keys() == {"income", "spending", "age"}


def test_outliers_do_not_become_segments() -> None:
    rows = np.vstack([make_customers(), [[5000.0, 5000.0]]])
    result = segment_table(pl.DataFrame(rows, schema=["a", "b"]))
    assert min(segment.count for segment in result.segments) > 2
    assert result.excluded
    assert all(one.mixture.weights.min() * 301 <= 2 for one in result.excluded)
    assert 300 in result.anomalies
    assert "Excluded" in result.notes[0]


def test_if_every_model_has_a_lonely_segment_the_best_is_taken_and_said() -> None:
    frame = pl.DataFrame({"x": [0.0, 0.1, 0.2, 50.0]})
    result = segment_table(frame, components=[2], covariance_types=["full"])
    assert [segment.count for segment in result.segments] == [3, 1]
    assert any("at most one customer: 2" in note for note in result.notes)


def test_a_search_that_ends_at_its_edge_says_so() -> None:
    result = segment_table(make_customers(kind="five", as_frame="polars"), components=[1, 2, 3])
    assert result.best.n_components == 3
    assert any("`components=[3, 4, 5, 6]`" in note for note in result.notes)


def test_a_fit_that_did_not_end_is_told(result) -> None:
    class Unfinished:
        value, explanation = "iteration limit", "max_iter passes were made"

    best = SimpleNamespace(n_components=2, smallest_share=0.5, outcome=Unfinished, converged=False)
    assert make_notes([best], best, result.assignment, result.model.columns) == ("max_iter passes were made",)


def test_the_picture_is_optional(result, tmp_path) -> None:
    with deliver(tmp_path / "out") as delivery:
        delivery.write(result.with_effort(QUICK))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        set(RESULT_FILES) - {"segments.png", "report.html"}
    )


def test_one_segment_is_all_customers() -> None:
    frame = pl.DataFrame({"x": np.random.default_rng(0).normal(size=100)})
    result = segment_table(frame, components=[1])
    assert result.model.names == ("all customers",)
    assert result.ambiguous == ()


def test_small_tables_try_no_more_segments_than_rows() -> None:
    result = segment_table(pl.DataFrame({"x": [1.0, 2.0, 4.0]}))
    assert max(one.n_components for one in result.ranking) <= 3


def test_columns_constant_once_incomplete_rows_are_gone() -> None:
    frame = pl.DataFrame({"a": [1.0, 1.0, 1.0, 2.0], "b": [1.0, 2.0, 4.0, None]})
    result = segment_table(frame, components=[1], drop_missing=True)
    assert result.columns.used == ("b",)
    assert ("a", "the same value in every row that is used") in [
        (one.name, one.reason) for one in result.columns.left_out
    ]
    with pytest.raises(ColumnError, match="'a' has the same value"):
        segment_table(frame, columns=["a", "b"], components=[1], drop_missing=True)
    with pytest.raises(DataError, match="rows are equal"):
        segment_table(pl.DataFrame({"a": [1.0, 1.0]}), columns=["a"])


def test_repeated_ids_are_told() -> None:
    frame = make_customers(as_frame="polars").with_columns(pl.lit("same").alias("id"))
    result = segment_table(frame, id_column="id", components=[2], covariance_types=["tied"])
    assert any("'id' repeat" in note for note in result.notes)


def test_an_id_named_like_a_result_keeps_apart(tmp_path) -> None:
    frame = make_customers(as_frame="polars").with_row_index("segment")
    result = segment_table(frame, id_column="segment", components=[2], covariance_types=["tied"])
    result.assignment.write(tmp_path / "t.csv")
    assert pl.read_csv(tmp_path / "t.csv").columns[:2] == ["segment_id", "segment"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"components": []}, "components"),
        ({"components": [0]}, "components"),
        ({"covariance_types": ["round"]}, "covariance_types"),
        ({"criterion": "cic"}, "criterion"),
        ({"n_init": 0}, "n_init"),
        ({"random_state": -1}, "`random_state` must be a whole number from 0 to 4294967295; got -1"),
        ({"anomaly_percentile": -1.0}, "anomaly_percentile"),
    ],
)
def test_parameters_out_of_range(parameters, said) -> None:
    with pytest.raises(ParameterError, match=said):
        segment_table(make_customers(as_frame="polars"), **parameters)


def test_more_segments_than_rows() -> None:
    with pytest.raises(
        TooFewRowsError, match="`components` must be at most the number of rows that are used, 3; got 4"
    ):
        segment_table(pl.DataFrame({"x": [1.0, 2.0, 4.0]}), components=[4])
    with pytest.raises(TooFewRowsError, match="at least 2"):
        segment_table(pl.DataFrame({"x": [1.0]}))


@pytest.mark.parametrize("covariance_type", FAMILIES)
def test_reordering_changes_the_order_only(covariance_type) -> None:
    rows = make_customers(kind="five")
    model: SegmentModel = segment_table(
        make_customers(kind="five", as_frame="polars"), components=[3], covariance_types=[covariance_type]
    ).model
    scaled = model.scaling.apply(rows)
    again = ordered(model.mixture, [2, 0, 1])
    np.testing.assert_allclose(again.log_density(scaled), model.mixture.log_density(scaled), rtol=1e-12)
    np.testing.assert_allclose(
        again.responsibilities(scaled), model.mixture.responsibilities(scaled)[:, [2, 0, 1]], atol=1e-12
    )


@pytest.mark.parametrize("n_clusters", [1, 3, 7])
def test_k_means_is_that_of_scikit_learn(n_clusters) -> None:
    rows = make_customers(kind="five")
    expected = KMeans(n_clusters, n_init=10, random_state=4).fit(rows)
    np.testing.assert_array_equal(kmeans_labels(rows, n_clusters, 4), expected.labels_)


def test_the_least_certain_come_first_and_ties_in_order() -> None:
    nothing = [np.nan, np.nan]
    memberships = np.array([[0.9, 0.1], [0.5, 0.5], nothing, [0.5, 0.5], [0.6, 0.4]])
    np.testing.assert_array_equal(most_ambiguous(memberships, 3), [1, 3, 4])
    np.testing.assert_array_equal(most_ambiguous(memberships, 9), [1, 3, 4, 0])


def test_names_say_what_distinguishes() -> None:
    differences = np.array([[2.0, 0.1], [-0.1, -0.3], [0.0, 0.2]])
    assert name_segments(differences, ["Income", "Spending"]) == ("high income", "low spending", "average")


def test_names_differ_by_more_words_then_by_degree_then_by_rank() -> None:
    columns = ["a", "b", "c"]
    third = name_segments(np.array([[1.0, -1.0, 0.5], [1.0, -1.0, -0.5]]), columns)
    assert third == ("high a and c, low b", "high a, low b and c")
    degree = name_segments(np.array([[2.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), columns)
    assert degree == ("very high a", "high a")
    ranked = name_segments(np.zeros((3, 3)), columns)
    assert ranked == ("average, lowest a", "average, 2nd lowest a", "average, 3rd lowest a")
    alike = name_segments(np.array([[1.0, 0.0], [0.0, 1.0]]), ["a (x)", "a (y)"])
    assert alike == ("high a (x)", "high a (y)")


def test_names_are_spoken() -> None:
    assert readable_name("(k$)") == "(k$)"
    assert readable_name("Detergents_Paper") == "detergents paper"
    assert readable_name("Q12_SCORE") == "Q12 score"


def test_long_names_of_columns_are_cut_where_they_stay_different() -> None:
    question = "How likely are you to recommend our company to a friend or a colleague"
    far = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert name_segments(far, [question, "x" * 60])[0] == (
        f"high how likely are you to recommend our company to …, low {'x' * 47}…"
    )
    assert name_segments(far, [f"{question} (now)", f"{question}, then"])[1] == (
        f"low {question.lower()}, high {question.lower()}, then"
    )


def test_a_rank_stands_in_place_of_the_level_of_its_column() -> None:
    columns = ["age", "spend"]
    alike = np.array([[-0.8, 0.9], [-0.8, 0.6], [-0.8, 0.7], [1.4, -1.0]])
    assert name_segments(alike, columns) == (
        "low age, highest spend", "low age, 3rd highest spend", "low age, 2nd highest spend", "high age, low spend",
    )  # fmt: skip
    assert name_segments(alike[:, ::-1], columns[::-1])[0] == "highest spend, low age"
    both = name_segments(np.array([[0.8, 0.9, 0.85], [0.8, 0.7, 0.85]]), ["a", "b", "c"])
    assert both == ("high a, b and c, highest b", "high a, b and c, 2nd highest b")


def test_segments_need_more_customers_than_columns_by_weight() -> None:
    best = search(make_customers(), components=[2], covariance_types=["spherical"]).best
    assert best.mixture is not None
    uneven = Mixture.from_parameters(
        [0.985, 0.015], best.mixture.means, best.mixture.covariances, "spherical"
    )
    ranking = (replace(best, mixture=uneven), best)
    rows = np.zeros((100, 2))
    few = {ranking[0]: Exclusion.FEW_CUSTOMERS}
    assert exclusions_of(ranking, rows) == few  # one and a half
    assert exclusions_of(ranking, rows, np.full(100, 3.0)) == {}  # four and a half
    assert exclusions_of(ranking, rows, np.full(100, 0.01)) == few  # shares stand for customers
    assert candidates_to_choose_from(ranking, few) == (best,)


def test_segments_of_few_customers_in_many_columns_are_not_outliers() -> None:
    best = search(make_customers(), components=[2], covariance_types=["spherical"]).best
    assert best.mixture is not None
    parts = (best.mixture.means, best.mixture.covariances, "spherical")
    seventh = replace(best, mixture=Mixture.from_parameters([0.86, 0.14], *parts))
    for n_rows, n_columns, is_few in [(100, 30, False), (100, 13, False), (20, 30, True), (30, 3, False)]:
        found = exclusions_of((seventh,), np.zeros((n_rows, n_columns)))
        assert (seventh in found) == is_few, (n_rows, n_columns)  # 14, 14, 2.8, 4.2 customers
    one = replace(best, n_components=1, mixture=Mixture.from_parameters([1.0], [[0.0]], [1.0], "spherical"))
    assert exclusions_of((one,), np.zeros((2, 5))) == {}


@pytest.mark.parametrize("n_rows", [2, 40])
def test_customers_of_one_or_two_kinds_are_segmented(n_rows: int) -> None:
    frame = pl.DataFrame({"a": [1.5, 3.0] * (n_rows // 2), "b": [2.0, 4.0] * (n_rows // 2)})
    result = segment_table(frame, components=[1, 2], covariance_types=["tied", "diag"])
    document = result.with_effort(Effort(resamples=0, draws=100)).document
    assert document.verdict.customers == n_rows
    assert document.diagnostics.normality == []


def test_models_with_a_segment_below_the_least_share_are_passed_over() -> None:
    rng = np.random.default_rng(0)
    centers = np.repeat([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], [150, 130, 20], axis=0)
    frame = pl.DataFrame(centers + rng.normal(size=(300, 2)), schema=["a", "b"])
    options = {"components": [1, 2, 3], "covariance_types": ["spherical"]}
    free, least = (segment_table(frame, min_share=share, **options) for share in (0.0, 0.1))
    assert free.best.n_components == 3
    assert free.best.smallest_share == pytest.approx(20 / 300, abs=1e-3)
    assert free.exclusions == {}
    assert least.best.n_components == 2
    assert [(one.n_components, why) for one, why in least.exclusions.items()] == [
        (3, Exclusion.SMALL_SEGMENT)
    ]
    assert least.excluded == tuple(least.exclusions)
    said = "1 model with a segment of less than 10 % of the customers (spherical with 3, 6.67 %)"
    assert said in least.notes[0]
    content = least.with_effort(Effort(resamples=0)).document.to_dict()
    assert content["choice"]["min_share"] == 0.1
    first = content["candidates"][0]
    assert (first["n_components"], first["excluded"], first["exclusion"]) == (3, True, "small segment")
    assert first["smallest_share"] == least.ranking[0].smallest_share


def test_the_most_that_have_no_small_segment_are_not_called_the_most_that_were_tried() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(rng.lognormal(0.0, 1.0, size=(600, 2)).round(4), schema=["a", "b"])
    found = segment_table(frame, components=range(1, 6), covariance_types=["spherical"], min_share=0.104)
    tried = {one.n_components: why for one, why in found.exclusions.items()}
    assert tried[5] is Exclusion.SMALL_SEGMENT
    assert not found.choice.determined
    largest = max({1, 2, 3, 4} - tried.keys())
    said = f"the criterion falls up to {largest}, the most that were not excluded"
    assert any(said in note for note in found.notes)
    content = found.with_effort(Effort(resamples=0)).document.to_dict()
    assert side_by_side(content | {"are_merged": False})["most_compared"] == "the most that were not excluded"


def test_a_least_share_that_no_model_has_is_said_and_leaves_the_choice() -> None:
    frame = make_customers(as_frame="polars")
    found = segment_table(frame, components=[3], covariance_types=["tied"], min_share=0.4)
    assert found.best.n_components == 3
    assert found.notes[0].startswith("Every model has a segment of less than 40 % of the customers")


@pytest.mark.parametrize("share", [-0.1, 0.6, "few"])
def test_a_least_share_is_from_none_to_half(share) -> None:
    with pytest.raises(ParameterError, match="`min_share` must be"):
        segment_table(make_customers(as_frame="polars"), min_share=share)


def test_the_total_of_a_value_is_weighed_before_it_is_called_nothing() -> None:
    values, weights = np.array([-5.0, 3.0, np.nan]), np.array([1.0, 4.0, 1.0])
    assert "not above zero" in value_notes("revenue", values)[0]
    assert value_notes("revenue", values, weights)[0].startswith("1 customer with a negative")


def test_frequent_levels_are_frequent_by_weight() -> None:
    towns = [f"T{n:02d}" for n in range(14) for _ in range(3)]
    frame = pl.DataFrame({"x": np.arange(42.0), "town": towns})
    choice = choose_columns(frame, columns=["x"], describe=["town"])
    weights = np.repeat(np.arange(14.0), 3)
    rows, complete = frame.select("x").to_numpy(), np.ones(42, dtype=bool)
    _, (levels,) = read_columns(frame, choice, rows, complete, weights)
    assert levels.levels == (*(f"T{n:02d}" for n in range(13, 3, -1)), OTHER)
    _, (plain,) = read_columns(frame, choice, rows, complete)
    assert plain.levels == (*(f"T{n:02d}" for n in range(10)), OTHER)
