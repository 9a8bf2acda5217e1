"""Lines for a terminal: nothing moves its cursor, and nothing secret is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.base.lines import LONGEST, one_line, printable, without_secrets


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_one_printable_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    line.encode("utf-8")


def test_plain_text_is_left_as_it_is() -> None:
    text = "/data/µm ±5: 'a b.zarr', frame 3: 16³ voxels; see https://cbia.fi.muni.cz/x.html, or ask a@b.cz"
    assert printable(text) == one_line(text) == text
    assert one_line("a\n b\t c") == "a b c"
    assert len(one_line("x" * 10**6)) <= LONGEST + 3
    assert one_line("\x1b[2J\u202eabc\udc80") == "\\x1b[2J\\u202eabc\\udc80"


@pytest.mark.parametrize(
    ("address", "shown", "recorded"),
    [
        ("https://me:hunter2@x.org/a.zip", "https://x.org/a.zip", "https://x.org/a.zip"),
        ("https://hunter2@x.org:80/a.zip", "https://x.org:80/a.zip", "https://x.org:80/a.zip"),
        ("https://me:hun/ter2@x.org/a.zip", "https://x.org/a.zip", None),
        ("https://x.org/a.zip?token=hunter2&b=1", "https://x.org/a.zip?…", "https://x.org/a.zip"),
        ("https://x.org/a.zip#hunter2", "https://x.org/a.zip?…", "https://x.org/a.zip"),
        ("tcp://me:hunter2@node:8786", "tcp://node:8786", "tcp://node:8786"),
        ("https://x.org:8080/a@2x.zip", "https://x.org:8080/a@2x.zip", "https://x.org:8080/a@2x.zip"),
    ],
)
def test_addresses_lose_their_secrets(address: str, shown: str, recorded: str | None) -> None:
    assert one_line(f"{address}: the server answered 404; (Caused by {address}) 'x'").count(shown) == 2
    assert "hunter2" not in one_line(f"--mirror {address}, again")
    if recorded is not None:
        assert without_secrets(address) == recorded
