from asr.lab.curve import Curve

CURVE = Curve(0.1, past=(1.0, 0.5, 0.2, 0.01, 0.001), future=(1.0, 0.1, 0.02))


def test_points_go_from_the_past_to_the_future() -> None:
    seconds, norms = zip(*CURVE.points, strict=True)

    assert [round(s, 9) for s in seconds] == [-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2]
    assert norms == (0.001, 0.01, 0.2, 0.5, 1.0, 0.1, 0.02)


def test_half_of_the_sum_lies_within_the_distance_that_holds_it() -> None:
    assert CURVE.half == 0.0  # 1 of 1.831
    assert Curve(0.1, past=(1.0, 1.0, 1.0), future=(1.0, 1.0)).half == 0.1  # all 4 but one


def test_the_reach_is_the_farthest_input_at_the_level_even_beyond_a_gap() -> None:
    assert CURVE.reach(0.1) == (0.2, 0.1)
    assert Curve(0.5, past=(1.0, 0.0, 0.3, 0.0), future=(1.0,)).reach(0.1) == (1.0, 0.0)


def test_a_curve_that_still_has_the_level_at_its_end_says_so() -> None:
    assert CURVE.is_beyond(0.01) == (False, True)
    assert Curve(0.5, past=(1.0,), future=(1.0,)).is_beyond(0.01) == (False, False)
