"""Anomalies of a table of customers."""

from mixtura.segments.anomalies.table_anomalies import TableAnomalies, find_anomalies

__all__ = ["TableAnomalies", "find_anomalies"]
