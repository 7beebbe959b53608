"""The message of an error where an optional dependency is missing."""

__all__ = ["missing_extra"]


def missing_extra(need: str, extra: str) -> str:
    """Return the message that names the missing dependency and the extra that installs it.

    The command in it also works in a clone of the repository, before the package is on an index.

    Parameters
    ----------
    need : str
        The need as a clause, such as ``"pictures need matplotlib"``.
    extra : str
        Name of the extra.

    Examples
    --------
    >>> missing_extra("pictures need matplotlib", "plot")
    "pictures need matplotlib; install timer-forecaster with its extra 'plot', from a clone: \
pip install '.[plot]'"
    """
    return (
        f"{need}; install timer-forecaster with its extra '{extra}', "
        f"from a clone: pip install '.[{extra}]'"
    )
