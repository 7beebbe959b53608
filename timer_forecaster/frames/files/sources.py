"""The bytes of a file: where they come from, how they are packed, and the kind they hold.

The kind is told from the first bytes, so that a wrong suffix changes nothing.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import pandas as pd

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""Errors of packed bytes that are not whole."""

STANDARD_INPUT = "standard input"

_PARQUET = b"PAR1"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_PACKERS: dict[bytes, tuple[str, Callable[[BinaryIO], object]]] = {
    b"\x1f\x8b": ("gzip", lambda stream: gzip.GzipFile(fileobj=stream)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ": ("xz", lzma.LZMAFile),
}
_UNREADABLE = {
    b"\x28\xb5\x2f\xfd": "it is packed by zstd: unpack it first (unzstd FILE)",
    b"7z\xbc\xaf": "it is a 7-Zip archive: unpack it first",
    b"ARROW1": "it is an Arrow or Feather file: write it as Parquet",
    b"%PDF": "it is a PDF: export the table as CSV",
    b"{\\rtf": "it is a text document: export the table as CSV",
    b"\x89HDF": "it is an HDF5 file: write the table as Parquet or CSV",
    b"SQLite format 3": "it is a database: export the table as CSV",
}
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml")


class Source(NamedTuple):
    """A file, or bytes that stand for one.

    Parameters
    ----------
    name : str
        Name in errors and reports.
    path : Path or None
        The file; None for bytes.
    data : bytes
        The bytes, where there is no file.
    frame : pandas.DataFrame, optional
        The columns, where a caller has read them, such as a part of a file.
    """

    name: str
    path: Path | None
    data: bytes = b""
    frame: pd.DataFrame | None = None

    @classmethod
    def of(cls, given: str | Path | BinaryIO | Source) -> Source:
        """Return the source of a path or of an open binary file, or a source as it is.

        Raises
        ------
        ValueError
            If there is no such file.
        TypeError
            If it is neither a path nor an open file, or the open file gives text.
        """
        if isinstance(given, Source):
            return given
        if isinstance(given, str | Path):
            path = Path(given)
            if not path.exists():
                raise ValueError(f"there is no file {path}")
            if path.is_dir():
                raise ValueError(f"{path} is a folder; name one of its files")
            if path.is_file():
                return cls(str(path), path)
            return cls(str(path), None, path.read_bytes())  # a pipe is read once
        if not callable(getattr(given, "read", None)):
            raise TypeError(
                f"the file must be a path or an open binary file, not {type(given).__name__}"
            )
        data = given.read()
        if not isinstance(data, bytes):
            raise TypeError("an open file must be binary, such as open(path, 'rb')")
        name = getattr(given, "name", None)
        named = isinstance(name, str) and name != "<stdin>"
        return cls(str(name) if named else STANDARD_INPUT, None, data)

    def packed(self) -> BinaryIO:
        """Open the bytes as they are stored."""
        return io.BytesIO(self.data) if self.path is None else self.path.open("rb")

    def head(self) -> bytes:
        """Return the first bytes as they are stored."""
        with self.packed() as stream:
            return stream.read(512)

    def kind(self) -> str:
        """Return "text", "parquet" or "excel"; "frame" where the columns are read already.

        Raises
        ------
        ValueError
            If the bytes are of a kind that is not read. The error says what to do.
        """
        if self.frame is not None:
            return "frame"
        head = self.head()
        for mark, advice in _UNREADABLE.items():
            if head.startswith(mark):
                raise ValueError(advice)
        if head.startswith(_PARQUET):
            return "parquet"
        packed_sheets = head.startswith(_ZIP) and any(
            name.startswith(("xl/", "mimetype")) for name in self._members()
        )
        if head.startswith(_OLD_OFFICE) or packed_sheets:
            return "excel"
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.lower().startswith(_MARKUP):
            raise ValueError("it is a web page or XML, whatever its name says: export it as CSV")
        if start.startswith((b"[{", b'{"')):
            raise ValueError("it is JSON: write the table as CSV or Parquet")
        return "text"

    def packing(self) -> str | None:
        """Return the name of the way in which the bytes are packed; None if they are plain."""
        head = self.head()
        if head.startswith(_ZIP):
            return "zip"
        return next((name for mark, (name, _) in _PACKERS.items() if head.startswith(mark)), None)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the bytes, unpacked.

        Raises
        ------
        ValueError
            If an archive has no or several files.
        """
        head = self.head()
        with ExitStack() as opened:
            stream = opened.enter_context(self.packed())
            if head.startswith(_ZIP):
                members = self._members()
                if len(members) != 1:
                    raise ValueError(
                        f"the archive holds {len(members)} files: unpack it and name one"
                    )
                archive = opened.enter_context(zipfile.ZipFile(stream))
                stream = cast(BinaryIO, opened.enter_context(archive.open(members[0])))
            for mark, (_, unpack) in _PACKERS.items():
                if head.startswith(mark):
                    stream = opened.enter_context(cast(BinaryIO, unpack(stream)))
            yield stream

    def _members(self) -> list[str]:
        try:
            with self.packed() as stream, zipfile.ZipFile(stream) as archive:
                names = archive.namelist()
        except zipfile.BadZipFile as error:
            raise ValueError(f"the archive is damaged: {error}") from error
        return [
            name for name in names if not name.endswith("/") and not name.startswith("__MACOSX/")
        ]
