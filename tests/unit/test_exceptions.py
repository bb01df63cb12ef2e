"""One tree of exceptions, as its docstring draws it."""

from __future__ import annotations

import re

import pytest

from mixtura import exceptions
from mixtura._optional import require_extra
from mixtura.exceptions import OptionalDependencyError


def drawn() -> dict[str, tuple[str, str]]:
    """Each name of the drawing with its parent there and the builtin in brackets."""
    tree: dict[str, tuple[str, str]] = {}
    path: list[str] = []
    for line in (exceptions.__doc__ or "").splitlines():
        found = re.match(r"^    ([│ ]*)(?:[├└]── )?([A-Z]\w+Error)(?: \((\w+)\))?", line)
        if found and ("──" in line or found[2] == "MixturaError"):
            depth = 0 if found[2] == "MixturaError" else len(found[1]) // 4 + 1
            path[depth:] = [found[2]]
            tree[found[2]] = (path[depth - 1] if depth else "Exception", found[3] or "")
    return tree


def test_the_drawing_is_the_tree() -> None:
    tree = drawn()
    assert set(tree) == {name for name in exceptions.__all__ if name.endswith("Error")}
    for name, (parent, builtin) in tree.items():
        bases = {base.__name__ for base in getattr(exceptions, name).__bases__}
        assert bases == {parent} | ({builtin} if builtin else set())


@pytest.mark.parametrize(
    ("error", "attributes"),
    [
        (
            exceptions.MissingValuesError("m", columns=["a"], rows=[3], count=2),
            {"columns": ("a",), "rows": (3,), "count": 2},
        ),
        (exceptions.MissingValuesError("m"), {"columns": (), "rows": (), "count": 0}),
        (
            exceptions.OptionalDependencyError("m", package="rich", extra="cli"),
            {"package": "rich", "extra": "cli"},
        ),
        (exceptions.ColumnError("m", column="a", closest=["b"]), {"column": "a", "closest": ("b",)}),
    ],
)
def test_errors_carry_what_a_caller_may_want(error: Exception, attributes: dict[str, object]) -> None:
    assert str(error) == "m"
    for name, value in attributes.items():
        assert getattr(error, name) == value


def test_a_library_that_is_there_but_broken_is_not_called_missing() -> None:
    with (
        pytest.raises(OptionalDependencyError, match=r"cannot be imported \(wants another NumPy\)"),
        require_extra("pyarrow", extra="cli", purpose="read tables"),
    ):
        raise ImportError("wants another NumPy")
