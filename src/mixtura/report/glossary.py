"""Every term of the report in plain words, once."""

from __future__ import annotations

from typing import Final

__all__ = ["GLOSSARY"]

GLOSSARY: Final[dict[str, tuple[str, str]]] = {
    "segment": (
        "Segment",
        (
            "A group of customers who resemble each other more than they resemble the others. It is one "
            "component of the mixture."
        ),
    ),
    "mixture": (
        "Mixture",
        (
            "The model behind the segments: several Gaussian components, each with its own size, center, "
            "spread and orientation, that overlap where customers are ambiguous."
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
        "Expected error",
        (
            "The share of customers who, by their memberships, are expected to belong to another segment "
            "than the one they are assigned to."
        ),
    ),
    "share": (
        "Share",
        (
            "The part of all customers who are in the segment, with a 95 % bootstrap interval: how much it "
            "varies between samples of such customers."
        ),
    ),
    "effective-base": (
        "Effective base",
        (
            "How many customers of equal weight would say as much: the squared sum of the weights over the sum of "
            "their squares (Kish). The more weights differ, the smaller it is."
        ),
    ),
    "index": (
        "Index",
        (
            "100 times the segment's value over that of all customers: 120 is a fifth above them. It says nothing of "
            "chance; the letters do."
        ),
    ),
    "letters": (
        "Significance letters",
        (
            "A letter in a cell names a segment whose value is lower by more than chance, at 5 %. Within a row the "
            "p-values of all pairs are adjusted by Holm's method. Bases are effective ones; below 30 nothing is tested."
        ),
    ),
    "classification": (
        "Classification statistics",
        (
            "As Latent GOLD prints them. Errors: the share of customers expected in the wrong segment. Lambda: by how "
            "much that is less than if all were put in the largest segment. R²: how much of the entropy, or of the "
            "sum of squares, of the segments the columns explain."
        ),
    ),
    "effect": (
        "Difference from all customers",
        (
            "How far the segment's mean lies from the mean of all customers, in standard deviations of "
            "all customers. 0.2 is small, 0.5 is medium, 0.8 and more is large. Of a transformed column the "
            "means and deviations are those of the transformed values."
        ),
    ),
    "sd": (
        "Standard deviation",
        (
            "How far customers typically lie from the mean. About two thirds of a normal distribution lie "
            "within one standard deviation."
        ),
    ),
    "lift": (
        "Lift",
        (
            "How much more frequent something is in the segment than among all customers: 2 is twice as "
            "frequent, 0.5 half."
        ),
    ),
    "typical": (
        "Typical customers",
        ("Those at which the segment is densest: examples that show what it is like."),
    ),
    "value-index": (
        "Value index",
        (
            "What a customer of the segment is worth on average, divided by the average of all customers: "
            "2 is worth twice as much."
        ),
    ),
    "criterion": (
        "Criterion",
        (
            "A score that rewards a model for its fit and penalizes each of its parameters. Smaller is "
            "better; a difference of 10 is strong evidence."
        ),
    ),
    "cv": (
        "CV, cross-validation",
        (
            "How badly a model predicts customers it has not seen: it is fitted without a part of them and "
            "scored on that part, for every part in turn. Smaller is better. Of the models within one "
            "standard error of the smallest, the simplest is chosen."
        ),
    ),
    "covariances": (
        "Covariances",
        (
            "Which shapes the components may have: full (each its own), tied (all the same), diag (axes "
            "parallel to the columns), spherical (round), or one of the fourteen families from EII to VVV."
        ),
    ),
    "stability": (
        "Stability",
        (
            "Whether resampled customers give the same segments. Natural: the customers form these groups. "
            "Reproducible: the groups touch, but resamples give the same ones. Constructed: other customers "
            "would have given other segments."
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
            "Customers that a segment shares with the most similar segment of a resample, divided by those in "
            "either. 0.75 and more is stable."
        ),
    ),
    "confusion": (
        "Expected confusion",
        (
            "Of the customers assigned to the segment of a row, the share expected to belong to the segment of"
            " a column."
        ),
    ),
    "kmeans": (
        "K-means",
        (
            "The usual way to segment: every customer is assigned to the nearest center, with "
            "certainty, and groups are assumed to be round and equally wide."
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
        "Anomaly",
        (
            "A customer in a region where the mixture expects hardly any. Look at anomalies one by one: each is "
            "an error in the data, or a remarkable customer."
        ),
    ),
    "driver": (
        "Driver",
        (
            "A column that makes the customer an anomaly, with its part of the squared distance from the "
            "segments' centers."
        ),
    ),
    "log-density": (
        "Log density",
        (
            "How many customers the mixture expects around a place, on a logarithmic scale. Anomalies "
            "have the smallest."
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
            "A model with a component that covers only a few equal or nearly equal customers. Its criterion is "
            "meaningless, so it is not chosen."
        ),
    ),
    "residuals": (
        "Bivariate residual",
        (
            "How far two columns of counts or categories go together within segments, where the model takes them as "
            "independent: about 1 is what chance gives. Two columns that say the same thing count twice, and may make "
            "segments of themselves. The strength is Cramer's V, from 0 to 1."
        ),
    ),
    "normality": (
        "Normality",
        (
            "Whether the customers of a segment are normally distributed, as the model assumes. Mardia's test "
            "looks at skewness and kurtosis, the energy test at the whole distribution. A small p-value speaks "
            "against normality. In large tables all p-values are small, and what matters is how far the "
            "kurtosis is from that of a Gaussian."
        ),
    ),
    "parameters": (
        "Free parameters",
        (
            "How many numbers were estimated. With fewer than five customers for each, the model may fit noise."
        ),
    ),
    "transform": (
        "Transform",
        (
            "A skewed column, as money often is, can be transformed before the mixture is fitted. "
            "Results are reported in the column's own units."
        ),
    ),
    "audience": (
        "Audience",
        (
            "The customers a campaign for a segment should address: all with enough membership in "
            "it, also those who are mainly in another one."
        ),
    ),
}
"""A term's name and explanation by its key."""
