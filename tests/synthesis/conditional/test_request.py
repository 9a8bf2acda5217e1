"""Requests as they are typed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.synthesis.conditional.request import parse_request

NAMES = ("size_um3", "growth", "division_frame")
NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("size_um3=40±5", 35, 45),
        ("size_um3=40+-5", 35, 45),
        (" size_um3 = 40 +/- 5 ", 35, 45),
        ("size_um3=1e3±.5", 999.5, 1000.5),
        ("division_frame=10..15", 10, 15),
        ("growth=-0.5..1.25", -0.5, 1.25),
        ("growth>=2", 2, math.inf),
        ("growth <= 2.", -math.inf, 2),
    ],
)
def test_ranges(text: str, low: float, high: float) -> None:
    request = parse_request(text, NAMES)
    assert (request.name, request.low, request.high) == (text.strip().split("=")[0].strip(" <>"), low, high)
    assert not request.met_by(math.nan)


def test_strictly_beyond() -> None:
    later, earlier = (parse_request(f"division_frame{sign}10", NAMES) for sign in "><")
    assert [later.met_by(value) for value in (9.0, 10.0, 11.0)] == [False, False, True]
    assert [earlier.met_by(value) for value in (9.0, 10.0, 11.0)] == [True, False, False]


@given(low=NUMBERS, width=st.floats(0, 1e3).map(lambda value: round(value, 3)), value=NUMBERS)
def test_a_range_holds_its_ends_and_what_lies_between(low: float, width: float, value: float) -> None:
    request = parse_request(f"growth={low:f}..{low + width:f}", NAMES)
    assert request.met_by(request.low)
    assert request.met_by(request.high)
    assert request.met_by(value) == (request.low <= value <= request.high)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("size_um3", "not understood; write"),
        ("size_um3=40", "not understood"),
        ("size_um3=40±", "not understood"),
        ("size_um3=nan±1", "not understood"),
        ("size_um3=40 5", "not understood"),
        ("35<size_um3<45", "not understood"),
        ("size_um3>>4", "not understood"),
        ("", "not understood"),
        ("size=40±5", "no descriptor size; did you mean size_um3"),
        ("zebra>1", "there are size_um3, growth, division_frame"),
        ("size_um3=45..35", "an empty range"),
        ("size_um3=40±-5", "an empty range"),
    ],
)
def test_what_is_not_understood_is_one_line(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as fault:
        parse_request(text, NAMES)
    assert "\n" not in str(fault.value)
    assert f"--where {text}" in str(fault.value)
