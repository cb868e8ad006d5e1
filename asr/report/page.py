"""Page: scores as one HTML file that opens from disk, without a server or a network."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asr.chart.style import PAGE_STYLE
from asr.errors import ConfigError
from asr.report.closer_look import CloserLook
from asr.report.figures import Figure
from asr.report.listing import listed, opened, pack
from asr.report.material import Material
from asr.report.summary import Summary, within
from asr.text.markdown import count, duration, percent, visible
from asr.wer.alignment import EditKind
from asr.wer.confusions import confusions

if TYPE_CHECKING:
    from jinja2 import Environment

N_WORDS = 20  # of the most frequent errors of each kind

_FOLDER = Path(__file__).parent
_CLASSES = {  # of CSS, as in page.js
    EditKind.HIT: "hit",
    EditKind.SUBSTITUTION: "sub",
    EditKind.DELETION: "del",
    EditKind.INSERTION: "ins",
    EditKind.OMISSION: "omitted",
}


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """All that the page shows of one score."""

    summary: Summary
    material: Material
    figures: Sequence[Figure]
    looks: Sequence[CloserLook]

    @property
    def rankings(self) -> list[tuple[str, int, list[tuple[str, str, int]]]]:
        """The most frequent errors in what was recognised: title, how many, and rows of them."""
        found = confusions(self.material.score, self.material.aligned)
        substituted = [(said, other, n) for (said, other), n in found.substitutions[:N_WORDS]]
        deleted = [(word, "", n) for word, n in found.deletions[:N_WORDS]]
        inserted = [("", word, n) for word, n in found.insertions[:N_WORDS]]
        return [
            ("Substituted", _total(found.substitutions), substituted),
            ("Deleted", _total(found.deletions), deleted),
            ("Inserted", _total(found.insertions), inserted),
        ]

    @property
    def seconds(self) -> float | None:
        """Seconds of the speech that was scored; None if not all of it is known."""
        durations = self.material.durations
        found = [durations.get(one.id) for one in self.material.score.utterances]
        known = [one for one in found if one is not None]
        return sum(known) if len(known) == len(found) else None


def _total(counts: Sequence[tuple[object, int]]) -> int:
    return sum(n for _, n in counts)


def report_page(
    title: str,
    panels: Sequence[Panel],
    trainings: Sequence[tuple[str, str, Sequence[str]]],
    *,
    folder: Path,
    all_rates: bool = False,
) -> str:
    """Write the page.

    Args:
        title: Of the page.
        panels: One a score, at least one.
        trainings: The name of each training run, a line about it, and its charts.
        folder: Where the page will be, for the addresses of recordings.
        all_rates: Show the match error rate and the lost word information, too.

    Raises:
        ConfigError: Jinja2 is not installed.
    """
    environment = _environment()
    css = PAGE_STYLE + _read("page.css")
    script = _read("page.js")
    intervals = [panel.summary.intervals["wer"] for panel in panels]
    return environment.get_template("page.html").render(
        title=title,
        panels=panels,
        trainings=trainings,
        all_rates=all_rates,
        css=css,
        script=script,
        css_hash=_hash(css),
        script_hash=_hash(script),
        classes=_CLASSES,
        highest=max((one.high for one in intervals if one), default=0.0) or 1.0,
        listed=lambda panel: pack(listed(panel.material)),
        opened=lambda panel: pack(opened(panel.material, folder)),
    )


def _environment() -> "Environment":
    """Prepare templates in which no value is taken for markup, and control characters show."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise ConfigError("an HTML report needs Jinja2: pip install 'asr-ctc[report]'") from error
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "count": count,
        "within": within,
        "duration": duration,
    }
    return environment


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Name a text for a Content-Security-Policy, which then allows nothing else."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
