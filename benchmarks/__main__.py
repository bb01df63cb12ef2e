"""Run every benchmark, one after the other; each can be run alone as ``python -m benchmarks.NAME``."""

from benchmarks import iteration, onedal, recovery, selection, startup, whole_fit

for module in (iteration, onedal, whole_fit, selection, recovery, startup):
    module.main()
