from collections.abc import Callable

import pytest

from asr.text.markdown import (
    block,
    code,
    count,
    escape,
    percent,
    real_time_factor,
    table,
    visible,
)


def test_a_table_can_be_read_as_plain_text() -> None:
    assert table(["name", "what", "n"], [["a", "first", "1,000"]], n_text=2) == (
        "| name | what  |     n |\n|:-----|:------|------:|\n| a    | first | 1,000 |"
    )


def test_a_table_may_have_no_rows() -> None:
    assert table(["a", "b"], []) == "| a | b |\n|:--|--:|"


def test_backticks_in_code_do_not_end_it() -> None:
    assert code("echo `date`") == "`` echo `date` ``"
    assert code("echo") == "`echo`"


def test_backticks_in_a_block_do_not_end_it() -> None:
    assert block("```\nx") == "````text\n```\nx\n````"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<script>", r"\<script\>"),
        ("a|b", r"a\|b"),
        ("*x* `y` [z](u) ~~w~~ &amp;", r"\*x\* \`y\` \[z\](u) \~\~w\~\~ \&amp;"),
        ("_x_ snake_case", r"\_x\_ snake_case"),
        ("a\\|b", r"a\\\|b"),
        ("a\nb\x1b[0m", r"a\\nb\\x1b\[0m"),
        ("4gram.lm × 1.4 → DON'T (5 %)", "4gram.lm × 1.4 → DON'T (5 %)"),
    ],
)
def test_nothing_in_escaped_text_is_markup(text: str, escaped: str) -> None:
    assert escape(text) == escaped
    assert table(["x"], [[text]]).splitlines()[2].strip("| ") == escaped


@pytest.mark.parametrize("write", [escape, code, visible])
def test_control_characters_are_spelled_out_on_one_line(write: Callable[[str], str]) -> None:
    assert "x1b" in write("a\x1b\nb\u2028c")
    assert write("a\x1b\nb\u2028c").isprintable()


def test_rates_have_two_decimals_and_may_be_infinite() -> None:
    assert percent(0.451249) == "45.12"
    assert percent(1.5) == "150.00"
    assert percent(float("inf")) == "∞"


def test_a_fast_computer_has_a_real_time_factor_above_zero() -> None:
    written = [real_time_factor(factor) for factor in (41.54, 0.5, 0.05, 0.0075, 0.00036, 0.0)]
    assert written == ["41.540", "0.500", "0.050", "0.0075", "0.00036", "0.000"]


def test_thousands_are_set_apart() -> None:
    assert count(1234567) == "1,234,567"


def test_text_cannot_turn_what_follows_around() -> None:
    assert visible("a\u202eb\u2066c") == "a\\u202eb\\u2066c"
    assert visible("שלום привет") == "שלום привет"
