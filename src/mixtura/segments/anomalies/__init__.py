"""Anomalies of a table of customers."""

from mixtura.segments.anomalies.find_anomalies import find_anomalies
from mixtura.segments.anomalies.source_anomalies import SourceAnomalies
from mixtura.segments.anomalies.table_anomalies import TableAnomalies

__all__ = ["SourceAnomalies", "TableAnomalies", "find_anomalies"]
