"""Programs that measure the figures of the pages in ``docs``.

Each program is a module or a package of this one. Start it from the root of the repository::

    python -m benchmarks.NAME --help
"""
