"""Put what `mixtura COMMAND --help` prints where a page says `<!-- help: COMMAND -->`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

__all__ = ["on_page_markdown"]

MARK = re.compile(r"^<!-- help:([a-z ]*)-->$", re.MULTILINE)
PLAIN = {"COLUMNS": "96", "TERM": "dumb", "NO_COLOR": "1"}


def help_of(command: str) -> str:
    words = [str(Path(sys.executable).with_name("mixtura")), *command.split(), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **PLAIN})
    if done.returncode != 0:
        raise PluginError(f"{' '.join(words)} failed:\n{done.stderr}")
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in every mark of a page."""
    return MARK.sub(lambda found: f"```text\n{help_of(found[1])}\n```", markdown)
