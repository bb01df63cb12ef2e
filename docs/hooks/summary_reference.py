"""The page on ``summary.json`` and its JSON Schema, written from the document's own description.

Run ``python docs/hooks/summary_reference.py`` after a change of the document; a test compares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mixtura.segments.results.changes.drift_document import DriftDocument
from mixtura.segments.results.document import FORMAT_VERSION, Document

__all__ = ["DRIFT_SCHEMA", "PAGE", "SCHEMA", "drift_schema", "page", "schema"]

PAGE = Path(__file__).parents[1] / "reference" / "summary.md"
SCHEMA = Path(__file__).parents[1] / "reference" / "summary.schema.json"
DRIFT_SCHEMA = Path(__file__).parents[1] / "reference" / "drift.schema.json"

_INTRODUCTION = f"""# summary.json

<!-- Written by docs/hooks/summary_reference.py from mixtura.segments.results.document; do not edit. -->

What `mixtura segment` writes beside its tables, what `--json` prints, and what `SegmentationResult.document` is:
everything that terminal, page and workbook show. This is `format_version` {FORMAT_VERSION}; the JSON Schema is
[summary.schema.json](summary.schema.json). `Document.load` reads this format and those before it.

"""

_END = """
[Describe segments](../how-to/describe-segments.md) says what the numbers of profiles mean. `profiles.csv` holds
`numbers` and `categories` of the segments as a table: one row per segment and column, or level; segment 0 is all
customers.

## From format 2

| format 2 | format 3 |
|---|---|
| `table.columns`, `table.describe` | `table.active`, `table.descriptive` |
| `role`: `builds`, `describes` | `active`, `descriptive` |
| `choice.criterion` | `choice.criterion_name` |
| `bic`, `aic`, ... of a candidate | `criteria`, by name |
| `population.means`, `population.standard_deviations` | `mean` and `sd` in `population.numbers` |
| `ambiguous` | `least_certain` |
| `between`; `first_share`, `second_share` | `ambiguous`; `first_membership`, `second_membership` |
| `certainty.between` | `certainty.ambiguity_matrix` |
| `bands`: `from`, `to` | `lower`, `upper` |
| `kmeans`: `cuts`, `joins`, `elongation`, `certainty_stayed` | `split`, `merged`, `axis_ratio`, `certainty_retained` |
| `stability.flows`, `stayed` | `stability.transitions`, `retention` |
| `diagnostics.passed_over` | `diagnostics.excluded` |
"""


_NAMED = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null",
}  # fmt: skip


def schema() -> str:
    """Return the JSON Schema of the document."""
    found = Document.model_json_schema(mode="serialization")
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def drift_schema() -> str:
    """Return the JSON Schema of ``drift.json``."""
    found = DriftDocument.model_json_schema(mode="serialization")
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """Return the page."""
    found = Document.model_json_schema(mode="serialization")
    parts = found["$defs"]
    sections = [_section("The document", found, parts)]
    sections += [_section(_title(name), parts[name], parts) for name in _order(found, parts)]
    return _INTRODUCTION + "\n".join(sections) + _END


def _title(name: str) -> str:
    """Return the heading of a part: ``KMeansPart`` is "KMeans"."""
    return name.removesuffix("Part")


def _order(part: dict[str, Any], parts: dict[str, Any]) -> Iterator[str]:
    """Yield the names of all parts, each once, after the part that holds it."""
    seen, waiting = set(), list(_refs(part["properties"]))
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            waiting = [*_refs(parts[name]["properties"]), *waiting]


def _refs(value: Any) -> Iterator[str]:
    yield from re.findall(r'"#/\$defs/(\w+)"', json.dumps(value))


def _section(title: str, part: dict[str, Any], parts: dict[str, Any]) -> str:
    lines = [
        f"## {title}",
        "",
        " ".join(part["description"].split()),
        "",
        "| key | type | holds |",
        "|---|---|---|",
    ]
    for key, held in part["properties"].items():
        whole = parts.get(held.get("$ref", "").rpartition("/")[2], {})
        description = " ".join((held.get("description") or whole["description"]).split())
        lines.append(f"| `{key}` | {_type(held)} | {description} |")
    return "\n".join([*lines, ""])


def _type(held: dict[str, Any]) -> str:
    if "$ref" in held:
        name = _title(held["$ref"].rpartition("/")[2])
        return f"[{name}](#{name.lower()})"
    if "anyOf" in held:
        return " or ".join(_type(one) for one in held["anyOf"])
    if held.get("type") == "array":
        if "prefixItems" in held:
            return f"{len(held['prefixItems'])} {_type(held['prefixItems'][0])}s"
        return f"list of {_type(held['items'])}"
    if held.get("type") == "object":
        return f"{_type(held['additionalProperties'])} by name"
    if "enum" in held or "const" in held:
        return " or ".join(f"`{one}`" for one in held.get("enum", [held.get("const")]))
    return _NAMED[held["type"]]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
    DRIFT_SCHEMA.write_text(drift_schema(), encoding="utf-8")
