"""What a command leaves behind."""

from __future__ import annotations

from pathlib import Path

__all__ = ["snapshot"]


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Return all that lies in a folder: the content of files, None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
