"""From measurements to a recommendation, with every threshold and its source."""

from __future__ import annotations

from mixtura.core.covariance import count_parameters
from mixtura.segments.advice.analyze import FEWEST_ROWS, Analysis
from mixtura.segments.advice.evidence.clusterability import Clusterability
from mixtura.segments.advice.evidence.density_clusters import NEIGHBORS, DenseClusters, smallest_cluster
from mixtura.segments.advice.findings.capacity import TINY
from mixtura.segments.advice.findings.finding import Arguments, Recommendation

__all__ = [
    "AGREEMENT",
    "BIC_EQUAL",
    "GAP",
    "HOLLOW",
    "JUMP",
    "LEVEL",
    "MUCH_NOISE",
    "OVERLAP",
    "decide",
    "has_clusters",
    "has_levels",
    "has_shapes",
    "is_round",
    "modes_reason",
    "round_family",
    "show_clusters",
    "too_few",
]

LEVEL = 0.01
"""Of the test for clusters. Simulated normal, uniform, exponential and t(3) tables were rejected less often."""

GAP = 1.15
"""Several dense clusters count as evidence from here on. Noise in two columns and more that leaves few rows out has at
most 1.06 (normal, uniform, exponential, t(3) and lognormal tables of 30 to 500 rows), visible groups 1.2 to 10. In one
column noise reaches 1.5, and the dip test alone decides."""

AGREEMENT = 0.9
"""Adjusted Rand index of dense clusters with components that hardly overlap. Those of noise overlap by
about 10 percent."""

HOLLOW = 0.2
"""Share of empty midpoints. Crescents have 0.27 to 0.38, rings 0.45 to 0.70; stretched groups that touch at most
0.13."""

MUCH_NOISE = 0.3
"""With a larger share of rows in no dense cluster, HDBSCAN has not described the table. Noise mostly has 0.4 to 1."""

JUMP = 3.0
"""Of merging distances. At most 1.5 percent of flat sets of 4 to 9 random centers jump further; groups of groups
reach 5 to 6."""

BIC_EQUAL = 10.0
"""Differences in BIC above 10 are strong (Kass and Raftery 1995)."""

OVERLAP = 0.02
"""Expected share of rows on the wrong side; two round groups four standard deviations apart have 2.3 percent."""

_SCALED = "sklearn.preprocessing.scale(rows)"

_EVEN = 0.5
_ROUND = 1.5


def has_clusters(analysis: Analysis) -> bool:
    """Return whether there is more than one mode, or dense clusters that stand apart, or that the mixture has too.

    Components that hardly overlap and agree with dense clusters are evidence: two independent methods
    found the same groups.
    """
    n_columns = analysis.sample.scaled.shape[1]
    return show_clusters(analysis.clusters, analysis.dense, analysis.fit.overlap, n_columns)


def show_clusters(modes: Clusterability, dense: DenseClusters, overlap: float, n_columns: int) -> bool:
    """Return the same of its parts: tests for modes, dense clusters, and the overlap of a mixture's components."""
    several = len(dense.clusters) > 1 and n_columns > 1
    gaps = several and dense.gap >= GAP and dense.noise <= MUCH_NOISE
    agreed = several and dense.agreement >= AGREEMENT and overlap <= OVERLAP
    return modes.p_value <= LEVEL or gaps or agreed


def has_shapes(analysis: Analysis) -> bool:
    """Return whether dense clusters are bent or hollow."""
    dense = analysis.dense
    apart = len(dense.clusters) > 1 and dense.noise <= MUCH_NOISE
    return apart and dense.hollow >= HOLLOW


def has_levels(analysis: Analysis) -> bool:
    """Return whether there are clusters of clusters."""
    return analysis.levels.jump >= JUMP


def round_family(analysis: Analysis) -> str | None:
    """Return the family of equal round components that describes the rows as well as the best, if one does."""
    if analysis.fit.round_loss <= BIC_EQUAL:
        return "EII"
    return "EEI" if analysis.fit.box_loss <= BIC_EQUAL and analysis.fit.unequal <= _ROUND else None


def is_round(analysis: Analysis) -> bool:
    """Return whether groups are round, of one spread, of similar size, and hardly overlap."""
    return (
        round_family(analysis) is not None
        and analysis.fit.smallest >= _EVEN
        and analysis.fit.overlap <= OVERLAP
    )


def decide(analysis: Analysis, n_columns: int, n_rows: int, segment: Arguments) -> Recommendation:
    """Return the recommendation; the first of these whose condition holds.

    ``pca`` where two components with one covariance have more parameters than there are rows, ``none`` if these are
    fewer than 50; ``none`` without clusters; ``hdbscan`` for bent or hollow ones; ``hierarchical`` for clusters of
    clusters; ``kmeans`` for round, equal ones; ``gmm``.

    Parameters
    ----------
    analysis : Analysis
    n_columns : int
        Before principal components.
    n_rows : int
        Of the table, before the sample was drawn.
    segment : mapping of str to object
        Arguments of `segment_table` that every recommendation needs.
    """
    if analysis.sample.n_axes:
        return _pca(analysis, n_columns)
    if not has_clusters(analysis):
        return _none(analysis, segment)
    if has_shapes(analysis):
        return _hdbscan(analysis, n_rows, segment)
    if has_levels(analysis):
        return _hierarchical(analysis, segment)
    return _kmeans(analysis, segment) if is_round(analysis) else _gmm(analysis, segment)


def too_few(n_rows: int) -> Recommendation:
    """Return the recommendation for a table with fewer than `FEWEST_ROWS` rows."""
    return Recommendation(
        method="none",
        title="Too few rows to find clusters in",
        reasons=(f"{n_rows} complete rows; nothing is fitted to fewer than {FEWEST_ROWS}.",),
        steps=("Add rows.",),
        arguments=None,
    )


def modes_reason(modes: Clusterability) -> str:
    """Say what the dip test finds."""
    p = modes.p_value
    side = "more than one mode" if p <= LEVEL else "a single mode"
    bound = "at most " if p <= 0.001 else ""
    return f"The dip test finds {side} (p {bound}{max(p, 0.001):.2g}, threshold {LEVEL})."


def _fitted(analysis: Analysis) -> str:
    best = analysis.fit.best
    if best.n_components == 1:
        return f"The best quick fit is {best.covariance_type} with 1 component; further ones do not lower its BIC."
    return (
        f"The best quick fit is {best.covariance_type} with {_count(best.n_components, 'component')}; its BIC is "
        f"{analysis.fit.gain:,.0f} smaller than that of a single one."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _pca(analysis: Analysis, n_columns: int) -> Recommendation:
    sample, n_rows = analysis.sample, len(analysis.sample.scaled)
    found = "show clusters" if has_clusters(analysis) else "show no clusters"
    few = n_rows < TINY
    reduced = f"sklearn.decomposition.PCA({sample.n_axes}).fit_transform({_SCALED})"
    return Recommendation(
        method="none" if few else "pca",
        title="Too few rows for these columns"
        if few
        else "Principal components first: more columns than the rows support",
        reasons=(
            (
                f"{n_columns} columns: two components with one covariance between them have "
                f"{count_parameters('tied', 2, n_columns):,} parameters, and there are {n_rows:,} rows."
            ),
            f"{_count(sample.n_axes, 'principal component')} hold {sample.explained:.0%} of the variance and {found}. "
            + modes_reason(analysis.clusters),
            _fitted(analysis),
        ),
        steps=(
            "Add rows, or choose a few `columns`."
            if few
            else f"Reduce the columns: {reduced}{_where_rows(analysis, 'decomposition')} Or choose a few `columns`.",
            "Get advice on these, and segment them.",
        ),
        arguments=None,
    )


def _where_rows(analysis: Analysis, package: str) -> str:
    """Return what a call needs before it: what is imported, and what is done with skewed columns."""
    logged = analysis.sample.logged
    of = f" (of {', '.join(logged)} log(1 + x))" if logged else ""
    return f" after import sklearn.{package}, sklearn.preprocessing; rows are the columns used{of}."


def _none(analysis: Analysis, segment: Arguments) -> Recommendation:
    dense = analysis.dense
    reasons = [modes_reason(analysis.clusters), _fitted(analysis)]
    if analysis.fit.best.n_components == 1:
        reasons.append("A single Gaussian describes the rows best.")
    else:
        reasons.append(
            "Without gaps between them these components describe one non-Gaussian cluster, and the borders between "
            "them are arbitrary."
        )
    reasons.append(
        f"HDBSCAN finds {_count(len(dense.clusters), 'dense cluster')} and leaves {dense.noise:.0%} of the rows out."
    )
    return Recommendation(
        method="none",
        title="No clusters were found"
        if analysis.fit.best.n_components == 1
        else "No separate clusters were found",
        reasons=tuple(reasons),
        steps=(
            "Look for other columns in which customers differ.",
            "If you still need segments, a mixture divides the cluster softly: say that they are constructed.",
        ),
        arguments=segment if analysis.fit.best.n_components > 1 else None,
    )


def _hdbscan(analysis: Analysis, n_rows: int, segment: Arguments) -> Recommendation:
    dense = analysis.dense
    most = max(cluster.n_components for cluster in dense.clusters)
    sizes = f"min_cluster_size={smallest_cluster(n_rows)}, min_samples={NEIGHBORS}"
    call = f"sklearn.cluster.HDBSCAN({sizes}, copy=True).fit_predict({_SCALED})"
    return Recommendation(
        method="hdbscan",
        title="Clusters are bent or hollow: HDBSCAN",
        reasons=(
            (
                f"{dense.hollow:.0%} of the midpoints within a dense cluster lie where it has no rows (threshold "
                f"{HOLLOW:.0%}): it is bent or hollow, unlike a Gaussian."
            ),
            (
                f"A mixture needs up to {most} components for one of {len(dense.clusters)} dense clusters; "
                f"their agreement (adjusted Rand index) is {dense.agreement:.2f}."
            ),
            (
                f"Between dense clusters the distance is {dense.gap:.1f} times the usual one within; "
                f"{dense.noise:.0%} of the rows are in none."
            ),
        ),
        steps=(
            f"{call}{_where_rows(analysis, 'cluster')}",
            "A mixture still describes the density (anomalies, samples); do not use its components as segments.",
            "Components without a valley between them, merged, may be segments.",
        ),
        arguments={**segment, "merge": "auto"},
    )


def _hierarchical(analysis: Analysis, segment: Arguments) -> Recommendation:
    levels = analysis.levels
    return Recommendation(
        method="hierarchical",
        title="Clusters of clusters: a hierarchical method",
        reasons=(
            (
                f"{levels.n_leaves} clusters lie in {levels.n_groups} groups: up to {levels.within:.1f} standard "
                f"deviations apart within a group, from {levels.between:.1f} on between groups, "
                f"{levels.jump:.1f} times as far (threshold {JUMP:g})."
            ),
            f"The correlation of distances with the dendrogram is {levels.cophenetic:.2f}.",
            modes_reason(analysis.clusters),
        ),
        steps=(
            f"scipy.cluster.hierarchy.linkage({_SCALED}, 'ward') shows both levels.",
            f"Segment twice: the table into {levels.n_groups}, then each segment; or into {levels.n_leaves} at once.",
        ),
        arguments={**segment, "components": [levels.n_groups, levels.n_leaves]},
    )


def _kmeans(analysis: Analysis, segment: Arguments) -> Recommendation:
    fit, family = analysis.fit, round_family(analysis)
    k = fit.best.n_components
    loss = fit.round_loss if family == "EII" else fit.box_loss
    where = "standardized columns" if family == "EII" else "the columns' own units"
    where += ", logged where skewed" if analysis.sample.logged else ""
    return Recommendation(
        method="kmeans",
        title="Round groups of equal spread: K-means is enough",
        reasons=(
            (
                f"Equal round components describe the rows as well as any: their BIC is {loss:.1f} above the best "
                f"(threshold {BIC_EQUAL:g}), in {where}."
            ),
            f"{k} groups hardly overlap: {fit.overlap:.2%} of the rows are misplaced (threshold {OVERLAP:.0%}).",
            f"The smallest has {fit.smallest:.0%} of the rows of the largest (threshold {_EVEN:.0%}).",
            modes_reason(analysis.clusters),
        ),
        steps=(
            f"mixtura.KMeans({k}).fit({_SCALED if family == 'EII' else 'rows'}) is enough.",
            "A mixture of equal round components gives the same groups, with memberships and anomalies.",
        ),
        arguments={**segment, "components": [k], "covariance_types": [family]},
    )


def _gmm(analysis: Analysis, segment: Arguments) -> Recommendation:
    fit = analysis.fit
    loss = min(fit.round_loss, fit.box_loss)
    reasons = [modes_reason(analysis.clusters), _fitted(analysis)]
    if loss > BIC_EQUAL:
        reasons.append(
            f"Groups are not round and equal: the BIC of such components is {loss:,.0f} larger (threshold "
            f"{BIC_EQUAL:g}), and K-means would cut across them."
        )
    elif round_family(analysis) is None:
        reasons.append(
            f"Groups are not round: the variance of one column is {fit.unequal:,.1f} times that of another within "
            f"groups (threshold {_ROUND:g}), and K-means would cut across them."
        )
    else:
        reasons.append(
            f"Groups are round, but K-means would misplace some: {fit.overlap:.1%} of the rows lie in the overlap, the "
            f"smallest group is {fit.smallest:.0%} of the largest."
        )
    if fit.overlap > OVERLAP:
        reasons.append(
            f"Groups overlap: {fit.overlap:.1%} of the rows would be on the wrong side of a border. Use memberships."
        )
    if analysis.n_merged is not None:
        reasons.append(
            f"Some of the {fit.best.n_components} components overlap without a valley between them: they are parts of "
            f"groups that are not Gaussian, {analysis.n_merged} in all. Each becomes one segment."
        )
        segment = {**segment, "merge": "auto"}
    return Recommendation(
        method="gmm",
        title="A Gaussian mixture suits",
        reasons=tuple(reasons),
        steps=("Segment the table.",),
        arguments=segment,
    )
