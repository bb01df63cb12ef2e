"""The compiled core as a kernel: arrays go to the extension as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from mixtura._typing import Array, FloatArray, IntArray, RowArray
from mixtura.exceptions import KernelUnavailableError
from mixtura.kernels.arguments import check_given, check_levels, check_lowered, check_masses, check_pass
from mixtura.kernels.contract import Components, Layout, Outputs
from mixtura.kernels.reference import NumpyKernel
from mixtura.kernels.terms.entropies import scores_of
from mixtura.kernels.terms.tails import tail_tables

__all__ = [
    "NativeKernel",
    "built_instruction_sets",
    "compiler",
    "extension",
    "is_built",
    "position",
    "supported_instruction_sets",
    "why_not_built",
]

_EXTENSION = "mixtura.kernels._native"
_NOTHING = (None,) * 5
"""Arrays of passes that evaluate: order, beside, background, degrees of freedom and their tables."""

_LAYOUTS = {Layout.DENSE: 0, Layout.DIAGONAL: 1, Layout.SHARED: 2}


@cache
def _load() -> ModuleType | str:
    """Return the extension, or why it is not there."""
    try:
        return import_module(_EXTENSION)
    except ImportError as error:
        return f"{type(error).__name__}: {error}"


def extension() -> ModuleType | None:
    """Return the extension, or None."""
    loaded = _load()
    return loaded if isinstance(loaded, ModuleType) else None


def is_built() -> bool:
    """Return whether the extension was compiled and loads."""
    return isinstance(_load(), ModuleType)


def why_not_built() -> str | None:
    """Return why the extension is not there, or None."""
    extension = _load()
    if isinstance(extension, ModuleType):
        return None
    return f"mixtura was installed without its compiled core (no C++ compiler was found): {extension}"


def compiler() -> str | None:
    """Return the compiler of the extension, or None."""
    extension = _load()
    return str(extension.compiler()) if isinstance(extension, ModuleType) else None


def built_instruction_sets() -> tuple[str, ...]:
    """Return what the extension was compiled for, the best first."""
    extension = _load()
    return tuple(extension.built()) if isinstance(extension, ModuleType) else ()


def supported_instruction_sets() -> tuple[str, ...]:
    """Return what of it this machine can run, the best first."""
    extension = _load()
    return tuple(extension.supported()) if isinstance(extension, ModuleType) else ()


@cache
def position(instruction_set: str | None) -> int:
    """Return the number of an instruction set among those built; of the best one that this machine has for None.

    Raises
    ------
    KernelUnavailableError
        The extension was not compiled for it, or the machine lacks it.
    """
    supported = supported_instruction_sets()
    chosen = supported[0] if instruction_set is None else instruction_set
    if chosen not in supported:
        raise KernelUnavailableError(
            f"The native kernel cannot run instruction set {chosen!r} here; built are"
            f" {built_instruction_sets()!r}, of which this machine has {supported!r}. Take one of those, or none."
        )
    return built_instruction_sets().index(chosen)


class NativeKernel:
    """One pass over a chunk of rows in C++; see `mixtura.kernels.contract.Kernel`.

    Parameters
    ----------
    instruction_set : {"baseline", "avx2", "avx512"} or None, default=None
        None takes the best this machine has.

    Raises
    ------
    KernelUnavailableError
        If the core was not compiled, or not for this instruction set, or the machine lacks it.
    """

    name = "native"
    uses_blas = False

    def __init__(self, instruction_set: str | None = None) -> None:
        loaded = extension()
        if loaded is None:
            raise KernelUnavailableError(
                f"The kernel 'native' is not here: {why_not_built()}. Install a C++ compiler and mixtura"
                " again, or take the kernel 'numpy'."
            )
        self._variant = position(instruction_set)
        self.instruction_set = built_instruction_sets()[self._variant]
        self._run = loaded.run
        self._levels = _level_functions(loaded)
        self._adds_scores = hasattr(loaded, "adds_scores")
        self._add_masses = getattr(loaded, "add_masses", None)
        self._lower_distances = getattr(loaded, "lower_distances", None)

    def __reduce__(self) -> tuple[type[NativeKernel], tuple[str]]:
        return NativeKernel, (self.instruction_set,)

    def accumulate(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        components: Components,
        sums: FloatArray | None,
        outputs: Outputs,
        *,
        hard: bool = False,
        order: IntArray | None = None,
        beside: FloatArray | None = None,
        background: FloatArray | None = None,
    ) -> None:
        """Evaluate a chunk; add to ``sums``; fill ``outputs``. See `Kernel.accumulate`."""
        arrays: tuple[Array | float | None, ...] = (
            rows,
            sample_weight,
            components.means,
            sums,
            components.factors,
            components.offsets,
            outputs.log_density,
            outputs.memberships,
            outputs.labels,
            None,
            None,
            order,
            beside,
            background,
            *_tails(components),
            *_last(components, outputs),
        )
        if outputs.scores is not None and not self._adds_scores:
            given = {"hard": hard, "order": order, "beside": beside, "background": background}
            return self._add_scores(rows, sample_weight, components, sums, outputs, given)
        how = self._variant, _LAYOUTS[components.layout], hard
        try:
            self._run(*how, *arrays)
        except (TypeError, ValueError):
            check_pass(rows, sample_weight, components, sums, outputs, order, beside, background)
            self._run(*how, *aligned(arrays))

    def _add_scores(
        self,
        rows: RowArray,
        weight: FloatArray | None,
        components: Components,
        sums: FloatArray | None,
        outputs: Outputs,
        given: Mapping[str, Any],
    ) -> None:
        """Add scores up from memberships: a core of an older version does not."""
        n, k, scores = len(rows), components.n_components, outputs.scores
        assert scores is not None, "scores are wanted"
        density, shares = outputs.log_density, outputs.memberships
        density = np.empty(n) if density is None else density
        shares = np.empty((n, k)) if shares is None else shares
        found = replace(outputs, log_density=density, memberships=shares, scores=None)
        self.accumulate(rows, weight, components, sums, found, **given)
        logs = np.log(np.maximum(shares.T, np.finfo(np.float64).tiny)) + density
        scores += scores_of(weight, density, logs, given["background"], hard=given["hard"])

    def accumulate_given(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        responsibilities: FloatArray | IntArray,
        means: FloatArray,
        layout: Layout,
        sums: FloatArray,
    ) -> None:
        """Add up the sums of a chunk whose responsibilities are known. See `Kernel.accumulate_given`."""
        labelled = responsibilities.ndim == 1
        given = (None, responsibilities) if labelled else (responsibilities, None)
        arrays = (rows, sample_weight, means, sums, None, None, None, None, None, *given, *_NOTHING)
        try:
            self._run(self._variant, _LAYOUTS[layout], False, *arrays)
        except (TypeError, ValueError):
            check_given(rows, sample_weight, responsibilities, means, layout, sums)
            self._run(self._variant, _LAYOUTS[layout], False, *aligned(arrays))

    def add_masses(
        self,
        rows: RowArray,
        sample_weight: FloatArray | None,
        distances: FloatArray,
        candidates: FloatArray,
        masses: FloatArray,
    ) -> None:
        """Add what candidates for a seed leave of distances. See `Kernel.add_masses`."""
        arrays = (rows, sample_weight, distances, candidates, masses)
        if self._add_masses is None:  # a core of an older version
            NumpyKernel().add_masses(*arrays)
            return
        try:
            self._add_masses(self._variant, *arrays)
        except (TypeError, ValueError):
            check_masses(*arrays)
            self._add_masses(self._variant, *aligned(arrays))

    def lower_distances(self, rows: RowArray, seeds: FloatArray, distances: FloatArray) -> None:
        """Lower distances to the nearest seed. See `Kernel.lower_distances`."""
        if self._lower_distances is None:  # a core of an older version
            NumpyKernel().lower_distances(rows, seeds, distances)
            return
        try:
            self._lower_distances(self._variant, rows, seeds, distances)
        except (TypeError, ValueError):
            check_lowered(rows, seeds, distances)
            self._lower_distances(self._variant, *aligned((rows, seeds, distances)))

    def add_levels(self, levels: IntArray, table: FloatArray, out: FloatArray) -> None:
        """Add log probabilities of levels. See `Kernel.add_levels`."""
        try:
            self._levels[0](self._variant, levels, table, out)
        except (TypeError, ValueError):
            check_levels(levels, None, table, out, table_written=False)
            self._levels[0](self._variant, *aligned((levels, table, out)))

    def count_levels(
        self, levels: IntArray, sample_weight: FloatArray | None, memberships: FloatArray, counts: FloatArray
    ) -> None:
        """Count levels by component. See `Kernel.count_levels`."""
        try:
            self._levels[1](self._variant, levels, sample_weight, memberships, counts)
        except (TypeError, ValueError):
            check_levels(levels, sample_weight, counts, memberships, table_written=True)
            self._levels[1](self._variant, *aligned((levels, sample_weight, memberships, counts)))


def _tails(components: Components) -> tuple[FloatArray | None, FloatArray | None]:
    """Return degrees of freedom and their tables, or nothing."""
    if components.freedom is None:
        return None, None
    return components.freedom, tail_tables(components.freedom, components.n_features)


def _last(components: Components, outputs: Outputs) -> tuple[float | FloatArray, ...]:
    """Return what follows the arrays of a pass; a core of an older version takes no scores."""
    share, scores = components.negligible, outputs.scores
    return (share,) if scores is None else (share, scores)


def _level_functions(loaded: ModuleType) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return what adds and counts levels; a core of an older version has neither."""
    if hasattr(loaded, "add_levels"):
        return loaded.add_levels, loaded.count_levels

    def refuse(*arguments: object) -> None:
        raise KernelUnavailableError(
            "Discrete columns need the compiled core of this version; the one here is older. Install mixtura again, or "
            "set MIXTURA_KERNEL=numpy."
        )

    return refuse, refuse


def aligned(arrays: Sequence[Any]) -> list[Any]:
    """Return the arrays of a pass, those that do not lie on the boundaries of their type copied to some that do.

    They come from buffers with a header: a memory map behind four bytes, a message of another process.
    """
    return [
        np.require(array, requirements=["C", "A"])
        if isinstance(array, np.ndarray) and not (array.flags.c_contiguous and array.flags.aligned)
        else array
        for array in arrays
    ]
