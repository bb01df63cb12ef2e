"""What a column's name says about it."""

from __future__ import annotations

import re

__all__ = ["looks_like_date", "looks_like_id"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|#")
_IDS = {"id", "ids", "uuid", "guid", "key", "index", "idx"}
_NUMBERS = {"no", "nr", "num", "number", "#", "code"}
_BEARERS = {
    "account", "buyer", "card", "client", "contact", "cust", "customer", "household", "invoice",
    "member", "order", "person", "record", "row", "subscriber", "user",
}  # fmt: skip
_FUSED = re.compile(rf"^({'|'.join(sorted(_BEARERS))})(id|no|nr|key|uuid)$")


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def looks_like_id(name: str) -> bool:
    """Return whether the name is one that tables give to identifiers.

    Examples
    --------
    >>> from mixtura.io.column_names import looks_like_id
    >>> [looks_like_id(name) for name in ("CustomerID", "CUST_ID", "client no", "paid", "number of orders")]
    [True, True, True, False, False]
    """
    words = _words(name)
    if not words:
        return False
    if words[-1] in _IDS or _FUSED.match(words[-1]):
        return True
    if words[-1] in _BEARERS:
        return len(words) == 1
    return words[-1] in _NUMBERS and any(word in _BEARERS for word in words[:-1])


def looks_like_date(name: str) -> bool:
    """Return whether the name speaks of a date.

    Examples
    --------
    >>> from mixtura.io.column_names import looks_like_date
    >>> looks_like_date("dteday"), looks_like_date("birth_date"), looks_like_date("update_count")
    (True, True, False)
    """
    words = _words(name)
    return bool(words) and (words[-1] in {"date", "datetime", "timestamp", "dteday"} or words[0] == "date")
