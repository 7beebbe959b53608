"""Kill each command that writes, and check what it leaves; see `benchmarks.kills.__main__`."""
