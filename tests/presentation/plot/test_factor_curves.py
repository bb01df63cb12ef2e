"""Covariances of factors have curves and a legend of their own."""

from __future__ import annotations

import json

import numpy as np

from mixtura.plot import plot_criterion
from mixtura.plot.data.scores import volume_of
from mixtura.select import search


def test_curves_of_factors_are_drawn() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 6))
    found = search(rows, components=[1, 2], covariance_types=["diag", "UUC-1", "UCC-1"])
    chart = plot_criterion(found).to_dict()
    domains = [one["domain"] for one in _scales(chart) if "UUC-1" in one.get("domain", ())]
    assert domains
    assert all("UCC-1" in domain for domain in domains)
    assert "UCC-1" in json.dumps(chart["datasets"])


def test_equal_noise_is_dashed() -> None:
    assert [volume_of(name) for name in ("UUC-1", "UCC-1", "CCC-2", "EII", "full")] == [
        "V",
        "E",
        "E",
        "E",
        "V",
    ]


def _scales(part: object) -> list[dict[str, list[str]]]:
    if isinstance(part, list):
        return [scale for one in part for scale in _scales(one)]
    if not isinstance(part, dict):
        return []
    own = [part["scale"]] if isinstance(part.get("scale"), dict) else []
    return own + [scale for one in part.values() for scale in _scales(one)]
