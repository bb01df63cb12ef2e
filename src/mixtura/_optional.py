"""Optional dependencies, imported where they are used, and the arrays of numbers of any library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from numbers import Real
from reprlib import repr as shortened
from typing import Any

import numpy as np
import numpy.typing as npt

from mixtura._typing import Array, FloatArray
from mixtura.exceptions import DataError, OptionalDependencyError

__all__ = ["as_numbers", "as_numpy", "require_extra"]


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


_MISSING = {"NoneType", "NAType", "NaTType"}
"""Types of missing values; pandas' are known by name, as it need not be there."""


def as_numpy(values: Any, name: str) -> Any:
    """Return an array of another library as NumPy's, without a copy where it can be; all else as it is.

    What torch would differentiate is taken by its values: nothing is learned of gradients here. What an array masks is
    missing, NaN.

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
    if isinstance(values, np.ma.MaskedArray):
        return _without_mask(values)
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


def _without_mask(values: Any) -> Array:
    """Return a masked array as a plain one, NaN where it is masked."""
    if not np.ma.is_masked(values):
        return np.asarray(values.data)
    dtype = values.dtype if values.dtype.kind == "f" else np.float64
    return np.asarray(values.astype(dtype).filled(np.nan))


def as_numbers(name: str, values: npt.ArrayLike) -> Array:
    """Return an array of numbers; raise `DataError` if there is anything else.

    Numbers may be Python objects, as in frames whose columns have types of several kinds; missing ones are NaN.

    Examples
    --------
    >>> from decimal import Decimal
    >>> from mixtura._optional import as_numbers
    >>> as_numbers("Rows", [[Decimal("1.5"), None], [2, 3.0]])
    array([[1.5, nan],
           [2. , 3. ]])
    """
    if hasattr(values, "toarray"):
        raise DataError(f"{name} must be a dense array; got a sparse one. Try `rows.toarray()`.")
    try:
        array: Array = np.asarray(as_numpy(values, name.lower()))
    except ValueError as error:
        raise DataError(f"{name} must form an array; {error} Give rows of one length.") from error
    if array.dtype.kind in "OUS":
        return _numbers_of_objects(name, array.astype(object))
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"{name} must be numbers; got type {array.dtype.name!r}. Convert or drop other values."
        )
    return array


def _numbers_of_objects(name: str, array: Array) -> FloatArray:
    """Return objects that are real numbers, or missing, as float64."""
    kinds = {type(value) for value in array.flat}
    missing = {kind for kind in kinds if kind.__name__ in _MISSING}
    others = {kind for kind in kinds - missing if not issubclass(kind, Real | Decimal | np.bool_)}
    for place, value in np.ndenumerate(array) if others else ():
        if type(value) in others:
            where = "".join(f" {word} {at}" for word, at in zip(("in row", "of column"), place, strict=False))
            raise DataError(
                f"{name} must be numbers; got {shortened(value)}{where}. Convert or drop other values."
            )
    absent = np.asarray(np.frompyfunc(lambda value: type(value) in missing, 1, 1)(array), dtype=bool)
    try:
        return np.where(absent, np.nan, array).astype(np.float64)
    except OverflowError as error:
        raise DataError(f"{name} must be below 1e308; got larger ones. Rescale them.") from error
