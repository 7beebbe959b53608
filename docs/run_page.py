"""Run the Python of pages, block after block, and show or write what it prints.

    python docs/run_page.py docs/tutorials/first_forecast.md
    python docs/run_page.py --write docs/tutorials/*.md
    python docs/run_page.py --write docs/gallery/[!i]*.md

Python is a block of the page, or a program that the page includes. A block of text between it and
the next one is what it prints. Each page runs in an empty folder with a copy of ``examples``.
``--write`` puts what was printed into the page, and each picture that the page shows and its
Python has saved into ``docs/images``.
"""

import argparse
import contextlib
import io
import os
import re
import runpy
import shutil
import tempfile
from pathlib import Path
from unittest import mock

DOCS = Path(__file__).resolve().parent

_BLOCK = re.compile(r"```(python|text|\{literalinclude\} (?P<program>\S+))\n(?P<body>.*?)```", re.S)
_PICTURE = re.compile(r"\(\.\./images/([\w/]+\.png)\)")
_COLORS = 32


def outputs(text, name="page"):
    """Run the Python of a page in the current folder.

    Parameters
    ----------
    text : str
        The page.
    name : str
        Its name, for tracebacks.

    Yields
    ------
    match, str
        The block of text after each block of Python, or None, and what the Python printed.
    """
    found = list(_BLOCK.finditer(text))
    names = {"__name__": "__main__"}
    for number, match in enumerate(found):
        if match[1] == "text":
            continue
        line = text.count("\n", 0, match.start()) + 1
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if match["program"]:
                runpy.run_path(f"examples/{Path(match['program']).name}", run_name="__main__")
            else:
                exec(compile("\n" * line + match["body"], name, "exec"), names)  # noqa: S102
        after = found[number + 1] if number + 1 < len(found) else None
        yield (after if after and after[1] == "text" else None), printed.getvalue()


@contextlib.contextmanager
def folder_of_a_reader():
    """Work in an empty folder that has the examples, as a reader does."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(DOCS.parent / "examples", "examples")
        yield Path(folder)


def refreshed(text, results):
    """Return a page with what its Python printed."""
    parts, end = [], 0
    for block, printed in results:
        if block is not None:
            parts += [text[end : block.start("body")], printed]
            end = block.end("body")
    return "".join(parts) + text[end:]


def write(page):
    """Run a page, and write what it prints and draws."""
    text = page.read_text(encoding="utf-8")
    with folder_of_a_reader() as folder:
        temporary = folder / "temporary"  # programs write to new folders in it
        temporary.mkdir()
        with mock.patch("tempfile.tempdir", str(temporary)):
            results = list(outputs(text, str(page)))
        shown = re.compile(rf"{re.escape(str(temporary))}/\w+")
        results = [(block, shown.sub("/tmp/new", printed)) for block, printed in results]  # noqa: S108
        page.write_text(refreshed(text, results), encoding="utf-8")
        for picture in _PICTURE.findall(text):
            for saved in folder.rglob(Path(picture).name):
                save_small(saved, DOCS / "images" / picture)


def save_small(picture, path):
    """Copy a picture with few colors: a drawing has no more, and takes a third of the bytes."""
    from PIL import Image

    few = Image.open(picture).convert("RGB").quantize(_COLORS, dither=Image.Dither.NONE)
    path.parent.mkdir(exist_ok=True)
    few.save(path, optimize=True)


def main():
    """Run the pages of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="write outputs and pictures")
    arguments = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "Agg")
    for page in [page.resolve() for page in arguments.pages]:
        if arguments.write:
            write(page)
            continue
        with folder_of_a_reader():
            results = outputs(page.read_text(encoding="utf-8"), str(page))
            print("".join(printed for _, printed in results))


if __name__ == "__main__":
    main()
