"""Names of a package that are imported when they are first used, so that a program waits for what it uses only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["lazy_names"]


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
