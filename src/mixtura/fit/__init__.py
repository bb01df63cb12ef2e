"""The one loop, and what plugs into it: steps, starts, stopping rules, observers."""

from mixtura.fit.degeneracy import Degeneracy, DegeneracyKind, find_degeneracies
from mixtura.fit.em import EMStep, Problem, describe_rows
from mixtura.fit.init import INITIALIZATIONS, FromPartition, Initialization
from mixtura.fit.kmeans import Clustering, best_clustering, nearest, run_kmeans
from mixtura.fit.restarts import Given, Settings, continue_fit, fit_mixture
from mixtura.fit.result import FitResult, Outcome
from mixtura.fit.score import Score, evaluate, score_mixture
from mixtura.fit.stopping import AbsoluteChange, RemainingGain
from mixtura.fit.trace import Event, Observer, Trace

__all__ = [
    "INITIALIZATIONS",
    "AbsoluteChange",
    "Clustering",
    "Degeneracy",
    "DegeneracyKind",
    "EMStep",
    "Event",
    "FitResult",
    "FromPartition",
    "Given",
    "Initialization",
    "Observer",
    "Outcome",
    "Problem",
    "RemainingGain",
    "Score",
    "Settings",
    "Trace",
    "best_clustering",
    "continue_fit",
    "describe_rows",
    "evaluate",
    "find_degeneracies",
    "fit_mixture",
    "nearest",
    "run_kmeans",
    "score_mixture",
]
