"""Anomalies: a detector that they do not mislead, thresholds with a meaning, and reasons."""

from mixtura.anomaly.false_discoveries import Excess, control_false_discoveries, excess_of
from mixtura.anomaly.outlier_detector import GaussianMixtureOutlierDetector
from mixtura.core.explanation.reasons import Reasons, reasons_for

__all__ = [
    "Excess",
    "GaussianMixtureOutlierDetector",
    "Reasons",
    "control_false_discoveries",
    "excess_of",
    "reasons_for",
]
