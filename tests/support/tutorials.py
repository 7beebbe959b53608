"""Tutorials, run as a reader runs them."""

import sys
from importlib import import_module

from places import ROOT
from printed import assert_alike

TUTORIALS = ROOT / "docs" / "tutorials"


def run_tutorial(name):
    """Run the Python of a tutorial, and check that it prints what the page says."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        run_page = import_module("run_page")
    finally:
        sys.path.remove(str(ROOT / "docs"))
    path = TUTORIALS / f"{name}.md"
    with run_page.folder_of_a_reader():
        for block, printed in run_page.outputs(path.read_text(encoding="utf-8"), str(path)):
            assert_alike(printed, block["body"] if block else "")
