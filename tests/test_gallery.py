"""Each program of the examples has a page and a card with its picture."""

import re
import sys
from importlib import import_module

import pytest
from places import ROOT

GALLERY = ROOT / "docs" / "gallery"
PROGRAMS = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
INDEX = (GALLERY / "index.md").read_text(encoding="utf-8")
CARD = re.compile(
    r":::\{grid-item-card\} (?P<title>.+)\n:link: (?P<page>\w+)\n:link-type: doc\n"
    r":img-top: (?P<picture>.+)\n:img-alt: (?P<alt>.+)\n(?P<sentence>.+)\n:::\n"
)


@pytest.fixture
def run_page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    yield import_module("run_page")
    del sys.modules["run_page"]


def test_every_program_has_a_card_and_a_place_in_the_menu():
    assert sorted(card["page"] for card in CARD.finditer(INDEX)) == PROGRAMS
    menu = re.search(r"```\{toctree\}\n:hidden:\n\n(.*?)```", INDEX, flags=re.S)[1].split()
    assert sorted(menu) == PROGRAMS
    assert sorted(path.stem for path in GALLERY.glob("*.md")) == sorted(["index", *PROGRAMS])


@pytest.mark.parametrize("card", list(CARD.finditer(INDEX)), ids=lambda card: card["page"])
def test_a_page_has_what_its_card_says(card):
    text = (GALLERY / f"{card['page']}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {card['title']}\n\n{card['sentence']}\n")
    assert f"![{card['alt']}]({card['picture']})" in text
    assert f"```{{literalinclude}} ../../examples/{card['page']}.py\n" in text
    assert re.search(r"```text\n.+```", text, flags=re.S), "what the program prints is absent"
    assert (GALLERY / card["picture"]).stat().st_size < 60_000


def test_no_picture_is_left_over():
    shown = {card["picture"].rpartition("/")[2] for card in CARD.finditer(INDEX)}
    assert {path.name for path in (ROOT / "docs/images/gallery").iterdir()} == shown


def test_a_page_takes_output_and_picture_of_the_program_that_it_includes(
    run_page, tmp_path, monkeypatch
):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "draw.py").write_text(
        "import tempfile\nfrom pathlib import Path\nfrom matplotlib import figure\n"
        "picture = Path(tempfile.mkdtemp(), 'line.png')\nfigure.Figure().savefig(picture)\n"
        "print(f'picture: {picture}')\n"
    )
    docs = tmp_path / "docs"
    (docs / "images").mkdir(parents=True)
    page = docs / "draw.md"
    before = "![a](../images/gallery/line.png)\n```{literalinclude} ../examples/draw.py\n```\n"
    page.write_text(f"{before}\n```text\n```\n")
    monkeypatch.setattr(run_page, "DOCS", docs)
    run_page.write(page)
    assert page.read_text() == f"{before}\n```text\npicture: /tmp/new/line.png\n```\n"
    assert image.open(docs / "images" / "gallery" / "line.png").mode == "P"
    assert [path.name for path in (tmp_path / "examples").iterdir()] == ["draw.py"]
