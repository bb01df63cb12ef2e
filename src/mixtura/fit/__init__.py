"""The one loop, and what plugs into it: steps, starts, stopping rules, observers."""

from mixtura.fit.accelerate import AcceleratedEMStep
from mixtura.fit.coming_close import CHECKPOINTS
from mixtura.fit.degeneracy import Degeneracy, DegeneracyKind, find_degeneracies
from mixtura.fit.em import EMStep, Problem, describe_rows
from mixtura.fit.init import INITIALIZATIONS, FromMixture, FromPartition, Initialization, SharedStarts
from mixtura.fit.kmeans import Clustering, best_clustering, nearest, run_kmeans
from mixtura.fit.restarts import (
    SAME_END,
    Given,
    Settings,
    continue_fit,
    continue_together,
    fit_best_of,
    fit_mixture,
)
from mixtura.fit.result import FitResult, Outcome
from mixtura.fit.score import Score, evaluate, score_mixture
from mixtura.fit.stopping import AbsoluteChange, RemainingGain
from mixtura.fit.trace import Event, Observer, PassKind, Trace

__all__ = [
    "CHECKPOINTS",
    "INITIALIZATIONS",
    "SAME_END",
    "AbsoluteChange",
    "AcceleratedEMStep",
    "Clustering",
    "Degeneracy",
    "DegeneracyKind",
    "EMStep",
    "Event",
    "FitResult",
    "FromMixture",
    "FromPartition",
    "Given",
    "Initialization",
    "Observer",
    "Outcome",
    "PassKind",
    "Problem",
    "RemainingGain",
    "Score",
    "Settings",
    "SharedStarts",
    "Trace",
    "best_clustering",
    "continue_fit",
    "continue_together",
    "describe_rows",
    "evaluate",
    "find_degeneracies",
    "fit_best_of",
    "fit_mixture",
    "nearest",
    "run_kmeans",
    "score_mixture",
]
