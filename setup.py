"""The description for package indexes: the README, with addresses in place of paths.

An index shows the README outside the repository, where relative links lead nowhere. All else about
the package is in `pyproject.toml`.
"""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"][
    "Repository"
]


def with_addresses(text: str) -> str:
    """Return Markdown whose relative links and images are addresses in the repository."""
    text = re.sub(r"<!--.*?-->\n?", "", text)  # marks for the tests
    relative = r"(?!https?:|mailto:|#)([^)\s]+)\)"
    text = re.sub(rf"(!\[[^\]]*\]\(){relative}", rf"\1{REPOSITORY}/raw/main/\2)", text)
    return re.sub(rf"((?<!!)\[[^\]]*\]\(){relative}", rf"\1{REPOSITORY}/blob/main/\2)", text)


if __name__ == "__main__":
    setup(
        long_description=with_addresses((ROOT / "README.md").read_text("utf-8")),
        long_description_content_type="text/markdown",
    )
