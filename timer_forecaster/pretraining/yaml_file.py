"""Reading YAML, in which a key stands once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class _UniqueKeys(yaml.SafeLoader):
    """A loader that refuses a key that stands twice; YAML's own takes the last one silently."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Return keys and values."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.YAMLError(
                    f"the key {key.value!r} stands twice, the second time in line "
                    f"{key.start_mark.line + 1}"
                )
            if isinstance(key.value, str):
                seen.add(key.value)
        values: dict[Any, Any] = super().construct_mapping(node, deep)
        return values


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file.

    Raises
    ------
    ValueError
        If it is not YAML, or if a key stands twice. The error names the file.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            return yaml.load(file, _UniqueKeys)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
