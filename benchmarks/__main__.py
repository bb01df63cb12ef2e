"""Run every benchmark, one after the other; each can be run alone as ``python -m benchmarks.NAME``."""

from benchmarks import finished, iteration, missing, onedal, recovery, segment, selection, startup, whole_fit

for module in (iteration, onedal, whole_fit, finished, selection, recovery, missing, startup, segment):
    module.main()
