"""Process settings that must stand before torch is imported by any test."""

import os

from hypothesis import settings

# OpenMP workers spin at every barrier. When the test workers of pytest-xdist (or anything else)
# share the cores, each operation then waits for a scheduler slice: forecasts were measured ten
# times slower with torch's default of one thread a core than with one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test needs the network; one that tries is told so at once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The same examples in every run, and no limit on their time: shared machines are slow at times.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")
