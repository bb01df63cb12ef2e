"""Optional dependencies: imported where they are used; when one is missing, the error says how to install it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mixtura.exceptions import OptionalDependencyError

__all__ = ["require_extra"]


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
