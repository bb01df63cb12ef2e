"""Certainty, ambiguous customers and overlap, against plain loops and closed forms."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import entropy, norm

from mixtura import Mixture
from mixtura.exceptions import DataError, ParameterError
from mixtura.segments import ambiguous_customers, component_overlap, confusion_matrix, measure_certainty
from mixtura.segments.certainty.ambiguous import ambiguity_matrix, top_two
from mixtura.segments.certainty.certainty import membership_entropy
from mixtura.segments.jsonable import to_jsonable

NAMES = ("A", "B", "C")


@pytest.fixture
def memberships() -> np.ndarray:
    found = np.random.default_rng(0).dirichlet([0.4, 0.6, 0.5], size=400)
    found[7] = [0.0, 1.0, 0.0]
    found[11] = np.nan
    return found


def test_every_number_is_that_of_a_plain_loop(memberships) -> None:
    found = measure_certainty(memberships, NAMES, threshold=0.7)
    known = np.delete(memberships, 11, axis=0)
    np.testing.assert_allclose(
        np.delete(membership_entropy(memberships), 11), entropy(known, axis=1), atol=1e-12
    )
    assert np.isnan(membership_entropy(memberships)[11])
    assert membership_entropy(memberships)[7] == 0.0
    assert found.n_customers == found.total_weight == 399
    assert found.mean_entropy == pytest.approx(entropy(known, axis=1).mean())
    assert found.normalized_entropy == pytest.approx(entropy(known, axis=1, base=3).mean())
    largest = [max(row) for row in known.tolist()]
    assert found.mean_certainty == pytest.approx(math.fsum(largest) / 399)
    assert found.expected_error == pytest.approx(1 - found.mean_certainty)
    assert found.n_ambiguous == sum(one < 0.7 for one in largest)
    for low, high, count in zip(found.edges[:-1], found.edges[1:], found.histogram, strict=True):
        assert count == sum(low <= one < high or one == high == 1 for one in largest)
    for share, value in found.quantiles.items():
        assert value == np.quantile(largest, share, method="averaged_inverted_cdf")


def test_the_confusion_matrix_is_that_of_a_plain_loop(memberships) -> None:
    known = np.delete(memberships, 11, axis=0)
    expected = np.zeros((3, 3))
    for row in known:
        expected[row.argmax()] += row
    expected /= np.bincount(known.argmax(axis=1))[:, None]
    found = measure_certainty(memberships, NAMES)
    np.testing.assert_allclose(found.confusion, expected, rtol=1e-12)
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1.0, rtol=1e-12)
    shares = np.bincount(known.argmax(axis=1)) / 399
    assert found.expected_error == pytest.approx(1 - shares @ np.diagonal(found.confusion))
    first, second, share = found.most_confused()[0]
    assert (
        share == max(expected[i, j] for i in range(3) for j in range(3) if i != j) == expected[first, second]
    )
    assert len(found.most_confused(99)) == 6


def test_a_weight_is_a_number_of_customers(memberships) -> None:
    counts = np.random.default_rng(1).integers(0, 4, size=400)
    weighted = measure_certainty(memberships, NAMES, weights=counts.astype(float))
    repeated = measure_certainty(np.repeat(memberships, counts, axis=0), NAMES)
    assert weighted.total_weight == repeated.n_customers
    for name in ("mean_entropy", "normalized_entropy", "mean_certainty", "ambiguous_share", "expected_error"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-12)
    for name in ("histogram", "ambiguity_matrix", "confusion"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-12)
    assert weighted.quantiles == repeated.quantiles
    # People are counted as people.
    assert weighted.n_ambiguous == np.count_nonzero(memberships.max(axis=1) < 0.6)
    assert weighted.n_customers == 399


def test_an_empty_segment_has_no_row_of_confusion() -> None:
    found = measure_certainty(np.array([[0.6, 0.4], [0.9, 0.1]]), ["A", "B"])
    np.testing.assert_allclose(found.confusion[0], [0.75, 0.25])
    assert np.isnan(found.confusion[1]).all()
    assert json.loads(json.dumps(to_jsonable(found), allow_nan=False))["confusion"][1] == [None, None]
    assert found.most_confused() == ((0, 1, 0.25),)
    np.testing.assert_array_equal(confusion_matrix(np.array([[1.0]])), [[1.0]])


def test_a_single_segment_is_certain() -> None:
    found = measure_certainty(np.ones((5, 1)), ["all"], threshold=1.0)
    assert (found.normalized_entropy, found.expected_error, found.n_ambiguous) == (0.0, 0.0, 0.0)
    assert found.histogram[-1] == 5
    assert found.ambiguity_matrix.tolist() == [[0.0]]


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(DataError, match="None of 2 customers"):
        measure_certainty(np.full((2, 2), np.nan), ["A", "B"])
    with pytest.raises(DataError, match="above zero"):
        measure_certainty(np.eye(2), ["A", "B"], weights=np.zeros(2))
    for threshold in (0.0, 1.1, float("nan")):
        with pytest.raises(ParameterError, match="`threshold` must be above 0 and at most 1"):
            measure_certainty(np.eye(2), ["A", "B"], threshold=threshold)
        with pytest.raises(ParameterError, match="`threshold` must be above 0 and at most 1"):
            ambiguous_customers(np.eye(2), str, threshold)


def test_ambiguous_customers_are_all_below_the_threshold(memberships) -> None:
    found = ambiguous_customers(memberships, lambda row: f"no {row}", 0.6)
    expected = [n for n, row in enumerate(memberships) if max(row) < 0.6]
    assert sorted(customer.row for customer in found) == expected
    certainties = [customer.memberships.max() for customer in found]
    assert certainties == sorted(certainties)
    for customer in found:
        order = sorted(range(3), key=lambda k, row=customer.memberships: -row[k])
        assert (customer.first, customer.second) == tuple(order[:2])
        assert customer.customer == f"no {customer.row}"
        assert customer.kmeans == -1
    few = ambiguous_customers(memberships, str, 0.6, most=2)
    assert [customer.row for customer in few] == [customer.row for customer in found[:2]]
    assert ambiguous_customers(np.ones((3, 1)), str, 1.0) == ()


def test_an_ambiguous_customer_is_told_in_words() -> None:
    (customer,) = ambiguous_customers(
        np.array([[0.43, 0.57]]), lambda _: "119", 0.6, kmeans=np.array([0], dtype=np.intp)
    )
    assert customer.sentence(["A", "B"]) == "Customer 119 is 57 % B, 43 % A."
    assert (customer.first, customer.second, customer.kmeans, customer.row) == (1, 0, 0, 0)


def test_people_between_segments_are_counted_by_pair(memberships) -> None:
    known = np.delete(memberships, 11, axis=0)
    expected = np.zeros((3, 3))
    for row in known:
        if max(row) < 0.8:
            i, j = np.argsort(-row)[:2]
            expected[i, j] += 1
            expected[j, i] += 1
    np.testing.assert_array_equal(ambiguity_matrix(known, 0.8), expected)
    assert (
        ambiguity_matrix(known, 0.8).sum()
        == 2 * measure_certainty(memberships, NAMES, threshold=0.8).n_ambiguous
    )


def test_next_is_an_outlier_where_that_is_more_probable_than_another_segment() -> None:
    memberships = np.array([[0.5, 0.0, 0.125], [0.5, 0.25, 0.125], [0.25, 0.0, 0.0], [0.0, 0.0, 1.0]])
    first, second = top_two(memberships)
    assert (first.tolist(), second.tolist()) == ([0, 0, 0, 2], [-1, 1, -1, 0])
    between = np.zeros((3, 3))
    between[0, 1] = between[1, 0] = 1
    np.testing.assert_array_equal(ambiguity_matrix(memberships, 0.6), between)
    one, other = ambiguous_customers(memberships, str, 0.6)
    assert (one.row, one.second, one.second_membership) == (0, -1, 0.375)
    assert one.sentence(["A", "B", "C"]) == "Customer 0 is 50 % A, 38 % outlier."
    assert (other.row, other.second, other.second_membership) == (1, 1, 0.25)


def test_the_lower_number_comes_first_among_equals() -> None:
    first, second = top_two(np.array([[0.2, 0.4, 0.4], [1 / 3, 1 / 3, 1 / 3]]))
    assert (first.tolist(), second.tolist()) == ([1, 0], [2, 1])


@pytest.mark.parametrize(("delta", "weight"), [(2.0, 0.5), (3.0, 0.5), (2.0, 0.8)])
def test_overlap_of_two_equal_bells_is_the_closed_form(delta, weight) -> None:
    mixture = Mixture.from_parameters(
        [weight, 1 - weight], [[0.0, 1.0], [delta, 1.0]], np.eye(2) * 1.0, "tied"
    )
    found = component_overlap(mixture, ["A", "B"], draws=40_000)
    # x from A is taken for one of B beyond delta / 2 + log(w_A / w_B) / delta.
    shift = math.log(weight / (1 - weight)) / delta
    expected = [norm.cdf(-delta / 2 - shift), norm.cdf(-delta / 2 + shift)]
    assert found.conditional[0, 1] == pytest.approx(expected[0], abs=4 * found.standard_error)
    assert found.conditional[1, 0] == pytest.approx(expected[1], abs=4 * found.standard_error)
    assert found.error_rate == pytest.approx(
        weight * expected[0] + (1 - weight) * expected[1], abs=4 * found.standard_error
    )
    assert found.standard_error == 0.0025
    np.testing.assert_allclose(found.pairwise, found.conditional + found.conditional.T)


def test_overlap_of_a_narrow_and_a_wide_bell_is_the_closed_form() -> None:
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [0.0]], [1.0, 9.0], "spherical")
    found = component_overlap(mixture, ["narrow", "wide"], draws=40_000)
    # The densities are equal at x^2 (1 - 1 / 9) / 2 = log 3.
    border = math.sqrt(2 * math.log(3) / (1 - 1 / 9))
    assert found.conditional[0, 1] == pytest.approx(2 * norm.sf(border), abs=4 * found.standard_error)
    inside = 2 * norm.cdf(border / 3) - 1
    assert found.conditional[1, 0] == pytest.approx(inside, abs=4 * found.standard_error)


def test_overlap_agrees_with_the_memberships_of_customers_from_the_mixture() -> None:
    rng = np.random.default_rng(6)
    factors = rng.normal(size=(3, 2, 2))
    mixture = Mixture.from_parameters(
        [0.5, 0.3, 0.2], rng.normal(size=(3, 2)) * 2, factors @ factors.transpose(0, 2, 1) + 0.2 * np.eye(2)
    )
    found = component_overlap(mixture, NAMES, draws=20_000, seed=1)
    rows, _ = mixture.sample(20_000, random_state=2)
    certainty = measure_certainty(mixture.responsibilities(rows), NAMES)
    assert found.error_rate == pytest.approx(certainty.expected_error, abs=0.015)
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1.0)
    assert (np.diagonal(found.conditional) == 0).all()
    assert to_jsonable(found) == to_jsonable(component_overlap(mixture, NAMES, draws=20_000, seed=1))
    with pytest.raises(ParameterError, match="`draws` must be a whole number of at least 1; got 0"):
        component_overlap(mixture, NAMES, draws=0)
