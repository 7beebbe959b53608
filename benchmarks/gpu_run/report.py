"""The report of the program, kept on disk from the first line on."""

from __future__ import annotations

from pathlib import Path


class Report:
    """Lines that are printed, and appended to a file.

    Parameters
    ----------
    folder : Path
        Receives ``report.md``.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._file = folder, folder / "report.md"
        self._file.unlink(missing_ok=True)

    def __call__(self, text: str) -> None:
        """Print a text, and append it to the file."""
        print(text, flush=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
