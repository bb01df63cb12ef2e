"""Advice before a segmentation: does a Gaussian mixture suit a table, and why."""

from mixtura.segments.advice.advise import advise
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
