"""Which kernel runs: by name, or the fastest one (`auto`).

The variables ``MIXTURA_KERNEL`` (``auto``, ``native``, ``numpy``) and ``MIXTURA_INSTRUCTION_SET``
(``baseline``, ``avx2``, ``avx512``) say what `auto` means. What is asked for by name is given or
refused, never replaced.
"""

from __future__ import annotations

import os
import platform
from functools import cache

import numpy as np

from mixtura._typing import FloatArray, IntArray, RowArray
from mixtura.exceptions import KernelUnavailableError
from mixtura.kernels import native
from mixtura.kernels.algebra import Algebra
from mixtura.kernels.contract import Components, Kernel, Outputs, accumulate_parts
from mixtura.kernels.native_algebra import NativeAlgebra, why_not_native
from mixtura.kernels.reference import NumpyKernel

__all__ = [
    "NUMPY_FROM_FEATURES",
    "available_kernels",
    "build_info",
    "evaluate_rows",
    "get_algebra",
    "get_kernel",
]

NUMPY_FROM_FEATURES: int | None = None
"""Number of columns from which `auto` takes the numpy kernel; None: never."""


def get_kernel(
    name: str = "auto", *, n_features: int | None = None, instruction_set: str | None = None
) -> Kernel:
    """Return the kernel of this name; the same object for the same question.

    Parameters
    ----------
    name : {"auto", "native", "numpy"}, default="auto"
    n_features : int or None, default=None
        How many columns the rows have, where that is known; only `auto` looks at it.
    instruction_set : {"baseline", "avx2", "avx512", "blas"} or None, default=None
        What the native core was compiled for; None takes the best this machine has.

    Returns
    -------
    Kernel

    Raises
    ------
    KernelUnavailableError
        If this installation or this machine lacks what was asked for by name.

    Examples
    --------
    >>> get_kernel("numpy").name
    'numpy'
    """
    if name == "auto":
        name = os.environ.get("MIXTURA_KERNEL") or "auto"
    if instruction_set is None and name != "numpy":
        instruction_set = os.environ.get("MIXTURA_INSTRUCTION_SET") or None
    if name == "auto":
        name = _fastest(n_features, instruction_set)
    return _kernel(name, instruction_set)


@cache
def get_algebra() -> Algebra:
    """Return the algebra between passes: the compiled one where it is there, unless ``MIXTURA_KERNEL`` is ``numpy``.

    The variables are read when it is first asked for.
    """
    if os.environ.get("MIXTURA_KERNEL") == "numpy" or why_not_native() is not None:
        from mixtura.kernels.numpy_algebra import NumpyAlgebra

        return NumpyAlgebra()
    return NativeAlgebra(os.environ.get("MIXTURA_INSTRUCTION_SET") or None)


def evaluate_rows(
    rows: RowArray,
    components: Components,
    outputs: Outputs,
    *,
    sample_weight: FloatArray | None = None,
    sums: FloatArray | None = None,
    order: IntArray | None = None,
    levels: IntArray | None = None,
) -> None:
    """Evaluate rows in memory on the calling thread, with the kernel that `auto` means; see `Kernel.accumulate`."""
    kernel = get_kernel(n_features=components.n_features)
    accumulate_parts(kernel, rows, sample_weight, components, sums, outputs, order=order, levels=levels)


def available_kernels() -> tuple[str, ...]:
    """Return the names `get_kernel` can give here, the fastest first.

    Examples
    --------
    >>> "numpy" in available_kernels()
    True
    """
    return ("native", "numpy") if native.is_built() else ("numpy",)


def build_info() -> dict[str, object]:
    """Return what was built, what runs here, and why.

    Returns
    -------
    dict
        ``kernel``, ``instruction_set``: what `auto` gives. ``compiled``: whether the native core is
        there; ``reason``: why not, or None. ``algebra``: what works between passes, ``"native"`` or ``"numpy"``;
        ``algebra_reason``: why it is not compiled, or None. ``compiler``, ``built``, ``supported``: of the native
        core, its compiler, the instruction sets it was compiled for, and those this machine has.
        ``numpy``, ``python``, ``machine``: versions.

    Examples
    --------
    >>> sorted(build_info())[2:5]
    ['built', 'compiled', 'compiler']
    """
    chosen = get_kernel()
    return {
        "kernel": chosen.name,
        "instruction_set": chosen.instruction_set,
        "compiled": native.is_built(),
        "reason": native.why_not_built(),
        "algebra": get_algebra().name,
        "algebra_reason": why_not_native(),
        "compiler": native.compiler(),
        "built": native.built_instruction_sets(),
        "supported": native.supported_instruction_sets(),
        "numpy_from_features": NUMPY_FROM_FEATURES,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def _fastest(n_features: int | None, instruction_set: str | None) -> str:
    if instruction_set == "blas" or not native.is_built():
        return "numpy" if instruction_set in (None, "blas") else "native"
    wide = NUMPY_FROM_FEATURES is not None and n_features is not None and n_features >= NUMPY_FROM_FEATURES
    return "numpy" if wide and instruction_set is None else "native"


@cache
def _kernel(name: str, instruction_set: str | None) -> Kernel:
    if name == "native":
        return native.NativeKernel(instruction_set)
    if name != "numpy":
        raise KernelUnavailableError(
            f"There is no kernel {name!r}; known are 'auto', 'native' and 'numpy', here are"
            f" {available_kernels()!r}. Take 'auto' for the fastest."
        )
    if instruction_set not in (None, "blas"):
        raise KernelUnavailableError(
            f"The numpy kernel has no instruction set {instruction_set!r}; it has 'blas' alone."
            " Leave the instruction set out, or take the kernel 'native'."
        )
    return NumpyKernel()
