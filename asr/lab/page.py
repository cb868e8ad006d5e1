"""Page: what models remember, with pictures and explanations, as one self-contained HTML file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from string import Template

from asr.chart.style import PAGE_STYLE
from asr.lab import prose
from asr.lab.curve import Curve
from asr.lab.gradient import N_PROBES
from asr.lab.measurement import Memory
from asr.lab.pictures import Picture, error_pictures, gradient_pictures, scales_picture
from asr.provenance import Provenance

_TEMPLATE = Path(__file__).with_name("page.html")

_WHAT_CONTEXT_IS_WORTH = """\
<h2>What context is worth</h2>
<p>A gradient shows what the output depends on, not whether that helps. So take speech away: each
output frame is computed from its own window, of the given length to either side, at whose edges the
network starts anew. Only that one frame of the output is kept. (Features are normalised over the
whole utterance as always, and the search reads the whole output.) Where a curve turns flat, the
rest of the utterance no longer helps. A network trained on whole utterances has not learned to
start in the middle of one, which causes part of the errors at the left.</p>
"""


def memory_page(
    memories: Sequence[Memory],
    scales: Mapping[float, Curve],
    speech: str,
    search: str,
    provenance: Provenance,
) -> str:
    """Write the page.

    Args:
        memories: At least one, in the order of the legends.
        scales: What `measure_scales` returned for the first of them.
        speech: A description of the speech.
        search: A description of the search.
        provenance: Of the measurements.

    Returns:
        An HTML document; the same measurements give the same text.
    """
    title = "What recurrent networks remember"
    if len(memories) == 1:
        title = f"What {memories[0].name} remembers"
    errors = _figures(error_pictures(memories))
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(title),
        chart_style=PAGE_STYLE,
        models=_table(memories),
        gradients=_figures(gradient_pictures(memories)),
        scales=_figures([scales_picture(memories[0].name, scales)]),
        errors=f"{_WHAT_CONTEXT_IS_WORTH}{errors}\n" if errors else "",
        dependencies=_dependencies(speech, search, provenance),
        numbers=_numbers(memories),
    )


def _figures(pictures: Sequence[Picture]) -> str:
    return "\n".join(
        f"<figure>\n{picture}\n<figcaption>{escape(caption)}</figcaption>\n</figure>"
        for picture, caption in pictures
    )


def _table(memories: Sequence[Memory]) -> str:
    """Compare the models."""
    gradient, errors = ("half within, s", "1 % back, s", "1 % ahead, s"), ("WER %", "CER %")
    return _rows(
        ["model", "network", "weights", *gradient, *errors], [_row(memory) for memory in memories]
    )


def _row(memory: Memory) -> list[str]:
    total = memory.errors[-1].total if memory.errors else None
    return [
        memory.name,
        prose.describe_network(memory.config),
        f"{memory.n_weights:,}",
        f"{memory.untrained.half:.2f} → {memory.trained.half:.2f}",
        *map(" → ".join, zip(*map(prose.reach, (memory.untrained, memory.trained)), strict=True)),
        f"{100 * total.wer:.1f}" if total else "–",
        f"{100 * total.cer:.1f}" if total else "–",
    ]


def _rows(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}\n</table></div>'


def _dependencies(speech: str, search: str, provenance: Provenance) -> str:
    probes = f"{N_PROBES} of each utterance, evenly spread, each with random signs (seed 0)"
    facts = {"speech": speech, "search": search, "output frames": probes, **asdict(provenance)}
    listed = "\n".join(
        f"<li>{escape(name)}: {escape(str(fact or 'unknown'))}</li>" for name, fact in facts.items()
    )
    return f"<ul>\n{listed}\n</ul>"


def _numbers(memories: Sequence[Memory]) -> str:
    """List the curves in a collapsed table."""
    columns = [
        (f"{memory.name}, {when} training", dict(curve.points))
        for memory in memories
        for when, curve in (("before", memory.untrained), ("after", memory.trained))
    ]
    places = sorted({place for _, points in columns for place in points})
    rows = [
        [f"{place:.2f}", *[f"{p[place]:.3g}" if place in p else "–" for _, p in columns]]
        for place in places
    ]
    table = _rows(["seconds", *[name for name, _ in columns]], rows)
    return f"<details><summary>The gradient in numbers</summary>\n{table}\n</details>"
