"""Every term of the report in plain words, once."""

from __future__ import annotations

from typing import Final

__all__ = ["GLOSSARY"]

GLOSSARY: Final[dict[str, tuple[str, str]]] = {
    "segment": (
        "Segment",
        (
            "A group of customers who resemble each other more than they resemble the others. It is one "
            "bell-shaped cloud of the mixture."
        ),
    ),
    "mixture": (
        "Mixture",
        (
            "The model behind the segments: several bell-shaped clouds of customers, each with its own "
            "size, center, width and slant, that overlap where customers are between segments."
        ),
    ),
    "membership": (
        "Membership",
        (
            "The probability that a customer belongs to a segment. The memberships of a customer add up "
            "to 100 %."
        ),
    ),
    "certainty": (
        "Certainty",
        (
            "A customer's largest membership. 100 %: there is no doubt about the segment. 50 %: it might "
            "as well be another one."
        ),
    ),
    "expected-error": (
        "Expected misplacement",
        (
            "The share of customers who, by their memberships, are expected to belong to another segment "
            "than the one they are put in."
        ),
    ),
    "share": (
        "Share",
        (
            "The part of all customers who are in the segment. The interval says how much it could differ"
            " had other customers of the same kind been in the table (95 % bootstrap interval)."
        ),
    ),
    "effect": (
        "Difference from everybody",
        (
            "How far the segment's mean lies from the mean of all customers, in standard deviations of "
            "all customers. 0.2 is small, 0.5 is medium, 0.8 and more is large. Of a transformed column the "
            "means and deviations are those of the transformed values."
        ),
    ),
    "sd": (
        "Standard deviation",
        (
            "How far customers typically lie from the mean. Two thirds of a bell lie within one standard "
            "deviation."
        ),
    ),
    "lift": (
        "Lift",
        (
            "How much more frequent something is in the segment than among everybody: 2 is twice as "
            "frequent, 0.5 half."
        ),
    ),
    "typical": (
        "Typical customers",
        ("Those where the segment is densest: the ones to look at when you want to know what it is like."),
    ),
    "value-index": (
        "Value index",
        (
            "What a customer of the segment is worth on average, over what everybody is: 2 is worth twice"
            " as much."
        ),
    ),
    "criterion": (
        "Criterion",
        (
            "A score that rewards a model for describing the customers, and charges it for every number "
            "it needs to do so. Smaller is better; a difference of 10 is strong evidence."
        ),
    ),
    "cv": (
        "CV, cross-validation",
        (
            "How badly a model foretells customers it has not seen: it is learned without a part of them, "
            "scored on that part, and so on for every part. Smaller is better. Models within one standard "
            "error of the smallest are not told apart; the simplest of them is chosen."
        ),
    ),
    "covariances": (
        "Covariances",
        (
            "Which shapes the clouds may have: full (each its own shape and slant), tied (all the same), "
            "diag (no slant), spherical (round), or one of the fourteen families from EII to VVV."
        ),
    ),
    "stability": (
        "Stability",
        (
            "Whether the same segments come out again when they are learned from resampled customers. "
            "Natural: the customers fall into these groups by themselves. Reproducible: the groups touch,"
            " but are found again. Constructed: other customers would have given other segments."
        ),
    ),
    "rand": (
        "Adjusted Rand index",
        (
            "How much two ways of grouping the same customers agree: 1 is the same, 0 is what chance "
            "would give."
        ),
    ),
    "jaccard": (
        "Jaccard similarity",
        (
            "Customers that a segment and its closest counterpart in a resample have in common, over "
            "those in either. 0.75 and more is stable."
        ),
    ),
    "confusion": (
        "Who is taken for whom",
        (
            "Of the customers put in the segment of a row, the share expected to belong to the segment of"
            " a column."
        ),
    ),
    "kmeans": (
        "K-means",
        (
            "The usual way to segment: every customer goes to the nearest center, without doubt, and "
            "groups are assumed to be round and equally wide."
        ),
    ),
    "silhouette": (
        "Silhouette width",
        (
            "From -1 to 1: how much closer customers are to their own group than to the next. It favors "
            "round groups."
        ),
    ),
    "anomaly": (
        "Unusual customer",
        (
            "A customer where the mixture expects hardly anybody. Look at them one by one: a mistake in "
            "the data, or somebody remarkable."
        ),
    ),
    "driver": (
        "Driver",
        (
            "A column that makes the customer unusual, with its part of the distance from the segments' "
            "centers."
        ),
    ),
    "log-density": (
        "Log density",
        (
            "How many customers the mixture expects around a place, on a logarithmic scale. The smaller, "
            "the less usual."
        ),
    ),
    "outcome": (
        "How a fit ended",
        (
            "Converged: the model could not be improved any further. Iteration limit: it still improved "
            "when it stopped."
        ),
    ),
    "degenerate": (
        "Degenerate model",
        (
            "A model with a cloud that sits on a few equal or nearly equal customers. Its score is "
            "meaningless, so it is not chosen."
        ),
    ),
    "normality": (
        "Normality",
        (
            "Whether the customers of a segment form a bell, as the model assumes. Mardia's test looks at"
            " lopsidedness and tails, the energy test at everything. A small p-value speaks against a "
            "bell; in large tables every p-value gets small, and what matters is how far kurtosis is from"
            " that of a bell."
        ),
    ),
    "parameters": (
        "Free parameters",
        (
            "How many numbers the model learned. With fewer than five customers for each it may describe "
            "chance."
        ),
    ),
    "transform": (
        "Transform",
        (
            "A skewed column, as money often is, can be put on another scale before segments are sought. "
            "Results are told in the column's own units."
        ),
    ),
    "audience": (
        "Audience",
        (
            "The customers a campaign for a segment should address: everybody with enough membership in "
            "it, also those who are mainly in another one."
        ),
    ),
}
"""A term's name and explanation by its key."""
