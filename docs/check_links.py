"""Check, without a network, that every link and anchor inside a built site leads somewhere.

    python docs/check_links.py docs/_build/html

It reads the pages as a browser does: links, images, scripts and style sheets, and the ``id`` that
each anchor names. Sphinx warns of most broken references; this also finds those in templates, in
pages that are included, and in raw HTML. The exit status is 1 if a link is broken.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}
_NOT_PAGES = ("_static", "_sources")


class _Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors.update(filter(None, (values.get("id"), values.get("name"))))
        link = values.get(_LINKS.get(tag, ""))
        if link and "preconnect" not in (values.get("rel") or ""):
            self.links.append(link)


def broken_links(site):
    """Return a line for each link of a site that leads nowhere, and the number of links.

    Parameters
    ----------
    site : Path
        Folder of HTML files.

    Returns
    -------
    list of str, int
    """
    site = site.resolve()
    paths = [p for p in site.rglob("*.html") if p.relative_to(site).parts[0] not in _NOT_PAGES]
    pages = {path: _Page(path) for path in paths}
    broken, n_links = [], 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            n_links += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target = target / "index.html"
            if not target.is_file():
                broken.append(f"{path.relative_to(site)}: {link}: there is no such file")
            elif parts.fragment and target in pages:
                if unquote(parts.fragment) not in pages[target].anchors:
                    broken.append(f"{path.relative_to(site)}: {link}: there is no such anchor")
    return sorted(set(broken)), n_links


def main(words):
    """Print what is broken; return the exit status."""
    (site,) = words
    broken, n_links = broken_links(Path(site))
    print("\n".join(broken) or f"{n_links} links inside the site, and none is broken")
    return 1 if broken or not n_links else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
