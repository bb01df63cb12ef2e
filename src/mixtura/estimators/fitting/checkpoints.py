"""Fits that go on where they were interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils import check_random_state

from mixtura.core.data import Data
from mixtura.exceptions import ParameterError
from mixtura.fit import Settings

if TYPE_CHECKING:
    from mixtura.estimators.gaussian_mixture import GaussianMixture

__all__ = ["checkpointed"]

_WITHOUT_EFFECT = ("checkpoint", "verbose", "verbose_interval")


@contextmanager
def checkpointed(
    estimator: GaussianMixture, data: Data, settings: Settings
) -> Iterator[tuple[Settings, np.random.RandomState]]:
    """Give the settings of a fit that the estimator's ``checkpoint`` keeps, and the generator that it draws from.

    The file is removed when the block ends without an error.

    Raises
    ------
    ParameterError
        What the fit begins with would be another the next time: a generator, or ``warm_start``.
    CheckpointError
        The file cannot be written, is used by another fit, or is of other rows or parameters.
    """
    path, random_state = estimator.checkpoint, estimator.random_state
    if path is None:
        yield settings, check_random_state(random_state)
        return
    if estimator.warm_start:
        raise ParameterError(
            "`warm_start` must be False with a checkpoint, which goes on by itself; got True."
        )
    if isinstance(random_state, np.random.RandomState):
        raise ParameterError(
            "`random_state` must be a number or None with a checkpoint, so that the fit that goes on draws the same; "
            "got a RandomState. Try `random_state=0`."
        )
    from mixtura.fit.journal import Journal

    parameters = estimator.get_params(deep=False)
    about = {name: value for name, value in parameters.items() if name not in _WITHOUT_EFFECT}
    with Journal.of(Path(path), data, about) as journal:
        seed = journal.remembered("seed", lambda: _drawn(random_state))
        yield replace(settings, journal=journal), np.random.RandomState(seed)
        journal.remove()


def _drawn(seed: int | None) -> int:
    return int(check_random_state(None).randint(2**31 - 1)) if seed is None else int(seed)
