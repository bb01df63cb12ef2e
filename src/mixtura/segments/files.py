"""The files of a segmentation."""

from __future__ import annotations

from pathlib import Path

from mixtura.io import readable_json, writing
from mixtura.segments.segmentation import SegmentationResult
from mixtura.segments.summary import summarize

__all__ = ["write_results"]


def write_results(result: SegmentationResult, folder: str | Path, *, picture: bytes | None = None) -> None:
    """Write the files of a segmentation, `mixtura.io.RESULT_FILES`, into a directory.

    Parameters
    ----------
    result : SegmentationResult
    folder : str or Path
        An existing directory, as `mixtura.io.output_directory` gives one.
    picture : bytes or None, default=None
        ``segments.png``, from `mixtura.plot.draw_segments`.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    folder = Path(folder)
    with writing(folder):
        result.assignment.write(folder / "segments.csv")
        result.assignment.write(folder / "segments.parquet")
        (folder / "model.json").write_text(result.model.to_json(), encoding="utf-8")
        (folder / "summary.json").write_text(readable_json(summarize(result)), encoding="utf-8")
        if picture is not None:
            (folder / "segments.png").write_bytes(picture)
