"""Run every benchmark, one after the other; each can be run alone as ``python -m benchmarks.NAME``."""

from benchmarks import (
    anomaly,
    finished,
    iteration,
    missing,
    onedal,
    recovery,
    segment,
    selection,
    startup,
    whole_fit,
)

for module in (
    iteration,
    onedal,
    whole_fit,
    finished,
    selection,
    recovery,
    missing,
    startup,
    segment,
    anomaly,
):
    module.main()
