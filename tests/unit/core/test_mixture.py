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
            r"`means` must have the shape \(components, columns\); got \(2,\)",
        ),
        ({"means": np.zeros((0, 2))}, r"`means` must have the shape .*; got \(0, 2\)"),
        ({"means": [[0.0, np.nan], [0.0, 0.0]]}, "`means` must be finite; got 1 values"),
        ({"weights": [1.0]}, r"`weights` must have the shape \(2,\); got \(1,\)"),
        ({"weights": [1.5, -0.5]}, "must be non-negative and sum to one"),
        ({"weights": [0.5, 0.6]}, r"sum to one; got \[0.5, 0.6\]. Divide them by their sum"),
        (
            {"covariances": np.eye(2)},
            r"`covariances` must have the shape \(2, 2, 2\); got \(2, 2\)",
        ),
        ({"covariances": [np.eye(2), [[1, 0.5], [0.4, 1]]]}, "`covariances` must be symmetric"),
        ({"covariances": [np.eye(2), -np.eye(2)]}, r"must be positive definite; got .* components \[1\]"),
        ({"covariance_type": "round"}, "`covariance_type` must be one of .*; got 'round'"),
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
        with pytest.raises(DataError, match=r"`rows` must have the shape \(rows, 2\)"):
            getattr(a_mixture(), question)(rows)


def test_weights_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match=r"`sample_weight` must hold one .*shape \(2,\); got shape \(3,\)"):
        a_mixture().log_likelihood(np.zeros((2, 2)), np.ones(3))


@pytest.mark.parametrize("n_samples", [0, -3, 2.5, None, "one"])
def test_no_draws_are_refused(n_samples: Any) -> None:
    with pytest.raises(
        ParameterError, match=f"`n_samples` must be a whole number of at least 1; got {n_samples!r}"
    ):
        a_mixture().sample(n_samples)


@pytest.mark.parametrize("seed", [-1, "a", np.random.default_rng(0)])
def test_draws_need_a_seed(seed: Any) -> None:
    with pytest.raises(ParameterError, match="`random_state` must be a whole number"):
        a_mixture().sample(2, seed)


def test_values_so_far_out_that_all_densities_are_zero_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"`values` must be nearer to the means; got \[1e\+200\]"):
        a_mixture().conditional([0], [1e200])


@pytest.mark.parametrize("columns", [[], [0, 0], [2], [-1], [[0]], [0.5], ["a"], [True, False], None])
def test_columns_that_are_not_there_are_refused(columns: Any) -> None:
    with pytest.raises(ParameterError, match="`columns` must be distinct column numbers from 0 to 1; got "):
        a_mixture().marginal(columns)


def test_conditioning_leaves_a_column_and_needs_its_values() -> None:
    with pytest.raises(ParameterError, match=r"`columns` must leave out at least one column; got \[1, 0\]"):
        a_mixture().conditional([1, 0], [0.0, 0.0])
    with pytest.raises(ParameterError, match=r"`values` must have the shape \(1,\); got \(2,\)"):
        a_mixture().conditional([1], [0.0, 0.0])


@pytest.mark.parametrize("matrix", [3.0, [1.0], np.eye(3), np.zeros((2, 2, 2))])
def test_maps_of_another_width_are_refused(matrix: Any) -> None:
    with pytest.raises(
        ParameterError, match=r"`matrix` must have the shape \(E, 2\), or \(2,\) for one factor"
    ):
        a_mixture().affine(matrix)


@pytest.mark.parametrize("matrix", [[0.0, 1.0], [[1.0, 1.0], [1.0, 1.0]]])
def test_maps_that_flatten_are_refused(matrix: Any) -> None:
    with pytest.raises(ParameterError, match="`covariances` must be positive definite"):
        a_mixture().affine(matrix)


def test_a_component_of_weight_zero_gets_no_row() -> None:
    mixture = Mixture.from_parameters([0.0, 1.0], [[0.0], [9.0]], [[1.0], [1.0]], "diag")
    np.testing.assert_array_equal(mixture.responsibilities([[0.0]]), [[0.0, 1.0]])
    assert (mixture.sample(50, 0)[1] == 1).all()
