"""Anomalies: a detector that they do not mislead, thresholds with a meaning, and reasons."""

from mixtura.anomaly.false_discoveries import Excess, control_false_discoveries, excess_of
from mixtura.anomaly.outlier_detector import GaussianMixtureOutlierDetector

__all__ = ["Excess", "GaussianMixtureOutlierDetector", "control_false_discoveries", "excess_of"]
