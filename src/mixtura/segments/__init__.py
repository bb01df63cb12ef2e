"""Customer segmentation: a table in; segments, ambiguous customers, anomalies and a model to keep out."""

from mixtura.segments.advice import Advice, Capacity, Finding, Recommendation, advise
from mixtura.segments.ambiguity import AmbiguousCustomer, ambiguous_customers
from mixtura.segments.assignment import Assignment, assign_table
from mixtura.segments.audience_table import AudienceList, audiences_of_table
from mixtura.segments.audiences import Audience, Audiences, combine_audiences, find_segment, select_audience
from mixtura.segments.certainty import Certainty, confusion_matrix, measure_certainty
from mixtura.segments.columns import ColumnChoice, LeftOut, choose_columns
from mixtura.segments.distinction import Distinction
from mixtura.segments.files import write_results
from mixtura.segments.flow import Flow, customer_flow
from mixtura.segments.kmeans_comparison import (
    CutSegment,
    JoinedSegments,
    KMeansComparison,
    compare_with_kmeans,
)
from mixtura.segments.model import SegmentModel, Training
from mixtura.segments.naming import name_segments
from mixtura.segments.overlap import Overlap, component_overlap
from mixtura.segments.profile import (
    CategoryProfile,
    LevelShare,
    NumericProfile,
    Population,
    SegmentProfile,
    TypicalCustomer,
    ValueProfile,
)
from mixtura.segments.rows import Scaling
from mixtura.segments.segmentation import COVARIANCE_TYPES, SegmentationResult, segment_table
from mixtura.segments.selection import Selection, select_table, write_selection
from mixtura.segments.stability import NumberStability, SegmentStability, Stability, assess_stability
from mixtura.segments.summaries import NumericSummary
from mixtura.segments.summary import summarize
from mixtura.segments.tour import Tour, take_tour, write_customers, write_look_alike
from mixtura.segments.transform_rule import TransformAdvice, advise_transform
from mixtura.segments.transforms import TRANSFORMS, Transform, fit_transform
from mixtura.segments.verdict import Verdict, judge

__all__ = [
    "COVARIANCE_TYPES",
    "TRANSFORMS",
    "Advice",
    "AmbiguousCustomer",
    "Assignment",
    "Audience",
    "AudienceList",
    "Audiences",
    "Capacity",
    "CategoryProfile",
    "Certainty",
    "ColumnChoice",
    "CutSegment",
    "Distinction",
    "Finding",
    "Flow",
    "JoinedSegments",
    "KMeansComparison",
    "LeftOut",
    "LevelShare",
    "NumberStability",
    "NumericProfile",
    "NumericSummary",
    "Overlap",
    "Population",
    "Recommendation",
    "Scaling",
    "SegmentModel",
    "SegmentProfile",
    "SegmentStability",
    "SegmentationResult",
    "Selection",
    "Stability",
    "Tour",
    "Training",
    "Transform",
    "TransformAdvice",
    "TypicalCustomer",
    "ValueProfile",
    "Verdict",
    "advise",
    "advise_transform",
    "ambiguous_customers",
    "assess_stability",
    "assign_table",
    "audiences_of_table",
    "choose_columns",
    "combine_audiences",
    "compare_with_kmeans",
    "component_overlap",
    "confusion_matrix",
    "customer_flow",
    "find_segment",
    "fit_transform",
    "judge",
    "measure_certainty",
    "name_segments",
    "segment_table",
    "select_audience",
    "select_table",
    "summarize",
    "take_tour",
    "write_customers",
    "write_look_alike",
    "write_results",
    "write_selection",
]
