"""The inner loop: arrays in, arrays out. `contract` says what; `reference` and `native` do it."""

from mixtura.kernels.contract import Components, Kernel, Layout, Outputs, moment_size, sums_size
from mixtura.kernels.registry import available_kernels, build_info, evaluate_rows, get_kernel

__all__ = [
    "Components",
    "Kernel",
    "Layout",
    "Outputs",
    "available_kernels",
    "build_info",
    "evaluate_rows",
    "get_kernel",
    "moment_size",
    "sums_size",
]
