"""The message of an error where an optional dependency is missing."""

__all__ = ["missing_extra"]


def missing_extra(need: str, extra: str) -> str:
    """Return the message that names the missing dependency and the extra that installs it.

    The command in it works wherever the package came from: pip takes the extra of a package that is
    installed already from its metadata, and asks the index for the dependencies alone.

    Parameters
    ----------
    need : str
        The need as a clause, such as ``"pictures need matplotlib"``.
    extra : str
        Name of the extra.

    Examples
    --------
    >>> missing_extra("pictures need matplotlib", "plot")
    'pictures need matplotlib; install timer-forecaster with its extra: \
pip install "timer-forecaster[plot]"'
    """
    return (
        f'{need}; install timer-forecaster with its extra: pip install "timer-forecaster[{extra}]"'
    )
