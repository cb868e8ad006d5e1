"""Page: what models remember, with pictures and explanations, as one self-contained HTML file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape

from asr.chart.style import style
from asr.lab import prose
from asr.lab.curve import Curve
from asr.lab.gradient import N_PROBES
from asr.lab.measurement import Memory
from asr.lab.pictures import error_pictures, gradient_pictures, scales_picture
from asr.provenance import Provenance

STYLE = (
    """\
:root { --ink: #222; --faint: #e4e4e4; --paper: #fff; color-scheme: light dark }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --faint: #3a3a3a; --paper: #181818 } }
body { font: 17px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 54rem; margin: 2rem auto; padding: 0 1rem }
h1 { line-height: 1.2 } h2 { margin-top: 2.4rem }
figure { margin: 1.4rem 0 } figcaption { font-size: 15px; opacity: .8 }
svg { width: 100%; height: auto; overflow: hidden }
"""
    + style("var(--ink)", "var(--faint)", "var(--paper)")
    + """\
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 14px }
th, td { padding: .25rem .45rem; text-align: right; border-bottom: 1px solid var(--faint) }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left }
td { white-space: nowrap; font-variant-numeric: tabular-nums }
"""
)


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
    parts = [
        f"<h1>{escape(title)}</h1>",
        _table(memories),
        prose.UNDER_THE_TABLE,
        "<h2>How far the gradient reaches</h2>",
        prose.HOW_TO_READ,
        *[_figure(*picture) for picture in gradient_pictures(memories)],
        "<h2>Why it fades, or explodes</h2>",
        prose.WHY_IT_FADES,
        prose.ONE_FACTOR,
        _figure(*scales_picture(memories[0].name, scales)),
        "<h2>What gates do</h2>",
        prose.WHAT_GATES_DO,
        *_context_section(memories),
        "<h2>What the figures depend on</h2>",
        _dependencies(speech, search, provenance),
        _numbers(memories),
        "<h2>Where to read on</h2>",
        prose.REFERENCES,
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _figure(picture: str, caption: str) -> str:
    return f"<figure>\n{picture}\n<figcaption>{escape(caption)}</figcaption>\n</figure>"


def _context_section(memories: Sequence[Memory]) -> list[str]:
    """Show errors by context, if they were counted."""
    figures = [_figure(*picture) for picture in error_pictures(memories)]
    if not figures:
        return []
    return ["<h2>What context is worth</h2>", prose.WHAT_CONTEXT_IS_WORTH, *figures]


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
