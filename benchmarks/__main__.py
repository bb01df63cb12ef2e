"""Run every benchmark, one after the other; each can be run alone as ``python -m benchmarks.NAME``."""

from benchmarks import iteration, onedal, startup, whole_fit

for module in (iteration, onedal, whole_fit, startup):
    module.main()
