"""Charts are made faster: most of the time of one is Altair's search for the kind of each part, by its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import altair as alt
import jsonschema
import pytest

SMALL = 20_000
"""Parts of at most so many characters are remembered: those without rows."""


@pytest.fixture(scope="session", autouse=True)
def _equal_parts_are_judged_once() -> Iterator[None]:
    """Let Altair remember what its schema says of a part: charts have most parts in common."""
    judge = alt.utils.schemapi.validate_jsonschema
    found: dict[tuple[str, str], jsonschema.ValidationError | None] = {}

    def remembered(
        spec: Any, schema: dict[str, Any], rootschema: Any = None, *, raise_error: bool = True
    ) -> jsonschema.ValidationError | None:
        try:
            key = json.dumps(spec), json.dumps([schema, (rootschema or schema).get("$schema")])
        except TypeError:  # parts that are objects of Altair's
            return judge(spec, schema, rootschema, raise_error=raise_error)
        if len(key[0]) > SMALL:
            return judge(spec, schema, rootschema, raise_error=raise_error)
        if key not in found:
            found[key] = judge(spec, schema, rootschema, raise_error=False)
        if found[key] is not None and raise_error:
            raise found[key]
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alt.utils.schemapi, "validate_jsonschema", remembered)
        yield
