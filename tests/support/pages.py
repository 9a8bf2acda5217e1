"""Requirements of all HTML pages."""

import re
from html.parser import HTMLParser


def assert_self_contained(page: str) -> None:
    """Assert that a page needs no network and no file except linked ones."""
    for word in ("http:", "https:", "url(", "import(", "fetch(", "<link"):
        assert word not in page
    assert re.findall(r"<script[^>]*\ssrc", page) == []
    assert re.findall(r'src="(?!data:image/)', page) == []


def assert_well_formed(page: str) -> None:
    """Assert that all tags are closed in order."""
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta", "img", "br"}:
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Balance().feed(page)
    assert open_tags == []
