"""States of the loop as arrays, and in a file: a run that was interrupted goes on to the last bit."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from zipfile import BadZipFile

import numpy as np

from mixtura._typing import Array
from mixtura.core.covariance import Factors, Structure, get_family
from mixtura.core.maximize import Repair, RepairKind
from mixtura.core.mixture import Mixture
from mixtura.core.moments import DENSE, DIAGONAL, FIRST, POOLED, Moments
from mixtura.core.parts.discrete import DiscreteColumns, LevelTable
from mixtura.core.parts.level_models import KNOWN, LEVEL_MODELS
from mixtura.core.parts.student import Tails
from mixtura.core.statistics import Statistics
from mixtura.exceptions import DataError
from mixtura.fit.loop.monotone import Ascent
from mixtura.fit.loop.outcome import Outcome
from mixtura.fit.loop.result import FitResult
from mixtura.fit.loop.state import LoopState
from mixtura.fit.loop.trace import Event, PassKind, Trace
from mixtura.fit.steps.accelerated import AcceleratedState, Trial
from mixtura.fit.steps.coordinates import Coordinates, TailCoordinates
from mixtura.fit.steps.em import EMState
from mixtura.fit.steps.lbfgs import LimitedMemoryBFGS
from mixtura.fit.steps.level_coordinates import LevelCoordinates
from mixtura.fit.steps.truncated import TruncatedState
from mixtura.fit.steps.warmup import WarmupState
from mixtura.kernels import Layout
from mixtura.kernels.terms.background import Background, Box

__all__ = ["from_arrays", "load_state", "save_state", "to_arrays", "value_from_arrays"]

_FORMAT = 1

# What a state or a result may consist of, besides numbers, texts, arrays, tuples and mappings from texts.
_VALUES = (
    AcceleratedState, Ascent, Background, Box, Coordinates, DiscreteColumns, EMState, Event, Factors, FitResult,
    LevelCoordinates, LevelTable, LimitedMemoryBFGS, LoopState, Mixture, Repair, Statistics, Tails, Trace, Trial,
    TailCoordinates, TruncatedState, WarmupState,
)  # fmt: skip
_ENUMS = (Layout, Outcome, PassKind, RepairKind)
_LEVEL_MODELS = LEVEL_MODELS | {KNOWN.name: KNOWN}
_LEVEL_TYPES = tuple({type(one) for one in _LEVEL_MODELS.values()})
_MOMENTS: dict[str, Moments] = {one.name: one for one in (DENSE, DIAGONAL, FIRST, POOLED)}


def to_arrays(state: Any, kinds: Sequence[type] = ()) -> dict[str, Array]:
    """Return a state of the loop as arrays by name, from which `from_arrays` makes the same state.

    Parameters
    ----------
    state : LoopState, FitResult, or tuple or mapping of them, of numbers, texts and arrays
        The states of `EMStep`, `AcceleratedEMStep`, `TruncatedEMStep` or `WarmupEM`.
    kinds : sequence of type, optional
        Further data classes and enumerations that it may consist of.

    Returns
    -------
    dict of str to ndarray
        Numbers and one text; nothing that would have to be unpickled.

    Examples
    --------
    >>> from mixtura import Mixture
    >>> from mixtura.core.covariance import get_family
    >>> from mixtura.core.model import GaussianModel
    >>> from mixtura.core.prior import Ridge
    >>> from mixtura.engine import as_data
    >>> from mixtura.fit import EMStep, Problem, begin
    >>> from mixtura.fit.checkpoint import from_arrays, to_arrays
    >>> model = GaussianModel(2, get_family("diag"), Ridge(1e-6))
    >>> step = EMStep(Problem(as_data([[0.0], [1.0], [5.0]]), model))
    >>> state = begin(step, Mixture.from_parameters([0.5, 0.5], [[0.0], [4.0]], [[1.0], [1.0]], "diag"))
    >>> from_arrays(to_arrays(state)).model.means.tolist()
    [[0.0], [4.0]]
    """
    arrays: dict[str, Array] = {}
    tree = _Encoder(arrays, _names(kinds)).encode(state)
    text = json.dumps({"format": _FORMAT, "state": tree})
    return {"tree": np.array(text), **arrays}


def from_arrays(arrays: Mapping[str, Array]) -> LoopState[Any, Any]:
    """Return the state that `to_arrays` was given.

    Raises
    ------
    DataError
        They are not the arrays of a state, or of a later version of mixtura.
    """
    state = value_from_arrays(arrays)
    if not isinstance(state, LoopState):
        raise DataError(f"`arrays` must be those of a saved state; got those of a {type(state).__name__}.")
    return state


def value_from_arrays(arrays: Mapping[str, Array], kinds: Sequence[type] = ()) -> Any:
    """Return what `to_arrays` was given, of any kind that it takes.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    kinds : sequence of type, optional
        As `to_arrays` was given them.

    Raises
    ------
    DataError
        They are not arrays of `to_arrays`, or of a later version of mixtura.
    """
    try:
        tree = json.loads(str(arrays["tree"]))
        if tree["format"] != _FORMAT:
            raise DataError(
                f"`arrays` must be of format {_FORMAT}; got format {tree['format']!r}. Use the version that saved them."
            )
        return _Decoder(arrays, _names(kinds)).decode(tree["state"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"`arrays` must be those of a saved state; got others ({error}).") from error


def save_state(state: LoopState[Any, Any], path: str | Path) -> None:
    """Write a state of the loop to a file, whole or not at all: an earlier file is replaced at once.

    Parameters
    ----------
    state : LoopState
    path : str or Path
    """
    path = Path(path)
    with NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as file:
        try:
            np.savez(file, **to_arrays(state))  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)


def load_state(path: str | Path) -> LoopState[Any, Any]:
    """Return the state that `save_state` wrote.

    Raises
    ------
    DataError
        The file does not hold a state.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as held:
            return from_arrays(dict(held))
    except (ValueError, EOFError, BadZipFile) as error:
        raise DataError(f"`path` must be a file of `save_state`; {str(path)!r} is not: {error}") from error


def _names(kinds: Sequence[type]) -> dict[str, Any]:
    return {one.__name__: one for one in (*_VALUES, *_ENUMS, *kinds)}


@dataclass(frozen=True, slots=True)
class _Encoder:
    """Turns a value into JSON; arrays are put aside. What stands in several places stays one object."""

    arrays: dict[str, Array]
    names: Mapping[str, Any]
    known: dict[int, int] = field(default_factory=dict)

    def encode(self, value: Any) -> Any:
        if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
            return value
        if isinstance(value, float):
            return {"float": value.hex()}
        if isinstance(value, Enum | Structure | Moments):
            return self._named(value)
        if isinstance(value, _LEVEL_TYPES):
            return {"level_model": value.name}
        if isinstance(value, tuple | Mapping) and type(value).__name__ not in self.names:
            return self._several(value)
        if id(value) in self.known:
            return {"same": self.known[id(value)]}
        return self._object(value)

    def _named(self, value: Enum | Structure | Moments) -> dict[str, str]:
        if isinstance(value, Enum):
            return {"enum": type(value).__name__, "name": value.name}
        return {"family" if isinstance(value, Structure) else "moments": value.name}

    def _several(self, value: tuple[Any, ...] | Mapping[str, Any]) -> dict[str, Any]:
        if isinstance(value, Mapping):
            return {"mapping": {name: self.encode(one) for name, one in value.items()}}
        return {"tuple": [self.encode(one) for one in value]}

    def _object(self, value: Any) -> Any:
        number = self.known[id(value)] = len(self.known)
        if isinstance(value, np.ndarray):
            self.arrays[f"array_{number}"] = value
            return {"array": number}
        if self.names.get(type(value).__name__) is type(value):
            names = getattr(value, "_fields", None) or [one.name for one in fields(value)]
            held = {name: self.encode(getattr(value, name)) for name in names}
            return {"is": type(value).__name__, "number": number, "fields": held}
        if callable(value):
            return self.encode(float(value()))
        raise DataError(f"`state` must be of steps of EM; got one with a {type(value).__name__}.")


@dataclass(frozen=True, slots=True)
class _Decoder:
    """Turns what `_Encoder` made back into the value."""

    arrays: Mapping[str, Array]
    names: Mapping[str, Any]
    known: dict[int, Any] = field(default_factory=dict)

    def decode(self, node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        if "float" in node:
            return float.fromhex(node["float"])
        if "enum" in node:
            return self.names[node["enum"]][node["name"]]
        if "family" in node:
            return get_family(node["family"])
        if "level_model" in node:
            return _LEVEL_MODELS[node["level_model"]]
        if "moments" in node:
            return _MOMENTS[node["moments"]]
        return self._several(node)

    def _several(self, node: dict[str, Any]) -> Any:
        if "tuple" in node:
            return tuple(self.decode(one) for one in node["tuple"])
        if "mapping" in node:
            return {name: self.decode(one) for name, one in node["mapping"].items()}
        if "same" in node:
            return self.known[node["same"]]
        if "array" in node:
            return self.known.setdefault(node["array"], self.arrays[f"array_{node['array']}"])
        held = {name: self.decode(one) for name, one in node["fields"].items()}
        return self.known.setdefault(node["number"], self.names[node["is"]](**held))
