"""A small file for the tests of the command."""

from pathlib import Path

DAYS = "time,load\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-04,4\n"


def write(text, name="data.csv"):
    Path(name).write_text(text)
    return name
