"""What is imported when it is first used, so that a program waits for what it uses only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

__all__ = ["lazy_names", "load_lapack", "when_lapack_comes"]

_LAPACK = "scipy.linalg.lapack"

_waiting: list[Callable[[], object]] = []


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package (PEP 562), which lists all public names in ``__all__``.

    The package imports the same names under ``TYPE_CHECKING``, for type checkers and editors, and assigns what this
    returns under ``not TYPE_CHECKING``: a type checker that sees ``__getattr__`` takes every name for one. A name that
    a module of the package has, too, cannot be among them: Python would give the module once that is imported.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        From a module within the package to the names that come from it, with spaces in between.

    Examples
    --------
    >>> from mixtura._lazy import lazy_names
    >>> get, names = lazy_names("mixtura", {"kernels": "build_info", "run": "get_threads set_threads"})
    >>> get("get_threads").__name__
    'get_threads'
    """
    home_of = {name: f"{package}.{home}" for home, names in homes.items() for name in names.split()}

    def get(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home_of[name]), name)
        # From here on the name is found without asking again.
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(sys.modules[package].__all__)


@cache
def load_lapack() -> ModuleType:
    """Return SciPy's LAPACK, imported when it is first used: that takes longer than many a fit of small matrices.

    Examples
    --------
    >>> from mixtura._lazy import load_lapack
    >>> lower, info = load_lapack().dpotrf([[4.0, 0.0], [0.0, 9.0]], lower=1)
    >>> lower.diagonal().tolist()
    [2.0, 3.0]
    """
    is_new = _LAPACK not in sys.modules
    lapack = import_module(_LAPACK)
    if is_new:
        for came in _waiting:
            came()
    return lapack


def when_lapack_comes(came: Callable[[], object]) -> None:
    """Call this as soon as LAPACK is there, which brings a BLAS of its own with as many threads as there are cores."""
    _waiting.append(came)
