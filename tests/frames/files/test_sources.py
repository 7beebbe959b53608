"""The kind of a file is told by its bytes."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest
from series_files import as_file, assert_read, text_of

from timer_forecaster.frames.files.sources import STANDARD_INPUT, Source
from timer_forecaster.frames.reading import read_series


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, text_of())
    return buffer.getvalue()


PACKED = {
    "gzip": gzip.compress(text_of().encode()),
    "bzip2": bz2.compress(text_of().encode()),
    "xz": lzma.compress(text_of().encode()),
    "zip": zipped("data.csv"),
}


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.txt", "data"])
@pytest.mark.parametrize("packing", PACKED)
def test_packed_files_are_read_whatever_their_name(packing, name, tmp_path):
    (tmp_path / name).write_bytes(PACKED[packing])
    assert_read(read_series(tmp_path / name))
    read = read_series(as_file(PACKED[packing]))
    assert_read(read)
    assert f"packed by {packing}" in read.report.format


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped("a.csv", "b.csv"), "the archive holds 2 files: unpack it and name one"),
        (PACKED["zip"][:60], "the archive is damaged"),
        (b"\x28\xb5\x2f\xfd....", "it is packed by zstd: unpack it first"),
        (b"<!DOCTYPE html>\n<html>", "it is a web page or XML"),
        (b'[{"time": "2024-01-01"}]', "it is JSON: write the table as CSV or Parquet"),
        (b"%PDF-1.7", "it is a PDF"),
        (b"SQLite format 3\x00", "it is a database"),
        (bytes(range(256)), "neither a text nor an Excel or Parquet file"),
    ],
    ids=["two files", "damaged", "zstd", "web page", "JSON", "PDF", "database", "bytes"],
)
def test_other_kinds_are_refused_by_name(data, message, tmp_path):
    file = tmp_path / "data.csv"
    file.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        read_series(file)
    assert str(caught.value).startswith(f"{file}: {message}") or message in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_packed_file_that_is_cut_off_is_named(tmp_path):
    for name, data in PACKED.items():
        file = tmp_path / name
        file.write_bytes(data[:-20])
        with pytest.raises(ValueError, match=f"{file}: "):
            read_series(file)


def test_names_of_sources(tmp_path):
    assert Source.of(as_file("a,b")).name == STANDARD_INPUT
    (tmp_path / "a.csv").write_text("a,b")
    with (tmp_path / "a.csv").open("rb") as file:
        assert Source.of(file).name == str(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file, pytest.raises(TypeError, match="must be binary"):
        Source.of(file)
    with pytest.raises(ValueError, match="is a folder; name one of its files"):
        Source.of(tmp_path)


@pytest.mark.parametrize("given", [3, None, b"data.csv", ["data.csv"], {"path": "data.csv"}])
def test_a_file_that_is_neither_a_path_nor_open_is_refused(given):
    with pytest.raises(TypeError, match="a path or an open binary file"):
        read_series(given)


def test_an_open_file_of_text_is_refused():
    with pytest.raises(TypeError, match="must be binary"):
        read_series(io.StringIO(text_of()))
