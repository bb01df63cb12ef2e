"""What goes wrong on Spark's workers, among it another version of mixtura, in words that say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Any, TypeAlias

__all__ = ["checked", "explained"]

_OTHER_VERSION = "The Spark worker has mixtura "

OfBatches: TypeAlias = Callable[[Iterable[Any]], Iterator[Any]]


def checked(function: OfBatches) -> OfBatches:
    """Return a function of batches that first looks whether the worker has the mixtura of the driver."""
    here = version("mixtura")

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        # This travels by value; what it calls is looked up by name where it runs. The package there keeps its version:
        # every task of every pass would look for it among what is installed, for twenty milliseconds.
        from importlib import import_module

        there = import_module("mixtura").__version__
        if there != here:
            raise RuntimeError(
                f"{_OTHER_VERSION}{there}; {here} is required there, as here. Install the same on all workers."
            )
        yield from function(batches)

    return run


def explained(error: Exception) -> str:
    """Return what an error of Spark means."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    for line in lines:
        if _OTHER_VERSION in line:
            return line[line.index(_OTHER_VERSION) :].rstrip("'")
    if "No module named" in str(error):
        return (
            "Spark's Python workers must have mixtura, with its extra 'spark'. Set PYSPARK_PYTHON to a Python that has "
            f"it, or send an environment along (spark.archives); got {lines[-1]}"
        )
    return f"Spark could not run a pass: {lines[-1] if lines else error}. What was saved by a checkpoint is kept."
