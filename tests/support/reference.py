"""The names on the pages of the reference."""

import re

from places import ROOT


def documented():
    """Return pairs of a module, without the name of the package, and a name in it."""
    pairs = []
    for path in sorted((ROOT / "docs" / "reference").glob("*.rst")):
        module = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"\.\. currentmodule:: timer_forecaster\.?(.*)", line):
                module = found[1]
            elif module is not None and (found := re.match(r"(?:   |\.\. py:data:: )(\w+)$", line)):
                pairs.append((module, found[1]))
    return pairs
