"""What is taken over from a model of another program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixtura._typing import FloatArray
from mixtura.core.covariance import get_family
from mixtura.core.mixture import Mixture
from mixtura.exceptions import ModelFileError, ParameterError

__all__ = ["ForeignModel", "mixture_of"]


@dataclass(frozen=True, slots=True, eq=False)
class ForeignModel:
    """A mixture that another program fitted.

    Parameters
    ----------
    mixture : Mixture
        In the units of its rows.
    columns : tuple of str or None
        Names of its columns; None where the program keeps none.
    program : str
        Which one, such as ``"mclust"``.
    n_rows : int or None, default=None
        How many rows it was fitted to, where the program keeps that.
    log_likelihood : float or None, default=None
        As the program has it. That of mclust belongs to the parameters one iteration earlier in most families.
    """

    mixture: Mixture
    columns: tuple[str, ...] | None
    program: str
    n_rows: int | None = None
    log_likelihood: float | None = None


def mixture_of(
    weights: Sequence[float] | FloatArray,
    means: FloatArray,
    covariances: FloatArray,
    covariance_type: str = "full",
) -> Mixture:
    """Return a mixture from means (K, D) and matrices (K, D, D), whatever the family keeps of them.

    Raises
    ------
    ModelFileError
        They are not parameters of a mixture.
    """
    try:
        storage = get_family(covariance_type).storage
        shape = storage.shape(*np.shape(means))
        if not storage.per_component:
            kept = covariances[0]
        elif len(shape) == 3:
            kept = covariances
        else:
            diagonal = np.diagonal(covariances, axis1=1, axis2=2)
            kept = diagonal if len(shape) == 2 else diagonal[:, 0]
        return Mixture.from_parameters(weights, means, kept, covariance_type)
    except (ParameterError, ValueError, IndexError) as error:
        raise ModelFileError(f"The model does not hold the parameters of a mixture: {error}") from error
