"""What to say where an optional dependency is missing."""

__all__ = ["lacking"]


def lacking(what: str, extra: str) -> str:
    """Say what is needed and which extra brings it, in words that are right from a clone too.

    Examples
    --------
    >>> lacking("pictures need matplotlib", "plot")
    "pictures need matplotlib; install timer-forecaster with its extra 'plot', from a clone: \
pip install '.[plot]'"
    """
    return (
        f"{what}; install timer-forecaster with its extra '{extra}', "
        f"from a clone: pip install '.[{extra}]'"
    )
