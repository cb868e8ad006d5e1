from pathlib import Path

import pytest

from asr.errors import DataError
from asr.wer.glm import Side, read_glm

RULES = """\
;; rules of every kind
* name "t"
* format = 'NIST1'
* copy_no_hit = 'T'
* case_sensitive = 'F'
UH => %HESITATION / [ ] __ [ ] ;; a token
UHHUH => %BCACK / [ ] __ [ ]
[HE'S] => [{HE IS / HE HAS}] / [ ] __ [ ]
CANCELLED => CANCELED
JETLINER => JET LINER
Falkner => Faulkner / [William ] __
[-] => [ ]
A B => AB
AB => C / __ [ D]
"""


def glm(tmp_path: Path, text: str = RULES) -> Path:
    path = tmp_path / "rules.glm"
    path.write_text(text)
    return path


def test_rules_are_applied_as_by_rfilter1(tmp_path: Path) -> None:
    # the expected text is from rfilter1 of Debian's sctk 2.4.10
    spoken = "uh uh he's cancelled uhhuh jetliner william falkner falkner a-b a b d ab d uh"

    assert read_glm(glm(tmp_path), "hypothesis")(spoken) == (
        "%HESITATION %HESITATION {HE IS / HE HAS} CANCELED %BCACK JET LINER william Faulkner "
        "falkner a b AB d C d %HESITATION"
    )


@pytest.mark.parametrize(
    ("side", "text"), [("reference", "it's"), ("hypothesis", "{it is / it's}")]
)
def test_rules_below_a_comment_are_for_the_side_that_it_names(
    tmp_path: Path, side: Side, text: str
) -> None:
    rules = ";; INPUT_DEPENDENT_APPLICATION = \"ctm\"\n[it's] => [{it is / it's}] / [ ] __ [ ]\n"

    assert read_glm(glm(tmp_path, rules), side)("it's") == text


def test_an_expression_that_names_no_side_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rules\.glm:1: '\(ctm': missing \)"):
        read_glm(glm(tmp_path, ';; INPUT_DEPENDENT_APPLICATION = "(ctm"\n'), "reference")


def test_a_line_that_is_no_rule_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rules\.glm:2: expected a rule"):
        read_glm(glm(tmp_path, "A => B\nC = D\n"), "reference")
