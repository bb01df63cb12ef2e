"""The one loop, and what plugs into it: steps, starts, stopping rules, observers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixtura._lazy import lazy_names

if TYPE_CHECKING:
    from mixtura.fit.contest import fit_best_of, likeliest_after
    from mixtura.fit.degeneracy import Degeneracy, DegeneracyKind, find_degeneracies
    from mixtura.fit.evaluation import Score, log_likelihood, score_mixture
    from mixtura.fit.init import (
        INITIALIZATIONS,
        ROBUST_KMEANS,
        BestOf,
        FromKnown,
        FromMixture,
        FromPartition,
        Initialization,
        SharedStarts,
        WithKnown,
        join_components,
        split_components,
    )
    from mixtura.fit.kmeans.lloyd import Clustering, best_clustering, nearest, run_kmeans
    from mixtura.fit.loop.driver import Observer, Step, iterate
    from mixtura.fit.loop.outcome import Outcome
    from mixtura.fit.loop.result import FitResult
    from mixtura.fit.loop.state import LoopState, StepResult, begin, take
    from mixtura.fit.loop.stopping import AbsoluteChange, RemainingGain
    from mixtura.fit.loop.trace import Event, PassKind, Trace
    from mixtura.fit.racing import PATIENT_SCHEDULE, RACE_SCHEDULE, WithinReach
    from mixtura.fit.restarts import (
        SAME_OPTIMUM,
        Given,
        Settings,
        continue_batch,
        continue_fit,
        fit_mixture,
    )
    from mixtura.fit.sample_ahead import SampleAhead, SampledEMStep
    from mixtura.fit.sample_runs import RunEnd, SampleRuns, SampleTables
    from mixtura.fit.steps.accelerated import AcceleratedEMStep
    from mixtura.fit.steps.em import EMStep, Problem
    from mixtura.fit.steps.incremental import IncrementalEMStep, KeptSums, implied_sums, sums_of
    from mixtura.fit.steps.truncated import TruncatedEMStep, em_leaving_out

__all__ = [
    "INITIALIZATIONS",
    "PATIENT_SCHEDULE",
    "RACE_SCHEDULE",
    "ROBUST_KMEANS",
    "SAME_OPTIMUM",
    "AbsoluteChange",
    "AcceleratedEMStep",
    "BestOf",
    "Clustering",
    "Degeneracy",
    "DegeneracyKind",
    "EMStep",
    "Event",
    "FitResult",
    "FromKnown",
    "FromMixture",
    "FromPartition",
    "Given",
    "IncrementalEMStep",
    "Initialization",
    "KeptSums",
    "LoopState",
    "Observer",
    "Outcome",
    "PassKind",
    "Problem",
    "RemainingGain",
    "RunEnd",
    "SampleAhead",
    "SampleRuns",
    "SampleTables",
    "SampledEMStep",
    "Score",
    "Settings",
    "SharedStarts",
    "Step",
    "StepResult",
    "Trace",
    "TruncatedEMStep",
    "WithKnown",
    "WithinReach",
    "begin",
    "best_clustering",
    "continue_batch",
    "continue_fit",
    "em_leaving_out",
    "find_degeneracies",
    "fit_best_of",
    "fit_mixture",
    "implied_sums",
    "iterate",
    "join_components",
    "likeliest_after",
    "log_likelihood",
    "nearest",
    "run_kmeans",
    "score_mixture",
    "split_components",
    "sums_of",
    "take",
]

if not TYPE_CHECKING:  # a type checker that saw __getattr__ would take every name for one
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "contest": "fit_best_of likeliest_after",
            "degeneracy": "Degeneracy DegeneracyKind find_degeneracies",
            "evaluation": "Score log_likelihood score_mixture",
            "init": "INITIALIZATIONS ROBUST_KMEANS BestOf FromKnown FromMixture "
            "FromPartition Initialization SharedStarts WithKnown join_components split_components",
            "kmeans.lloyd": "Clustering best_clustering nearest run_kmeans",
            "loop.driver": "Observer Step iterate",
            "loop.outcome": "Outcome",
            "loop.result": "FitResult",
            "loop.state": "LoopState StepResult begin take",
            "loop.stopping": "AbsoluteChange RemainingGain",
            "loop.trace": "Event PassKind Trace",
            "racing": "PATIENT_SCHEDULE RACE_SCHEDULE WithinReach",
            "restarts": "SAME_OPTIMUM Given Settings continue_batch continue_fit fit_mixture",
            "sample_ahead": "SampleAhead SampledEMStep",
            "sample_runs": "RunEnd SampleRuns SampleTables",
            "steps.accelerated": "AcceleratedEMStep",
            "steps.em": "EMStep Problem",
            "steps.incremental": "IncrementalEMStep KeptSums implied_sums sums_of",
            "steps.truncated": "TruncatedEMStep em_leaving_out",
        },
    )
