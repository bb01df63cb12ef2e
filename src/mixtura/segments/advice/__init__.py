"""Advice before a segmentation: does a Gaussian mixture suit a table, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.segments.advice.advise_table import advise
    from mixtura.segments.advice.evidence.clusterability import hopkins
    from mixtura.segments.advice.evidence.density_clusters import nonconvex_share
    from mixtura.segments.advice.evidence.dip import dip_p_value, dip_statistic
    from mixtura.segments.advice.evidence.normality import Mardia, energy_p_value, energy_statistic, mardia
    from mixtura.segments.advice.findings.capacity import capacities
    from mixtura.segments.advice.findings.finding import METHODS, Advice, Capacity, Finding, Recommendation

__all__ = [
    "METHODS",
    "Advice",
    "Capacity",
    "Finding",
    "Mardia",
    "Recommendation",
    "advise",
    "capacities",
    "dip_p_value",
    "dip_statistic",
    "energy_p_value",
    "energy_statistic",
    "hopkins",
    "mardia",
    "nonconvex_share",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "advise_table": "advise",
            "evidence.clusterability": "hopkins",
            "evidence.density_clusters": "nonconvex_share",
            "evidence.dip": "dip_p_value dip_statistic",
            "evidence.normality": "Mardia energy_p_value energy_statistic mardia",
            "findings.capacity": "capacities",
            "findings.finding": "METHODS Advice Capacity Finding Recommendation",
        },
    )
