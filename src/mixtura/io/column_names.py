"""What a column's name says about it."""

from __future__ import annotations

import re

__all__ = ["calendar_part", "looks_like_code", "looks_like_date", "looks_like_id", "names_a_customer"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|#|[^\W\d_]+")
_IDS = {"id", "ids", "uid", "uuid", "guid", "key", "index", "idx", "rowid", "ident", "identifier"}
_NUMBERS = {"no", "nr", "num", "number", "#", "code", "nummer", "numero"}
_CUSTOMERS = {
    "buyer", "client", "cust", "customer", "kunde", "kunden", "kundin", "member", "mitglied", "patient", "participant",
    "person", "respondent", "shopper", "subject", "subscriber", "user",
}  # fmt: skip
_BEARERS = _CUSTOMERS | {
    "account", "card", "contact", "contract", "employee", "household", "invoice", "konto", "order", "policy", "record",
    "row", "student", "ticket", "transaction", "vertrag", "vertrags", "police",
}  # fmt: skip
# Words that may stand alone for an id; "orders" or "cards" of a customer are counts.
_ALONE = _CUSTOMERS | {"row", "record"}
_FUSED = re.compile(
    rf"^({'|'.join(sorted(_BEARERS, key=len, reverse=True))})s?(id|no|nr|num|number|nummer|key|uuid)$"
)
_UNNAMED = re.compile(r"Unnamed: \d+|level_\d+", re.IGNORECASE)

_DATES = {"date", "datetime", "timestamp", "dteday", "datum", "fecha", "dt"}
_CALENDAR = {
    "year": "year", "yr": "year", "month": "month", "mnth": "month", "mon": "month", "day": "day", "dayofmonth": "day",
    "weekday": "weekday", "dayofweek": "weekday", "dow": "weekday", "wday": "weekday", "hour": "hour", "hr": "hour",
    "minute": "minute", "week": "week", "weekofyear": "week", "quarter": "quarter", "qtr": "quarter",
    "dayofyear": "day of the year", "yday": "day of the year",
}  # fmt: skip
# Words that may stand beside a part of the calendar without making it a measure, as `calls per day` is one.
_BESIDE = {
    "of", "the", "in", "at", "id", "number", "no", "num", "code", "order", "purchase", "transaction", "invoice", "sale",
    "sales", "start", "end", "first", "last", "join", "joined", "joining", "signup", "registration", "contact", "birth",
    "calendar", "day", "week", "year", "month", "hour",
}  # fmt: skip
_CODES = {
    "beruf", "branch", "category", "channel", "city", "class", "cluster", "code", "country", "county",
    "currency", "department", "dept", "district", "education", "ethnicity", "filiale", "flag", "gender",
    "geschlecht", "group", "grp", "industry", "job", "land", "language", "marital", "marriage", "nationality",
    "occupation", "plz", "postcode", "postleitzahl", "product", "profession", "race", "region", "religion",
    "season", "sector", "segment", "sex", "sic", "stadt", "state", "status", "store", "team", "type", "weather",
    "weathersit", "zip", "zipcode",
}  # fmt: skip


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def looks_like_id(name: str) -> bool:
    """Return whether the name is one that tables give to identifiers.

    Examples
    --------
    >>> from mixtura.io.column_names import looks_like_id
    >>> [looks_like_id(name) for name in ("CustomerID", "CUST_ID", "client no", "paid", "number of orders")]
    [True, True, True, False, False]
    >>> [looks_like_id(name) for name in ("CLIENTNUM", "id_customer", "uid", "PolicyNo", "Kundennummer", "Unnamed: 0")]
    [True, True, True, True, True, True]
    """
    words = _words(name)
    if not words:
        return False
    if _UNNAMED.fullmatch(name.strip()) or words[-1] in _IDS or _FUSED.match("".join(words[-2:])):
        return True
    if len(words) == 1 and _FUSED.match(words[0]):
        return True
    if words[-1] in _BEARERS:
        return (len(words) == 1 and words[0] in _ALONE) or words[0] in {"id", "uid"}
    return words[-1] in _NUMBERS and any(word in _BEARERS for word in words[:-1])


def names_a_customer(name: str) -> bool:
    """Return whether the name is that of an id of customers or other persons, which a table has once per customer.

    Examples
    --------
    >>> from mixtura.io.column_names import names_a_customer
    >>> [names_a_customer(name) for name in ("CustomerID", "id", "user", "store_id", "household_id")]
    [True, True, True, False, False]
    """
    words = _words(name)
    return looks_like_id(name) and (
        (len(words) == 1 and words[0] in _IDS) or any(word.startswith(tuple(_CUSTOMERS)) for word in words)
    )


def looks_like_date(name: str) -> bool:
    """Return whether the name speaks of a date.

    Examples
    --------
    >>> from mixtura.io.column_names import looks_like_date
    >>> looks_like_date("dteday"), looks_like_date("birth_date"), looks_like_date("update_count")
    (True, True, False)
    """
    words = _words(name)
    return bool(words) and (
        words[-1] in _DATES or words[0] == "date" or words[-2:] in (["created", "at"], ["updated", "at"])
    )


def calendar_part(name: str) -> str | None:
    """Return the part of the calendar that a column is named after, or None.

    Years of birth are measures of age and not meant; neither are durations, such as ``months`` or ``calls per day``.

    Examples
    --------
    >>> from mixtura.io.column_names import calendar_part
    >>> calendar_part("mnth"), calendar_part("hour_of_day"), calendar_part("order_month"), calendar_part("DayOfWeek")
    ('month', 'hour', 'month', 'weekday')
    >>> [calendar_part(name) for name in ("months_on_book", "calls per day", "year_of_birth", "birth_year", "age")]
    [None, None, None, None, None]
    """
    words = _words(name)
    fused = "".join(words)
    if fused in _CALENDAR:
        return _CALENDAR[fused]
    places = [i for i, word in enumerate(words) if word in _CALENDAR]
    if not places or not all(word in _BESIDE or word in _CALENDAR for word in words):
        return None
    # In `hour_of_day` the first counts, in `order_month` the only one.
    part = _CALENDAR[words[places[0]]]
    return None if part == "year" and "birth" in words else part


def looks_like_code(name: str) -> bool:
    """Return whether the name is one of categories, which tables often write as numbers.

    Examples
    --------
    >>> from mixtura.io.column_names import looks_like_code
    >>> [looks_like_code(name) for name in ("EDUCATION", "Region", "job_type", "education_level", "zip code")]
    [True, True, True, True, True]
    >>> [looks_like_code(name) for name in ("education_years", "family size", "income", "stars", "class size")]
    [False, False, False, False, False]
    """
    words = _words(name)
    if len(words) > 1 and words[-1] in {"level", "cat", "cd"}:
        words = words[:-1]
    return bool(words) and words[-1] in _CODES
