"""Tables in Markdown, and the pages that hold them."""

import pytest

from benchmarks.pages import markdown, write_page


def test_a_table_has_three_digits():
    rows = [{"name": "a", "n": 1234, "s": 0.012345}, {"name": "b", "n": None, "s": 123.4}]
    assert markdown(rows).splitlines() == [
        "| name | n | s |",
        "| --- | --- | --- |",
        "| a | 1,234 | 0.0123 |",
        "| b | – | 123 |",
    ]


def test_a_page_keeps_its_text_and_gets_the_tables(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- one -->\nold\n<!-- end one -->\nAfter.\n")
    write_page(page, {"one": "| new |"})
    assert page.read_text() == "Before.\n<!-- one -->\n| new |\n<!-- end one -->\nAfter.\n"
    with pytest.raises(ValueError, match="<!-- other -->"):
        write_page(page, {"other": ""})
