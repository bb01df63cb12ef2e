"""Customer segmentation: a table in; segments, ambiguous customers, anomalies and a model to keep out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.segments.advice import Advice, Capacity, Finding, Recommendation, advise
    from mixtura.segments.audiences.audience import (
        Audience,
        Audiences,
        combine_audiences,
        find_segment,
        select_audience,
    )
    from mixtura.segments.audiences.audience_table import AudienceList, audiences_of_table
    from mixtura.segments.certainty.ambiguous import AmbiguousCustomer, ambiguous_customers
    from mixtura.segments.certainty.certainty import Certainty, confusion_matrix
    from mixtura.segments.certainty.certainty_summary import measure_certainty
    from mixtura.segments.certainty.overlap import Overlap, component_overlap
    from mixtura.segments.certainty.pair_residuals import PairResidual
    from mixtura.segments.comparison.kmeans_comparison import (
        KMeansComparison,
        MergedSegments,
        SplitSegment,
        compare_with_kmeans,
    )
    from mixtura.segments.comparison.transitions import Flow, cluster_transitions
    from mixtura.segments.known.kept_segments import KeptSegment, KeptSegments
    from mixtura.segments.known.known_segments import Contradiction, KnownSegment, KnownSegments
    from mixtura.segments.merging.segment_merging import MergeStep, SegmentMerging
    from mixtura.segments.model.assign import OUTLIER, Assignment, assign_table
    from mixtura.segments.model.import_model import IMPORTED, import_model
    from mixtura.segments.model.kept_reference import with_reference
    from mixtura.segments.model.naming import name_segments
    from mixtura.segments.model.segment_model import SegmentModel
    from mixtura.segments.profiles.distinctness import Distinctness
    from mixtura.segments.profiles.profile import (
        CategoryProfile,
        LevelShare,
        NumericProfile,
        Population,
        SegmentProfile,
        TypicalCustomer,
        ValueProfile,
    )
    from mixtura.segments.results.deliver import RESULT_FILES, WORKBOOK_FILE, Delivery, Presentation, deliver
    from mixtura.segments.results.effort import Effort
    from mixtura.segments.results.segmentation_result import SegmentationResult
    from mixtura.segments.segment import COVARIANCE_TYPES, segment_table
    from mixtura.segments.select import Selection, select_table, write_selection
    from mixtura.segments.stability.stability import assess_stability
    from mixtura.segments.stability.stability_measures import NumberStability, SegmentStability, Stability
    from mixtura.segments.stability.stability_verdict import Verdict, classify_stability
    from mixtura.segments.table.columns import ColumnChoice, LeftOut, choose_columns
    from mixtura.segments.table.open_table import OddCell, OpenTable, open_table
    from mixtura.segments.table.prepare import mixed_rows
    from mixtura.segments.table.survey.sentinel import Sentinel
    from mixtura.segments.transforms.recommend_transform import TransformAdvice, advise_transform
    from mixtura.segments.transforms.scaling import Scaling
    from mixtura.segments.transforms.transforms import TRANSFORMS, Transform, fit_transform
    from mixtura.segments.typing.typing_files import write_typing_tool
    from mixtura.segments.typing.typing_tool import TypingTool, make_typing_tool
    from mixtura.segments.updating.merge_statistics import add_statistics, merge_statistics
    from mixtura.segments.updating.model_statistics import ModelStatistics
    from mixtura.segments.updating.statistics_file import SiteStatistics, site_statistics
    from mixtura.segments.updating.training_info import Addition, TrainingInfo
    from mixtura.segments.updating.update_model import ModelUpdate, update_model
    from mixtura.segments.weighted import NumericSummary

__all__ = [
    "COVARIANCE_TYPES",
    "IMPORTED",
    "OUTLIER",
    "RESULT_FILES",
    "TRANSFORMS",
    "WORKBOOK_FILE",
    "Addition",
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
    "Contradiction",
    "Delivery",
    "Distinctness",
    "Effort",
    "Finding",
    "Flow",
    "KMeansComparison",
    "KeptSegment",
    "KeptSegments",
    "KnownSegment",
    "KnownSegments",
    "LeftOut",
    "LevelShare",
    "MergeStep",
    "MergedSegments",
    "ModelStatistics",
    "ModelUpdate",
    "NumberStability",
    "NumericProfile",
    "NumericSummary",
    "OddCell",
    "OpenTable",
    "Overlap",
    "PairResidual",
    "Population",
    "Presentation",
    "Recommendation",
    "Scaling",
    "SegmentMerging",
    "SegmentModel",
    "SegmentProfile",
    "SegmentStability",
    "SegmentationResult",
    "Selection",
    "Sentinel",
    "SiteStatistics",
    "SplitSegment",
    "Stability",
    "TrainingInfo",
    "Transform",
    "TransformAdvice",
    "TypicalCustomer",
    "TypingTool",
    "ValueProfile",
    "Verdict",
    "add_statistics",
    "advise",
    "advise_transform",
    "ambiguous_customers",
    "assess_stability",
    "assign_table",
    "audiences_of_table",
    "choose_columns",
    "classify_stability",
    "cluster_transitions",
    "combine_audiences",
    "compare_with_kmeans",
    "component_overlap",
    "confusion_matrix",
    "deliver",
    "find_segment",
    "fit_transform",
    "import_model",
    "make_typing_tool",
    "measure_certainty",
    "merge_statistics",
    "mixed_rows",
    "name_segments",
    "open_table",
    "segment_table",
    "select_audience",
    "select_table",
    "site_statistics",
    "update_model",
    "with_reference",
    "write_selection",
    "write_typing_tool",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "advice": "Advice Capacity Finding Recommendation advise",
            "audiences.audience": "Audience Audiences combine_audiences find_segment select_audience",
            "audiences.audience_table": "AudienceList audiences_of_table",
            "certainty.ambiguous": "AmbiguousCustomer ambiguous_customers",
            "certainty.certainty": "Certainty confusion_matrix",
            "certainty.certainty_summary": "measure_certainty",
            "certainty.overlap": "Overlap component_overlap",
            "certainty.pair_residuals": "PairResidual",
            "comparison.kmeans_comparison": "KMeansComparison MergedSegments SplitSegment compare_with_kmeans",
            "comparison.transitions": "Flow cluster_transitions",
            "known.kept_segments": "KeptSegment KeptSegments",
            "known.known_segments": "Contradiction KnownSegment KnownSegments",
            "merging.segment_merging": "MergeStep SegmentMerging",
            "model.assign": "OUTLIER Assignment assign_table",
            "model.import_model": "IMPORTED import_model",
            "model.kept_reference": "with_reference",
            "model.naming": "name_segments",
            "model.segment_model": "SegmentModel",
            "profiles.distinctness": "Distinctness",
            "profiles.profile": "CategoryProfile LevelShare NumericProfile Population "
            "SegmentProfile TypicalCustomer ValueProfile",
            "results.deliver": "RESULT_FILES WORKBOOK_FILE Delivery Presentation deliver",
            "results.effort": "Effort",
            "results.segmentation_result": "SegmentationResult",
            "segment": "COVARIANCE_TYPES segment_table",
            "select": "Selection select_table write_selection",
            "stability.stability": "assess_stability",
            "stability.stability_measures": "NumberStability SegmentStability Stability",
            "stability.stability_verdict": "Verdict classify_stability",
            "table.columns": "ColumnChoice LeftOut choose_columns",
            "table.open_table": "OddCell OpenTable open_table",
            "table.prepare": "mixed_rows",
            "table.survey.sentinel": "Sentinel",
            "transforms.recommend_transform": "TransformAdvice advise_transform",
            "transforms.scaling": "Scaling",
            "transforms.transforms": "TRANSFORMS Transform fit_transform",
            "typing.typing_files": "write_typing_tool",
            "typing.typing_tool": "TypingTool make_typing_tool",
            "updating.merge_statistics": "add_statistics merge_statistics",
            "updating.model_statistics": "ModelStatistics",
            "updating.statistics_file": "SiteStatistics site_statistics",
            "updating.training_info": "Addition TrainingInfo",
            "updating.update_model": "ModelUpdate update_model",
            "weighted": "NumericSummary",
        },
    )
