"""Who gets a place, who waits, and who is sent away."""

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.resilience.admission import LAG_SECONDS, Admission, Strain


class Somebody:
    """A waiter."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.told: bool | None = None
        self.has_gone = False

    def done(self) -> bool:
        return self.told is not None or self.has_gone

    def set_result(self, is_admitted: bool, /) -> None:
        assert not self.done(), "called twice"
        self.told = is_admitted


def full(limit: int) -> Admission:
    house = Admission(limit)
    assert all(house.enter() for _ in range(limit))
    assert not house.enter()
    return house


def test_a_place_goes_to_whoever_has_waited_longest() -> None:
    house = full(2)
    first, second = Somebody(), Somebody()
    assert house.wait("a", first)
    assert house.wait("a", second)
    house.leave()
    assert (first.told, second.told) == (True, None)
    assert not house.enter(), "nobody passes the line"


def test_programs_take_turns() -> None:
    house = full(4)
    many = [Somebody() for _ in range(3)]
    for each in many:
        house.wait("busy", each)
    single = Somebody()
    house.wait("quiet", single)
    house.leave()
    house.leave()
    assert [each.told for each in (*many, single)] == [True, None, None, True]


def test_a_full_line_still_has_room_for_a_program_that_nobody_waits_for() -> None:
    house = full(2)
    first, second, other = Somebody(), Somebody(), Somebody()
    house.wait("busy", first)
    house.wait("busy", second)
    assert not house.wait("busy", Somebody())
    assert house.wait("quiet", other)
    assert (first.told, second.told) == (None, False), "the newest of the longest line makes room"
    assert house.in_line == 2


def test_who_has_gone_is_passed_over() -> None:
    house = full(2)
    gone, here = Somebody(), Somebody()
    house.wait("a", gone)
    house.wait("a", here)
    gone.has_gone = True
    house.leave()
    assert here.told is True
    assert house.inside == 2


def test_giving_up_says_whether_there_was_anything_to_give_up() -> None:
    house = full(1)
    waiter = Somebody()
    house.wait("a", waiter)
    assert house.give_up("a", waiter)
    assert not house.give_up("a", waiter)
    assert house.in_line == 0


def test_under_strain_one_at_a_time_is_served_and_nobody_waits() -> None:
    house = Admission(5)
    house.is_strained = True
    assert house.enter()
    assert not house.enter()
    assert not house.wait("a", Somebody())
    house.leave()
    assert house.enter()


def test_at_the_end_nobody_is_left_in_line() -> None:
    house = full(2)
    waiters = [Somebody(), Somebody()]
    for name, each in zip("ab", waiters, strict=True):
        house.wait(name, each)
    house.send_away()
    assert [each.told for each in waiters] == [False, False]
    house.leave()
    assert house.inside == 1


@given(st.lists(st.tuples(st.sampled_from(["come", "leave", "give up", "strain", "calm"]), st.integers(0, 3)), max_size=80))
def test_nobody_is_lost_and_the_house_is_never_too_full(steps: list[tuple[str, int]]) -> None:
    house, inside, waiting = Admission(3), 0, list[Somebody]()
    for step, program in steps:
        name = str(program)
        match step:
            case "come" if house.enter():
                inside += 1
            case "come":
                waiter = Somebody(name)
                if house.wait(name, waiter):
                    waiting.append(waiter)
            case "leave" if inside:
                inside -= 1
                house.leave()
            case "give up" if waiting:
                one = waiting.pop(program % len(waiting))
                assert house.give_up(one.name, one)
            case "strain" | "calm":
                house.is_strained = step == "strain"
                house.call()
        inside += sum(each.told is True for each in waiting)
        waiting = [each for each in waiting if each.told is None]
        assert (house.inside, house.in_line) == (inside, len(waiting))
        assert inside <= 3
        assert len(waiting) <= 3
        assert inside or not waiting, "somebody waits though the house is empty"


def test_one_late_turn_is_no_strain_but_two_are() -> None:
    strain = Strain(1000)
    late = LAG_SECONDS * 2
    assert [strain.felt(lag, 0) for lag in (late, 0.0, late, late, 0.0)] == [False, False, False, True, False]


def test_too_much_memory_is_strain_at_once() -> None:
    strain = Strain(1000)
    assert [strain.felt(0.0, memory) for memory in (1000, 1001, 900)] == [False, True, False]
