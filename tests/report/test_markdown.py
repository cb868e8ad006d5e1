from asr.report.markdown import code, count, percent, table


def test_a_table_can_be_read_as_plain_text() -> None:
    assert table(["name", "what", "n"], [["a", "first", "1,000"]], n_text=2) == (
        "| name | what  |     n |\n|:-----|:------|------:|\n| a    | first | 1,000 |"
    )


def test_a_table_may_have_no_rows() -> None:
    assert table(["a", "b"], []) == "| a | b |\n|:--|--:|"


def test_backticks_in_code_do_not_end_it() -> None:
    assert code("echo `date`") == "`` echo `date` ``"
    assert code("echo") == "`echo`"


def test_rates_have_two_decimals_and_may_be_infinite() -> None:
    assert percent(0.451249) == "45.12"
    assert percent(1.5) == "150.00"
    assert percent(float("inf")) == "∞"


def test_thousands_are_set_apart() -> None:
    assert count(1234567) == "1,234,567"
