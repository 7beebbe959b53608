"""Files that cannot be read are named, with the reason and a remedy."""

import os

import pytest

from timer_forecaster.broken import read_object, remedy

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty: download"),
        (POINTER.encode(), "is a pointer of git-lfs .* run `git lfs pull` in"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"\n<html lang='en'>", "is a web page"),
        (b"\x80\x02}q\x00.", "is cut off, damaged or of another kind"),
    ],
)
def test_the_state_of_a_file_is_told(tmp_path, content, said):
    file = tmp_path / "config.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"config\.json cannot be read: .*{said}"):
        read_object(file)


def test_files_that_are_no_files(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert "is a folder" in remedy(tmp_path / "folder")
    assert "is a link to a file that is gone" in remedy(tmp_path / "link")
    assert "is missing" in remedy(tmp_path / "none")
    with pytest.raises(ValueError, match="is a folder"):
        read_object(tmp_path / "folder")


@pytest.mark.parametrize(
    ("text", "kind"), [("[1]", "a list"), ('"a"', "a text"), ("7", "a number"), ("null", "null")]
)
def test_json_that_is_no_object_is_refused(tmp_path, text, kind):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=f"it is {kind} in place of an object"):
        read_object(tmp_path / "a.json")


def test_text_of_another_encoding_and_deep_json_are_refused(tmp_path):
    file = tmp_path / "a.json"
    for content in (b"\xff\xfe{\x00}\x00", b"[" * 100_000):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.json cannot be read"):
            read_object(file)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_rights_says_so(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "a.json").chmod(0)
    with pytest.raises(ValueError, match="you may not read"):
        read_object(tmp_path / "a.json")
