"""Before anything is fitted for good: does a Gaussian mixture suit a table, and why."""

from mixtura.segments.advice.capacity import capacities
from mixtura.segments.advice.clusterability import hopkins
from mixtura.segments.advice.consultation import advise
from mixtura.segments.advice.density import hollow_share
from mixtura.segments.advice.dip import dip_p_value, dip_statistic
from mixtura.segments.advice.finding import METHODS, Advice, Capacity, Finding, Recommendation
from mixtura.segments.advice.normality import Mardia, energy_p_value, energy_statistic, mardia

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
    "hollow_share",
    "hopkins",
    "mardia",
]
