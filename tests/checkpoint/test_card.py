from asr.checkpoint.card import provenance_rows
from asr.provenance import Provenance

MADE = Provenance(
    command="asr train --set 'a|b\nc' `d`",
    commit=None,
    time="2026-01-31T12:00:00Z",
    hardware="CPU | GPU",
    versions="python 3.11",
)


def test_nothing_in_a_command_or_a_name_breaks_the_table() -> None:
    assert provenance_rows(MADE).splitlines() == [
        r"| command | `` asr train --set 'a\|b\nc' `d` `` |",
        "| commit | unknown |",
        r"| hardware | CPU \| GPU |",
        "| versions | python 3.11 |",
        "| begun | 2026-01-31T12:00:00Z |",
    ]
