"""What the columns of a table are to its components, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mixtura.core.mixture import Mixture

__all__ = ["ColumnRole", "ColumnSelection", "Role"]


class Role(Enum):
    """What a column is to the components."""

    BUILDING = "building"
    REDUNDANT = "redundant"
    NOISE = "noise"

    @property
    def explanation(self) -> str:
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Role.BUILDING: "differs between the segments beyond what the other building columns explain",
    Role.REDUNDANT: "follows from building columns, and adds nothing to what they say of the segments",
    Role.NOISE: "is independent of the segments",
}


@dataclass(frozen=True, slots=True)
class ColumnRole:
    """One column, and the evidence for what it is.

    Parameters
    ----------
    name : str
    role : Role
    evidence : float
        ``BIC(it does not build) - BIC(it builds)``: positive where it builds. It is about twice the logarithm of the
        Bayes factor: above ten is very strong, below two hardly worth mention (Kass and Raftery 1995), so that a column
        that goes with others is left out from -2 on. NaN for the only continuous column that builds beside discrete
        ones.
    explained_by : tuple of str, default=()
        Of a redundant column: the building columns that it follows from.
    explained : float, default=0
        Share of its variance that these explain.
    stability : float or None, default=None
        Share of resamples in which it has the same role; None where none were drawn.
    """

    name: str
    role: Role
    evidence: float
    explained_by: tuple[str, ...] = ()
    explained: float = 0.0
    stability: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSelection:
    """Which columns build the components.

    Parameters
    ----------
    columns : tuple of ColumnRole
        In the order given. Where no column builds, all are noise.
    mixture : Mixture or None
        Of the building columns, in the rows that were looked at; None where no column builds.
    n_rows : int
        Rows that were looked at.
    n_bootstraps : int
        Resamples for the stability.
    """

    columns: tuple[ColumnRole, ...]
    mixture: Mixture | None
    n_rows: int
    n_bootstraps: int

    def __repr__(self) -> str:
        roles = (f"{role.value}: {', '.join(self._with_role(role)) or 'none'}" for role in Role)
        return f"<ColumnSelection: {'; '.join(roles)}>"

    def _with_role(self, role: Role) -> tuple[str, ...]:
        return tuple(one.name for one in self.columns if one.role is role)

    @property
    def building(self) -> tuple[str, ...]:
        """Names of the columns that build the components."""
        return self._with_role(Role.BUILDING)

    @property
    def redundant(self) -> tuple[str, ...]:
        """Names of those that follow from them."""
        return self._with_role(Role.REDUNDANT)

    @property
    def noise(self) -> tuple[str, ...]:
        """Names of those that are independent of the components."""
        return self._with_role(Role.NOISE)

    @property
    def indices(self) -> tuple[int, ...]:
        """Numbers of the building columns, from 0."""
        return tuple(number for number, one in enumerate(self.columns) if one.role is Role.BUILDING)
