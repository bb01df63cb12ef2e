"""The tour's figures are scikit-learn's, to every printed digit."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score
from sklearn.mixture import GaussianMixture


@pytest.fixture
def printed(run) -> str:
    done = run("demo")
    assert done.exit_code == 0, done.output
    return re.sub(r"\s+", " ", done.output)


@pytest.fixture
def table() -> np.ndarray:
    blobs, _ = make_blobs(
        n_samples=300, centers=[[40, 60], [70, 30], [20, 80]], cluster_std=[8, 10, 7], random_state=42
    )
    return blobs @ np.array([[0.8, -0.4], [0.3, 0.9]]) + np.array([0, 30])


@pytest.fixture
def model(table) -> GaussianMixture:
    return GaussianMixture(3, random_state=42).fit(table)


def shares(memberships: np.ndarray) -> str:
    return " ".join(f"{100 * share:.2f} %" for share in memberships)


def test_memberships_of_the_first_five(printed, table, model) -> None:
    for customer in range(5):
        income, spending = table[customer]
        assert (
            f" {customer} {income:.2f} {spending:.2f} {shares(model.predict_proba(table)[customer])} "
            in printed
        )


def test_the_fit(printed, model) -> None:
    for k in range(3):
        assert (
            f"segment {k} {model.weights_[k]:.4f} {model.means_[k, 0]:.2f} {model.means_[k, 1]:.2f}"
            in printed
        )
    assert model.n_iter_ == 6
    assert "Converged: yes, after 6 iterations." in printed


def test_the_ambiguous_and_k_means(printed, table, model) -> None:
    memberships = model.predict_proba(table)
    five = np.argsort(memberships.max(axis=1))[:5]
    assert five[0] == 119
    assert "42.81 % 57.19 %" in printed
    for customer in five:
        assert f" {customer} {shares(memberships[customer])} " in printed
    kmeans = KMeans(3, n_init=10, random_state=42).fit(table)
    distances = ", ".join(f"{distance:.2f}" for distance in kmeans.transform(table)[119])
    assert (
        f"customer 119 into its cluster {kmeans.labels_[119]} (distances to its centers: {distances})"
        in printed
    )


def test_shapes_and_k_means(printed, table) -> None:
    for covariance_type in ("full", "tied", "diag", "spherical"):
        fitted = GaussianMixture(3, covariance_type=covariance_type, random_state=42).fit(table)
        silhouette = silhouette_score(table, fitted.predict(table))
        assert f" {covariance_type} {silhouette:.4f} {fitted.bic(table):.2f} " in printed
    kmeans = KMeans(3, n_init=10, random_state=42).fit(table)
    assert f"K-means {silhouette_score(table, kmeans.labels_):.4f} " in printed


def test_numbers_of_segments(printed, table) -> None:
    fitted = {k: GaussianMixture(k, random_state=42).fit(table) for k in range(1, 8)}
    for k, one in fitted.items():
        assert f" {k} {one.bic(table):.2f} {one.aic(table):.2f} " in printed
    by_bic = min(fitted, key=lambda k: fitted[k].bic(table))
    by_aic = min(fitted, key=lambda k: fitted[k].aic(table))
    assert f"Best by BIC: {by_bic}. Best by AIC: {by_aic}." in printed


def test_anomalies(printed, table, model) -> None:
    log_density = model.score_samples(table)
    threshold = np.percentile(log_density, 4)
    anomalies = np.flatnonzero(log_density < threshold)
    assert f"from {log_density.min():.4f} to {log_density.max():.4f}" in printed
    said = f"Threshold (4th percentile): {threshold:.4f}. Below it: {len(anomalies)} customers, "
    assert said + ", ".join(map(str, anomalies)) in printed


@pytest.mark.parametrize("reg_covar", [1e-12, 1e-9, 1e-6, 1e-3, 1.0])
def test_the_collapse(printed, table, reg_covar) -> None:
    fitted = GaussianMixture(20, reg_covar=reg_covar, random_state=42).fit(table)
    variances = [np.linalg.eigvalsh(covariance)[0] for covariance in fitted.covariances_]
    narrowest = int(np.argmin(variances))
    row = (
        f" {reg_covar:g} {np.sqrt(variances[narrowest]):.6g} {300 * fitted.weights_[narrowest]:.2f} "
        f"{fitted.score_samples(table).max():.4f} {300 * fitted.score(table):.4f} "
    )
    assert row in printed
