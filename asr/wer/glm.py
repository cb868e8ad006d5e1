"""GLM: NIST's files of spelling rules, applied to texts before they are scored.

A rule `A => B / C __ D` writes B for A between C and D; without `/`, everywhere. At each place the
first rule that fits is applied, and its output is not read again. Rules below a comment
`INPUT_DEPENDENT_APPLICATION = "REGEX"` are for the side whose format the expression names.

References:
    NIST, SCTK, doc/GLMRules.txt.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asr.errors import DataError
from asr.text.lines import read_text

Side = Literal["reference", "hypothesis"]

_SIDES = {"reference": ("stm", "ref"), "hypothesis": ("ctm", "hyp")}  # by csrfilt's names
_FIELD = r"(\[[^\]]*\]|'[^']*'|[^\[\]]*?)"
_RULE = re.compile(rf"\s*{_FIELD}\s*=>\s*{_FIELD}\s*(?:/\s*{_FIELD}\s*__\s*{_FIELD}\s*)?")
_ONLY_FOR = re.compile(r';;\s+INPUT_DEPENDENT_APPLICATION\s*=\s*"([^"]*)"')
_SETTING = re.compile(r"\*\s*(\w+)\s*[=:]?\s*['\"]([^'\"]*)['\"]")


@dataclass(frozen=True, slots=True)
class _Rule:
    before: str
    find: str
    after: str
    put: str

    @property
    def pattern(self) -> str:
        look_behind = f"(?<={re.escape(self.before)})" if self.before else ""
        look_ahead = f"(?={re.escape(self.after)})" if self.after else ""
        return f"{look_behind}({re.escape(self.find)}){look_ahead}"


def read_glm(path: Path, side: Side) -> Callable[[str], str]:
    """Read a file of rules.

    Args:
        path: The file, in UTF-8.
        side: What the rules are for.

    Returns:
        A function from a text to the text to score; it may have alternatives (see
        `asr.wer.network`).

    Raises:
        DataError: The file cannot be read, or a line is no rule.
    """
    rules: list[_Rule] = []
    settings = {"COPY_NO_HIT": "T", "CASE_SENSITIVE": "F"}
    applies = True
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if only_for := _ONLY_FOR.match(line):
            try:
                applies = any(re.search(only_for[1], name) for name in _SIDES[side])
            except re.error as error:
                raise DataError(f"{path}:{number}: {only_for[1]!r}: {error}") from error
        content = line.partition(";;")[0]
        if setting := _SETTING.match(content):
            settings[setting[1].upper()] = setting[2].upper()[:1]
        elif content.strip() and not content.startswith("*"):
            rule = _rule(content, f"{path}:{number}")
            rules += [rule] if applies else []
    if settings["COPY_NO_HIT"] in "NF":
        raise DataError(f"{path}: copy_no_hit = 'F' would drop every word without a rule")
    return _rewriter(rules, is_cased=settings["CASE_SENSITIVE"] in "TY")


def _rule(line: str, where: str) -> _Rule:
    found = _RULE.fullmatch(line)
    fields = [_unquoted(field or "") for field in found.groups()] if found else [""]
    if not fields[0]:
        raise DataError(f"{where}: expected a rule 'A => B / C __ D', got {line.strip()!r}")
    find, put, before, after = fields
    return _Rule(before, find, after, put)


def _unquoted(field: str) -> str:
    is_quoted = len(field) > 1 and field[0] + field[-1] in ("[]", "''")
    return field[1:-1] if is_quoted else field


def _rewriter(rules: list[_Rule], *, is_cased: bool) -> Callable[[str], str]:
    """Make one expression per first character, which is all that most places need to try."""

    def fold(text: str) -> str:
        return text if is_cased else text.lower()

    by_first: dict[str, list[_Rule]] = {}
    for rule in rules:
        by_first.setdefault(fold(rule.find[0]), []).append(rule)
    flags = re.NOFLAG if is_cased else re.IGNORECASE
    patterns = {
        first: re.compile("|".join(rule.pattern for rule in some), flags)
        for first, some in by_first.items()
    }

    def rewrite(text: str) -> str:
        padded, written, at = f" {' '.join(text.split())} ", [], 0
        while at < len(padded):
            first = fold(padded[at])
            found = patterns[first].match(padded, at) if first in patterns else None
            if found and found.lastindex:
                written.append(by_first[first][found.lastindex - 1].put)
                at = found.end()
            else:
                written.append(padded[at])
                at += 1
        return " ".join("".join(written).split())

    return rewrite
