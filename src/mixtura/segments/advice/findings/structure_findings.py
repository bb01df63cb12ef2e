"""Findings about several columns together: modes, fit, shapes, overlap, hierarchy, normality."""

from __future__ import annotations

from mixtura.segments.advice.analyze import Analysis
from mixtura.segments.advice.findings.finding import Finding
from mixtura.segments.advice.recommend import (
    BIC_EQUAL,
    HOLLOW,
    JUMP,
    LEVEL,
    MUCH_NOISE,
    OVERLAP,
    has_clusters,
    has_levels,
    has_shapes,
)
from mixtura.segments.merging.segment_merging import VALLEY

__all__ = ["evidence_of", "structure_findings"]

_NORMALITY_LEVEL = 0.05
_HOPKINS = 0.75


def structure_findings(analysis: Analysis) -> list[Finding]:
    """Return what tests, quick fit and dense clusters show."""
    found = [_modes(analysis), _hopkins(analysis), _fit(analysis), _roundness(analysis), _shapes(analysis)]
    more = (_overlap(analysis), _merging(analysis), _levels(analysis), _normality(analysis))
    return found + [finding for finding in more if finding is not None]


def evidence_of(analysis: Analysis) -> dict[str, float | int | str]:
    """Return the numbers behind the verdict."""
    fit, dense, levels = analysis.fit, analysis.dense, analysis.levels
    return {
        "dip_p_value": analysis.clusters.p_value,
        "dip_distances_p_value": analysis.clusters.distances,
        "dip_held_out_p_value": analysis.clusters.held_out,
        "hopkins": analysis.clusters.hopkins,
        "covariance_type": fit.best.covariance_type,
        "n_components": fit.best.n_components,
        "bic_gain": fit.gain,
        "bic_loss_round": fit.round_loss,
        "bic_loss_round_in_units": fit.box_loss,
        "unequal_variances": fit.unequal,
        "smallest_group": fit.smallest,
        "overlap": fit.overlap,
        "dense_clusters": len(dense.clusters),
        "dense_noise": dense.noise,
        "dense_gap": dense.gap,
        "dense_hollow": dense.hollow,
        "dense_agreement": dense.agreement,
        "levels_jump": levels.jump,
        "levels_groups": levels.n_groups,
        "levels_leaves": levels.n_leaves,
        "cophenetic": levels.cophenetic,
        "principal_components": analysis.sample.n_axes,
        "explained_variance": analysis.sample.explained,
    }


def _modes(analysis: Analysis) -> Finding:
    clusters = analysis.clusters
    axes = ", ".join(f"{p:.2g}" for p in clusters.axes)
    found = has_clusters(analysis)
    return Finding(
        topic="clusterability",
        severity="fine" if found else "serious",
        measured=f"Hartigan's dip: p = {clusters.p_value:.2g} (principal axes {axes}; distances "
        f"{clusters.distances:.2g}; best direction, held out, {clusters.held_out:.2g}; Bonferroni)",
        value=clusters.p_value,
        threshold=LEVEL,
        meaning="The hypothesis of a single mode "
        + ("is rejected." if clusters.p_value <= LEVEL else "is not rejected.")
        + (
            " Dense clusters that are separate, or that the mixture finds too, were found nevertheless."
            if found > (clusters.p_value <= LEVEL)
            else ""
        ),
        action="" if found else "Look for other columns, or call the segments constructed.",
    )


def _hopkins(analysis: Analysis) -> Finding:
    value = analysis.clusters.hopkins
    return Finding(
        topic="crowding",
        severity="fine",
        measured=f"Hopkins' statistic {value:.2f}",
        value=value,
        threshold=_HOPKINS,
        meaning=(
            "Rows are concentrated, in clusters or in a single Gaussian; the statistic cannot distinguish the two."
            if value > _HOPKINS
            else "Rows are spread nearly uniformly (0.5)."
        ),
        action="",
    )


def _fit(analysis: Analysis) -> Finding:
    best, gain = analysis.fit.best, analysis.fit.gain
    plural = "" if best.n_components == 1 else "s"
    return Finding(
        topic="quick fit",
        severity="fine",
        measured=f"{best.covariance_type} with {best.n_components} component{plural} has the smallest BIC, "
        f"{gain:,.0f} below a single one",
        value=gain,
        threshold=BIC_EQUAL,
        meaning="Several Gaussians describe the rows better than one."
        if gain > BIC_EQUAL
        else "A single Gaussian is enough.",
        action="",
    )


def _roundness(analysis: Analysis) -> Finding:
    fit = analysis.fit
    loss = min(fit.round_loss, fit.box_loss)
    return Finding(
        topic="roundness",
        severity="fine",
        measured=f"BIC of equal round components: {fit.round_loss:,.0f} above the best; with one spread per column "
        f"{fit.box_loss:,.0f}",
        value=loss,
        threshold=BIC_EQUAL,
        meaning="K-means assumes such groups; here "
        + (
            "they describe the rows as well as any."
            if loss <= BIC_EQUAL
            else "groups differ in spread or direction."
        ),
        action="",
    )


def _shapes(analysis: Analysis) -> Finding:
    dense, bent = analysis.dense, has_shapes(analysis)
    described = len(dense.clusters) > 1 and dense.noise <= MUCH_NOISE
    if bent:
        meaning = "Clusters are bent or hollow; a mixture divides each into several components."
    elif described:
        meaning = "Dense clusters are convex, like Gaussians."
    else:
        meaning = "HDBSCAN does not describe the rows: too few are in a dense cluster."
    number = len(dense.clusters)
    return Finding(
        topic="shapes",
        severity="serious" if bent else "fine",
        measured=f"HDBSCAN: {number} dense cluster{'' if number == 1 else 's'}, {dense.noise:.0%} of the rows in none; "
        f"{dense.hollow:.0%} empty midpoints; adjusted Rand index with the components {dense.agreement:.2f}",
        value=dense.hollow,
        threshold=HOLLOW,
        meaning=meaning,
        action="Use HDBSCAN for groups." if bent else "",
    )


def _overlap(analysis: Analysis) -> Finding | None:
    if analysis.fit.best.n_components == 1:
        return None
    value = analysis.fit.overlap
    much = value > OVERLAP
    return Finding(
        topic="overlap",
        severity="notable" if much else "fine",
        measured=f"{value:.1%} of the rows would be on the wrong side of a border",
        value=value,
        threshold=OVERLAP,
        meaning="Components overlap." if much else "Components hardly overlap.",
        action="Use memberships, not only the most probable segment." if much else "",
    )


def _merging(analysis: Analysis) -> Finding | None:
    number = analysis.n_merged
    if number is None:
        return None
    k = analysis.fit.best.n_components
    first = analysis.merging.steps[0]
    return Finding(
        topic="merging",
        severity="notable",
        measured=f"{k} components are {number} groups: between the two that overlap most the density falls to "
        f"{first.valley:.0%} of the lower peak",
        value=first.valley,
        threshold=round(VALLEY, 2),
        meaning="Several components describe one group that is not Gaussian.",
        action="Make one segment of such components: `merge='auto'`.",
    )


def _levels(analysis: Analysis) -> Finding | None:
    levels = analysis.levels
    if not has_levels(analysis):
        return None
    return Finding(
        topic="hierarchy",
        severity="serious",
        measured=f"{levels.n_leaves} clusters in {levels.n_groups} groups; distances jump by {levels.jump:.1f}",
        value=levels.jump,
        threshold=JUMP,
        meaning="Two numbers of segments are right, one on each level.",
        action="Segment on both levels.",
    )


def _normality(analysis: Analysis) -> Finding | None:
    tested = analysis.normality
    if not tested:
        return None
    level = _NORMALITY_LEVEL / len(tested)
    bad = [one for one in tested if one.rejected(level)]
    d = analysis.fit.mixture.n_features
    normal = d * (d + 2)
    worst = max(tested, key=lambda one: abs(one.mardia.kurtosis / normal - 1))
    smallest = min(min(one.mardia.skewness_p, one.mardia.kurtosis_p, one.energy_p) for one in tested)
    return Finding(
        topic="normality",
        severity="notable" if bad else "fine",
        measured=f"{len(bad)} of {len(tested)} components are not normal (Mardia's skewness and kurtosis, energy test; "
        f"smallest p {smallest:.2g}; furthest kurtosis {worst.mardia.kurtosis:.1f}, of a normal {normal})",
        value=len(bad) / len(tested),
        threshold=None,
        meaning="Components are not Gaussian; several of them may describe one group."
        if bad
        else "The components are consistent with Gaussians.",
        action="Transform skewed columns, or interpret close components as one group." if bad else "",
    )
