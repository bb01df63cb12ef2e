"""Optional dependencies: imported where they are used, with what to install where one is missing; and their arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mixtura.exceptions import DataError, OptionalDependencyError

__all__ = ["as_numpy", "require_extra"]


@contextmanager
def require_extra(package: str, *, extra: str, purpose: str) -> Iterator[None]:
    """Turn a failed import inside the block into a message that names the extra.

    Parameters
    ----------
    package : str
        The package as it is installed, for example ``"pyarrow"``.
    extra : str
        The extra of mixtura that brings it.
    purpose : str
        What it is needed for, to complete "... is needed to".

    Raises
    ------
    OptionalDependencyError
        The package is not installed, or cannot be imported; the message gives the reason.

    Examples
    --------
    >>> from mixtura._optional import require_extra
    >>> with require_extra("no-such-package", extra="cli", purpose="show an example"):
    ...     import no_such_package
    Traceback (most recent call last):
        ...
    mixtura.exceptions.OptionalDependencyError: 'no-such-package' is not installed. It is needed to show an \
example. Install it with: pip install "mixtura[cli]"
    """
    try:
        yield
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError)
        state = "is not installed" if absent else f"cannot be imported ({error})"
        message = (
            f'{package!r} {state}. It is needed to {purpose}. Install it with: pip install "mixtura[{extra}]"'
        )
        raise OptionalDependencyError(message, package=package, extra=extra) from error


def as_numpy(values: Any, name: str) -> Any:
    """Return an array of another library as NumPy's, without a copy where it can be; all else as it is.

    What torch would differentiate is taken by its values: nothing is learned of gradients here.

    Parameters
    ----------
    values : object
    name : str
        What it is called in the error.

    Raises
    ------
    DataError
        NumPy cannot read it: it lies on a GPU, is sparse, or of a type that NumPy lacks, such as bfloat16.

    Examples
    --------
    >>> from mixtura._optional import as_numpy
    >>> as_numpy([1.0, 2.0], "X")
    [1.0, 2.0]
    """
    import numpy as np

    if isinstance(values, np.ndarray) or not (
        hasattr(values, "__array_namespace__") or hasattr(values, "__dlpack__")
    ):
        return values
    given = values.detach() if getattr(values, "requires_grad", False) else values
    for convert in (np.asarray, np.from_dlpack):
        try:
            array = convert(given)
        except (TypeError, ValueError, RuntimeError, BufferError, AttributeError):
            continue
        if array.dtype != object:
            return array
    kind = f"{type(values).__module__}.{type(values).__name__}"
    raise DataError(
        f"`{name}` must be an array that NumPy can read; got {kind} of {getattr(values, 'dtype', 'an unknown type')!s} "
        f"on device {getattr(values, 'device', 'unknown')!s}. Give a dense one of real numbers in main memory, for "
        f"torch {name}.to_dense().double().cpu()."
    )
