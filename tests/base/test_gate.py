"""Texts of others, read without harm: what tomllib and regular expressions would take hours for."""

import pytest

from cytoform.base.gate import parse_toml


@pytest.mark.parametrize("word", ["x", "x ", "'", "x-"])
def test_long_values_are_read(word: str) -> None:
    long = word * 1_000_000
    assert parse_toml(f'[a]\nb = "{long}"') == {"a": {"b": long}}


@pytest.mark.parametrize("dot", [".", " . ", ".\t"])
def test_a_key_of_many_parts_is_refused(dot: str) -> None:
    with pytest.raises(RecursionError):
        parse_toml(dot.join(["a", '"b"', "c-d"] * 50_000) + " = 1")
    assert parse_toml(dot.join("abc") + " = 1") == {"a": {"b": {"c": 1}}}
