"""Recipes of the package, by their names."""

from __future__ import annotations

from pathlib import Path

_RECIPES = Path(__file__).parent / "recipes"


def recipe_names() -> list[str]:
    """Return the names of the recipes in the package.

    Examples
    --------
    >>> recipe_names()
    ['timer-s1-mini', 'timer-s1-small', 'tiny', 'ttm-mini']
    """
    return sorted(path.stem for path in _RECIPES.glob("*.yaml"))


def settings_file(name: str | Path) -> Path:
    """Return the file of a recipe; or else the path itself.

    The name of a recipe goes before a file of that name in the current directory; ``./NAME`` is
    the file.

    Raises
    ------
    ValueError
        If it is a plain word, but neither a recipe nor a file.

    Examples
    --------
    >>> settings_file("tiny").name
    'tiny.yaml'
    >>> settings_file("runs/mine.yaml").name
    'mine.yaml'
    """
    if name in recipe_names():
        return _RECIPES / f"{name}.yaml"
    path = Path(name)
    if str(name) == path.stem and not path.exists():
        raise ValueError(
            f"{str(name)!r} is neither a file nor a recipe of the package, which are: "
            + ", ".join(recipe_names())
        )
    return path
