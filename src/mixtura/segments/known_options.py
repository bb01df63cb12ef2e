"""Names of options that are passed on: one that nobody has is refused before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["require_options"]

_ELSEWHERE = {
    **dict.fromkeys(
        ("n_components", "n_clusters", "n_segments", "clusters", "segments", "k", "G"), "components"
    ),
    **dict.fromkeys(("covariance_type", "modelNames", "model_names", "families"), "covariance_types"),
    **dict.fromkeys(("seed", "rng"), "random_state"),
    **dict.fromkeys(("id", "ids", "customer_id", "index"), "id_column"),
    **dict.fromkeys(("features", "variables", "usecols"), "columns"),
    **dict.fromkeys(("weights", "sample_weight"), "weight"),
    **dict.fromkeys(("n_starts", "restarts"), "n_init"),
    **dict.fromkeys(("n_boot", "nboot", "n_resamples", "n_samples"), "n_bootstraps"),
}
"""What is called so in scikit-learn, pandas, mclust or in talk."""


def require_options(called: str, options: Iterable[str], *functions: Callable[..., Any]) -> None:
    """Raise TypeError where no function has a parameter of the name of an option; it says which may be meant.

    Parameters
    ----------
    called : str
        What was called with the options.
    options : iterable of str
        Their names.
    *functions : callable
        What they may be passed on to.

    Examples
    --------
    >>> from mixtura.segments import segment_table
    >>> from mixtura.segments.known_options import require_options
    >>> require_options("Segmentation.fit", ["n_clusters"], segment_table)
    Traceback (most recent call last):
    TypeError: `n_clusters` is not a parameter of `Segmentation.fit`; try `components`.
    """
    from inspect import signature

    known = [name for function in functions for name in _named(signature(function).parameters.values())]
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        meant = [name for name in (_ELSEWHERE.get(unknown), *_similar(unknown, known)) if name in known]
        some = meant[:1] or sorted(set(known))
        listed = ", ".join(f"`{name}`" for name in some)
        raise TypeError(f"`{unknown}` is not a parameter of `{called}`; try {listed}.")


def _named(parameters: Iterable[Any]) -> Iterable[str]:
    return (one.name for one in parameters if one.kind is one.KEYWORD_ONLY)


def _similar(name: str, known: list[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, known, n=1, cutoff=0.75)
