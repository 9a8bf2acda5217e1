"""Text for a terminal: one line without control characters, and addresses without what is secret in them."""

import re
from urllib.parse import urlsplit, urlunsplit

LONGEST = 2000
# Scheme; user and password, which may hold a slash by mistake; place; query or fragment.
ADDRESS = re.compile(
    r"""\b([a-z][a-z0-9+.-]*://)(?:[^\s/@"']*(?::(?!\d+/)[^\s@"']*)?@)?([^\s?#"']*)([?#](?:[^\s"';,)]*[^\s"';,):])?)?""",
    re.I,
)


def one_line(text: str) -> str:
    """Text as one line of at most 2000 characters, fit for any terminal."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"


def printable(text: str) -> str:
    """Text with escapes for signs that move the cursor, reverse the line or cannot be encoded; no secrets in addresses."""
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return ADDRESS.sub(lambda found: found[1] + found[2] + ("?…" if found[3] else ""), shown)


def encodable(text: str) -> str:
    """Text with escapes for what is no text: the name of a file may hold any bytes."""
    return text.encode(errors="backslashreplace").decode()


def without_secrets(address: str) -> str:
    """An address without user, password, query and fragment, to be recorded."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return printable(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
