"""The guides for contributors name what exists."""

import re

import pytest
from places import ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "timer_forecaster"
# Modules that serve files of version 0.1 alone.
OF_VERSION_0_1 = [f"inference/{name}.py" for name in ("adapters", "cache", "frames", "histories")]
MAP = GUIDE[GUIDE.index("## Map of the house") : GUIDE.index("### Rules that CI checks")]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_room_of_the_map_exists():
    rooms = re.findall(r"`([a-z][\w/]*(?:/|\.py))`", MAP)
    assert len(rooms) > 15
    for room in rooms:
        home = ROOT if room.startswith(("benchmarks", "timer_forecaster", "tests")) else PACKAGE
        assert (home / room).exists() or room.startswith(("timer_forecaster/a/", "tests/a/")), room


def test_every_room_of_the_package_is_on_the_map():
    for folder in PACKAGE.iterdir():
        if folder.is_dir() and folder.name != "__pycache__" and folder.name != "models":
            assert f"`{folder.name}/`" in MAP, folder


@pytest.mark.parametrize("path", re.findall(r"(?:tests|docs)/[\w/.-]+\w", GUIDE))
def test_every_file_it_names_exists(path):
    if not path.startswith("tests/a/"):
        assert (ROOT / path).exists()


def test_the_architecture_names_every_module():
    """By its folder and its name, in the tree of rooms."""
    tree = ARCHITECTURE[ARCHITECTURE.index("## The rooms") : ARCHITECTURE.index("## Decisions")]
    rooms = ["checkpoints", "adapters", "frames", "inference", "inference/engine"]
    rooms += ["models", "models/ttm", "models/timer_s1", "models/timer_s1/layouts"]
    for room in rooms:
        for path in (PACKAGE / room).glob("*.py"):
            if path.stem != "__init__" and str(path.relative_to(PACKAGE)) not in OF_VERSION_0_1:
                assert re.search(rf"\b{path.stem}\b", tree), path
