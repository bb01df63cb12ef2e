"""Documents of earlier formats brought to the present one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixtura.exceptions import DataError

__all__ = ["FORMAT", "FORMAT_VERSION", "upgraded"]

FORMAT = "mixtura-summary"
FORMAT_VERSION = 3

_ROLES = {"builds": "active", "describes": "descriptive"}
_NAMED = {
    "covariance_type",
    "n_components",
    "n_parameters",
    "log_likelihood",
    "n_iter",
    "converged",
    "outcome",
}
_NAMED |= {"failure", "cv_failure", "criterion", "seed", "n_init", "n_folds"}

Content = dict[str, Any]


def upgraded(content: Mapping[str, Any]) -> Content:
    """Return a document of the present format.

    Raises
    ------
    DataError
        It is not a document of mixtura, or of a format that this version does not know, or a summary of format 2
        without the parts of the report.
    """
    version = content.get("format_version")
    if content.get("format") != FORMAT or not isinstance(version, int) or version < 1:
        raise DataError("This is not a summary of mixtura. A summary.json that mixtura wrote is required.")
    if version > FORMAT_VERSION:
        raise DataError(
            f"The summary has format {version}; this version of mixtura reads formats up to {FORMAT_VERSION}. "
            "Update mixtura."
        )
    if version == FORMAT_VERSION:
        return {"selection": None, "known": None, "kept": None, "merging": None} | dict(content)
    if "verdict" not in content:
        raise DataError(
            f"The summary of format {version} has no parts of the report. A summary.json that `mixtura segment` wrote "
            "is required. Write it again."
        )
    return _from_2(content)


def _from_2(content: Mapping[str, Any]) -> Content:
    """Format 3 has the names of the field, criteria under their own key, and one list of ambiguous customers."""
    found = dict(content) | {"format_version": FORMAT_VERSION, "selection": None}
    found |= {"known": None, "kept": None, "merging": None}
    between = found.pop("between")
    found |= {
        "table": _renamed(content["table"], {"columns": "active", "describe": "descriptive"}),
        "choice": _renamed(_candidate(content["choice"]), {"criterion": "criterion_name"}),
        "candidates": [_candidate(one) for one in content["candidates"]],
        "population": _without(content["population"], {"means", "standard_deviations"}),
        "segments": [_segment(one) for one in content["segments"]],
        "certainty": _certainty(content["certainty"]),
        "ambiguous": {"share": None}
        | between
        | {"customers": [_ambiguous(one) for one in between["customers"]]},
        "least_certain": [_least_certain(one) for one in content["ambiguous"]],
        "anomalies": {"share": None} | content["anomalies"],
        "kmeans": _kmeans(content["kmeans"]),
        "stability": _stability(content["stability"]),
        "diagnostics": _renamed(content["diagnostics"], {"passed_over": "excluded"}),
        "verdict": {"ambiguous_share": _ambiguous_share(content["certainty"])} | content["verdict"],
    }
    return found


def _renamed(part: Mapping[str, Any], names: Mapping[str, str]) -> Content:
    return {names.get(key, key): value for key, value in part.items()}


def _without(part: Mapping[str, Any], names: set[str]) -> Content:
    return {key: value for key, value in part.items() if key not in names}


def _candidate(one: Mapping[str, Any]) -> Content:
    criteria = _without(one, _NAMED)
    return {key: value for key, value in one.items() if key in _NAMED} | {"criteria": criteria}


def _segment(one: Mapping[str, Any]) -> Content:
    return dict(one) | {
        "numbers": [held | {"role": _ROLES.get(held["role"], held["role"])} for held in one["numbers"]]
    }


def _ambiguous_share(certainty: Mapping[str, Any]) -> float:
    return float(certainty.get("ambiguous_share", certainty["n_ambiguous"] / certainty["total_weight"]))


def _certainty(part: Mapping[str, Any]) -> Content:
    found = _renamed(part, {"between": "ambiguity_matrix"}) | {"ambiguous_share": _ambiguous_share(part)}
    bands = [{"share": None} | _renamed(one, {"from": "lower", "to": "upper"}) for one in part["bands"]]
    return found | {"bands": bands}


def _ambiguous(one: Mapping[str, Any]) -> Content:
    return _renamed(one, {"first_share": "first_membership", "second_share": "second_membership"})


def _least_certain(one: Mapping[str, Any]) -> Content:
    held = one["memberships"]
    first, second = sorted(range(len(held)), key=lambda k: -held[k])[:2]
    return dict(one) | {"first": first + 1, "second": second + 1}


def _kmeans(part: Mapping[str, Any]) -> Content:
    found = _renamed(
        part,
        {
            "certainty_stayed": "certainty_retained",
            "elongation": "axis_ratio",
            "cuts": "split",
            "joins": "merged",
        },
    )
    return found | {"split": [_renamed(one, {"elongation": "axis_ratio"}) for one in found["split"]]}


def _stability(part: Mapping[str, Any] | None) -> Content | None:
    if part is None:
        return None
    flows = [_renamed(one, {"stayed": "retention"}) for one in part["flows"]]
    return _without(part, {"flows"}) | {"transitions": flows}
