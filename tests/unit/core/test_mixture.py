"""What a mixture refuses, and in which words."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from mixtura import Mixture
from mixtura.exceptions import DataError, ParameterError


def a_mixture() -> Mixture:
    return Mixture.from_parameters([0.4, 0.6], [[0.0, 0.0], [1.0, 2.0]], [1.0, 2.0], "spherical")


GOOD: dict[str, Any] = {
    "weights": [0.5, 0.5],
    "means": [[0.0, 0.0], [1.0, 1.0]],
    "covariances": [np.eye(2), np.eye(2)],
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"means": [0.0, 1.0]},
            r"means of shape \(2,\) were given; the shape must be \(components, columns\)",
        ),
        ({"means": np.zeros((0, 2))}, r"means of shape \(0, 2\)"),
        ({"means": [[0.0, np.nan], [0.0, 0.0]]}, "means that is not finite"),
        ({"weights": [1.0]}, r"weights of shape \(1,\) was given; the shape must be \(2,\)"),
        ({"weights": [1.5, -0.5]}, "must be non-negative and sum to one"),
        ({"weights": [0.5, 0.6]}, "must be non-negative and sum to one. Divide them by their sum"),
        (
            {"covariances": np.eye(2)},
            r"covariances of shape \(2, 2\) was given; the shape must be \(2, 2, 2\)",
        ),
        ({"covariances": [np.eye(2), [[1, 0.5], [0.4, 1]]]}, "covariances that are not symmetric"),
        ({"covariances": [np.eye(2), -np.eye(2)]}, r"of which components \[1\] are not positive definite"),
        ({"covariance_type": "round"}, "covariance_type='round' was given"),
    ],
)
def test_parameters_that_make_no_mixture_are_refused(changed: dict[str, Any], message: str) -> None:
    Mixture.from_parameters(**GOOD)
    with pytest.raises(ParameterError, match=message):
        Mixture.from_parameters(**GOOD | changed)


def test_rounding_in_given_parameters_is_no_error() -> None:
    mixture = Mixture.from_parameters(
        [0.5, 0.5 + 5e-7], GOOD["means"], [np.eye(2), [[1, 1e-20], [2e-20, 1]]], "full"
    )
    np.testing.assert_allclose(mixture.weights.sum(), 1.0, rtol=1e-15)


def test_parameters_survive_a_round_trip() -> None:
    weights = np.array([0.49999975, 0.50000025]) / 1.0000000000000002
    assert weights.sum() != 1.0
    kept = Mixture.from_parameters(weights, GOOD["means"], GOOD["covariances"])
    np.testing.assert_array_equal(kept.weights, weights)


def test_a_mixture_is_a_value() -> None:
    mixture = a_mixture()
    with pytest.raises(dataclasses.FrozenInstanceError):
        mixture.weights = np.ones(2)  # type: ignore[misc]
    given = np.array(GOOD["means"])
    made = Mixture.from_parameters(GOOD["weights"], given, GOOD["covariances"])
    given[0] = 99
    assert made.means[0, 0] == 0.0


@pytest.mark.parametrize("rows", [[1.0, 2.0], [[1.0, 2.0, 3.0]], np.zeros((2, 2, 2))])
def test_rows_of_another_width_are_refused(rows: Any) -> None:
    for question in ("log_density", "responsibilities", "predict", "log_likelihood"):
        with pytest.raises(
            DataError, match=r"this mixture has 2 columns. Give an array of shape \(rows, 2\)"
        ):
            getattr(a_mixture(), question)(rows)


def test_weights_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match=r"sample_weight of shape \(3,\) was given for 2 rows"):
        a_mixture().log_likelihood(np.zeros((2, 2)), np.ones(3))


@pytest.mark.parametrize("n_samples", [0, -3])
def test_no_draws_are_refused(n_samples: int) -> None:
    with pytest.raises(ParameterError, match=f"n_samples={n_samples} was given; it must be at least 1"):
        a_mixture().sample(n_samples)


@pytest.mark.parametrize("columns", [[], [0, 0], [2], [-1], [[0]]])
def test_columns_that_are_not_there_are_refused(columns: Any) -> None:
    with pytest.raises(ParameterError, match="give distinct column numbers from 0 to 1"):
        a_mixture().marginal(columns)


def test_conditioning_leaves_a_column_and_needs_its_values() -> None:
    with pytest.raises(ParameterError, match=r"columns=\[1, 0\] are all columns"):
        a_mixture().conditional([1, 0], [0.0, 0.0])
    with pytest.raises(ParameterError, match=r"values of shape \(2,\) was given; the shape must be \(1,\)"):
        a_mixture().conditional([1], [0.0, 0.0])


@pytest.mark.parametrize("matrix", [3.0, [1.0], np.eye(3), np.zeros((2, 2, 2))])
def test_maps_of_another_width_are_refused(matrix: Any) -> None:
    with pytest.raises(ParameterError, match=r"this mixture has 2 columns\. Give one factor per column"):
        a_mixture().affine(matrix)


@pytest.mark.parametrize("matrix", [[0.0, 1.0], [[1.0, 1.0], [1.0, 1.0]]])
def test_maps_that_flatten_are_refused(matrix: Any) -> None:
    with pytest.raises(ParameterError, match="not positive definite"):
        a_mixture().affine(matrix)


def test_a_component_of_weight_zero_gets_no_row() -> None:
    mixture = Mixture.from_parameters([0.0, 1.0], [[0.0], [9.0]], [[1.0], [1.0]], "diag")
    np.testing.assert_array_equal(mixture.responsibilities([[0.0]]), [[0.0, 1.0]])
    assert (mixture.sample(50, 0)[1] == 1).all()
