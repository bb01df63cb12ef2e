"""Templates as Jinja2 has compiled them, kept beside them as Python keeps modules."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

__all__ = ["CompiledTemplates"]


class CompiledTemplates(FileSystemBytecodeCache):
    """Keeps compiled templates in ``__pycache__``, where Python may write and is not asked not to.

    What is kept says which Python and Jinja2 compiled it and from what text; anything else is compiled again.

    Parameters
    ----------
    folder : Path
        Of the templates.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder / "__pycache__"), "%s.jinja")

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)
