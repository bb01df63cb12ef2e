"""Customer segmentation: a table in; segments, ambiguous customers, anomalies and a model to keep out."""

from mixtura.segments.advice import Advice, Capacity, Finding, Verdict, advise
from mixtura.segments.ambiguity import AmbiguousCustomer, Comparison
from mixtura.segments.assignment import Assignment, assign_table
from mixtura.segments.columns import ColumnChoice, LeftOut, choose_columns
from mixtura.segments.files import write_results
from mixtura.segments.model import SegmentModel, Training
from mixtura.segments.naming import name_segments
from mixtura.segments.profile import SegmentProfile
from mixtura.segments.rows import Scaling
from mixtura.segments.segmentation import COVARIANCE_TYPES, SegmentationResult, segment_table
from mixtura.segments.selection import Selection, select_table, write_selection
from mixtura.segments.summary import summarize
from mixtura.segments.tour import Tour, take_tour, write_customers

__all__ = [
    "COVARIANCE_TYPES",
    "Advice",
    "AmbiguousCustomer",
    "Assignment",
    "Capacity",
    "ColumnChoice",
    "Comparison",
    "Finding",
    "LeftOut",
    "Scaling",
    "SegmentModel",
    "SegmentProfile",
    "SegmentationResult",
    "Selection",
    "Tour",
    "Training",
    "Verdict",
    "advise",
    "assign_table",
    "choose_columns",
    "name_segments",
    "segment_table",
    "select_table",
    "summarize",
    "take_tour",
    "write_customers",
    "write_results",
    "write_selection",
]
