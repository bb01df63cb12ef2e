"""The page on the document and its schema are those of the code."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from mixtura.segments.results.document import Document
from presentation.documents import content

SOURCE = Path(__file__).resolve().parents[2] / "docs" / "hooks" / "summary_reference.py"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    found = importlib.util.spec_from_file_location("summary_reference", SOURCE)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_page_and_schema_are_current(reference: ModuleType) -> None:
    hint = "run: python docs/hooks/summary_reference.py"
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), hint
    assert reference.SCHEMA.read_text(encoding="utf-8") == reference.schema(), hint
    assert reference.DRIFT_SCHEMA.read_text(encoding="utf-8") == reference.drift_schema(), hint


def test_every_key_is_described(reference: ModuleType) -> None:
    schemas = [json.loads(one) for one in (reference.schema(), reference.drift_schema())]
    for part in (one for schema in schemas for one in (schema, *schema["$defs"].values())):
        assert part["description"], part["title"]
        for key, held in part["properties"].items():
            # A reference has the description of the part.
            assert held.get("description") or "$ref" in held, (part["title"], key)


def test_every_key_of_a_document_is_on_the_page(reference: ModuleType) -> None:
    page = reference.page()
    for part, held in content().items():
        assert f"| `{part}` |" in page
        for key in held if isinstance(held, dict) else ():
            assert f"| `{key}` |" in page


def test_the_schema_refuses_what_is_missing(reference: ModuleType) -> None:
    required = json.loads(reference.schema())["required"]
    assert set(required) == set(Document.model_fields)
