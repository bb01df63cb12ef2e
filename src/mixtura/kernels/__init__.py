"""The inner loop: arrays in, arrays out. `contract` says what; `reference` and `native` do it.

The small algebra between two passes has its own contract and twin in `algebra`; `native_algebra` is compiled.
"""

from mixtura.kernels.algebra import Algebra, ClosedForm, CommonForm, Estimate
from mixtura.kernels.contract import (
    NEGLIGIBLE,
    Components,
    Kernel,
    Layout,
    Outputs,
    accumulate_parts,
    moment_size,
    sums_size,
)
from mixtura.kernels.registry import available_kernels, build_info, evaluate_rows, get_algebra, get_kernel

__all__ = [
    "NEGLIGIBLE",
    "Algebra",
    "ClosedForm",
    "CommonForm",
    "Components",
    "Estimate",
    "Kernel",
    "Layout",
    "Outputs",
    "accumulate_parts",
    "available_kernels",
    "build_info",
    "evaluate_rows",
    "get_algebra",
    "get_kernel",
    "moment_size",
    "sums_size",
]
