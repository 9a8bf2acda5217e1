"""Which known positions a gap uses, and which can be hidden."""

from cytoform.completion.gaps import evenly, gap_at, hidden_gaps


def test_a_gap_has_two_known_positions_on_either_side() -> None:
    known = [0, 2, 4, 6, 8]
    assert gap_at("a", 3, known).known == (0, 2, 4, 6)
    assert gap_at("a", 1, known).known == (0, 2, 4)
    assert gap_at("a", 3.5, known).neighbours == (2, 4)
    assert gap_at("a", 3.5, known).nearest == 4
    beyond = gap_at("a", 9, known)
    assert (beyond.known, beyond.is_between, beyond.nearest) == ((6, 8), False, 8)


def test_hidden_positions_lie_between_others_and_are_not_used() -> None:
    gaps = hidden_gaps("a", (0, 2, 4, 6), most=9)
    assert [(gap.sequence, gap.position, gap.known) for gap in gaps] == [("a", 2, (0, 4, 6)), ("a", 4, (0, 2, 6))]
    assert hidden_gaps("a", (0, 9), most=9) == []


def test_neighbours_are_hidden_with_them_for_wide_gaps() -> None:
    gaps = hidden_gaps("a", (0, 1, 2, 3, 4, 5), most=9, reach=2)
    assert [(gap.position, gap.known, gap.width) for gap in gaps] == [(2, (0, 4, 5), 4), (3, (0, 1, 5), 4)]


def test_the_narrowest_are_hidden_and_spread_evenly() -> None:
    assert [gap.position for gap in hidden_gaps("a", (0, 1, 2, 3, 50, 90, 91), most=9)] == [1, 2]
    assert [gap.position for gap in hidden_gaps("a", tuple(range(12)), most=4)] == [1, 4, 7, 10]
    assert evenly([1, 2], 5) == [1, 2]
