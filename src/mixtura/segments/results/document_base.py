"""Base of the parts of the document: no unknown keys, only finite numbers, a description of every key."""

from __future__ import annotations

import ast
import inspect
import math
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler

__all__ = ["Matrix", "Number", "Part"]


def _finite_or_none(value: Any) -> Any:
    """Return the value; None for NaN and infinity, which JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite_or_none)]
"""A number, or null where there is none."""

Matrix = list[list[Number]]


class Part(BaseModel):
    """A part of the document.

    The text below a key describes it in the JSON Schema. It is read from the source when a schema is asked for:
    pydantic's ``use_attribute_docstrings`` reads it at every import, which takes longer than to build the parts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler(core_schema)
        keys = handler.resolve_ref_schema(made)["properties"]
        for part in reversed(cls.__mro__[: cls.__mro__.index(Part)]):
            for name, text in _descriptions(part).items():
                # A key that is described as the part that it holds leaves that to the part.
                if handler.resolve_ref_schema(keys[name]).get("description") != text:
                    keys[name]["description"] = text
        return made


def _descriptions(part: type) -> dict[str, str]:
    """Return the text below each key of a part, by its name."""
    (tree,) = ast.parse(dedent(inspect.getsource(part))).body
    assert isinstance(tree, ast.ClassDef), "the source of a class is a class"
    return {
        key.target.id: inspect.cleandoc(str(text.value.value))
        for key, text in pairwise(tree.body)
        if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
