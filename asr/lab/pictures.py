"""Pictures: measurements become charts, each with a caption."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from asr.chart.axis import Axis, decade_axis, linear_axis, named_axis, power_of_ten
from asr.chart.lines import Line, chart
from asr.chart.sheet import sheet
from asr.errors import counted
from asr.lab.curve import Curve
from asr.lab.measurement import Memory
from asr.wer.score import Tally

FLOOR = -12  # decades; smaller values are only in the table
N_COLOURS, N_DASHES, GREY = 5, 4, 5

Picture = tuple[str, str]  # <svg> and caption


def gradient_pictures(memories: Sequence[Memory]) -> list[Picture]:
    """Draw the gradient by distance: of one model in one picture, of several in two."""
    looks = _looks(memories)
    after = [_line(m.name, m.trained, *look) for m, look in zip(memories, looks, strict=True)]
    before = [_line(m.name, m.untrained, *look) for m, look in zip(memories, looks, strict=True)]
    x, y = _gradient_axes([*after, *before])
    below = _note_below([*after, *before])
    by_distance = "by the distance of its input"
    drawn = {
        f"The gradient of an output frame {by_distance}, after training": after,
        f"The gradient of an output frame {by_distance}, before training": before,
    }
    if len(memories) == 1:
        both = [
            replace(after[0], name="after training"),
            replace(before[0], name="before training", colour=GREY, dashes=1),
        ]
        drawn = {f"The gradient of an output frame of {memories[0].name} {by_distance}": both}
    return [(chart(title, lines, x, y), f"{title}.{below}") for title, lines in drawn.items()]


def memory_sheet(memories: Sequence[Memory]) -> str:
    """Put the gradients, and the errors if there are any, below one another in one SVG file."""
    pictures = [*gradient_pictures(memories), *error_pictures(memories)]
    headings = [caption.partition(". ")[0].removesuffix(".") for _, caption in pictures]
    return sheet([(h, [picture]) for h, (picture, _) in zip(headings, pictures, strict=True)])


def scales_picture(name: str, scales: Mapping[float, Curve]) -> Picture:
    """Draw how an untrained network's gradient changes with the size of its recurrent weights."""
    lines = [_line(f"× {scale:g}", curve, i) for i, (scale, curve) in enumerate(scales.items())]
    title = f"{name} before training, its recurrent weights multiplied"
    return chart(title, lines, *_gradient_axes(lines)), f"{title}.{_note_below(lines)}"


def error_pictures(memories: Sequence[Memory]) -> list[Picture]:
    """Draw word and character error rates by context; nothing if no errors were counted."""
    measured = [
        (memory, look)
        for memory, look in zip(memories, _looks(memories), strict=True)
        if memory.errors
    ]
    if not measured:
        return []
    contexts = sorted({errors.seconds for memory, _ in measured for errors in memory.errors})
    names = [f"{context:g}" if math.isfinite(context) else "all" for context in contexts]
    x = named_axis("seconds of context to either side of an output frame", names)

    def picture(what: str, rate: Callable[[Tally], float], total: str) -> Picture:
        lines = [
            Line(memory.name, _errors(memory, contexts, rate), *look, has_dots=True)
            for memory, look in measured
        ]
        rates = [percent for line in lines for _, percent in line.points]
        y = linear_axis(f"{what} error rate, %", [0.0, *rates])
        title = f"{what} error rate by context"
        return chart(title, lines, x, y), f"{title}; {total} in all."

    total = measured[0][0].errors[-1].total
    return [
        picture("Word", lambda tally: tally.wer, counted(total.words.n_reference, "word")),
        picture(
            "Character", lambda tally: tally.cer, counted(total.characters.n_reference, "character")
        ),
    ]


def _errors(
    memory: Memory, contexts: Sequence[float], rate: Callable[[Tally], float]
) -> tuple[tuple[float, float], ...]:
    """Place the errors, in per cent, at the positions of their contexts."""
    return tuple((contexts.index(e.seconds), 100.0 * rate(e.total)) for e in memory.errors)


def _looks(memories: Sequence[Memory]) -> list[tuple[int, int]]:
    """Choose colours by cell and dashes within it; if all share a cell, colours in turn."""
    cells = list(dict.fromkeys(memory.config.cell for memory in memories))
    if len(cells) == 1:
        return [(i % N_COLOURS, i // N_COLOURS % N_DASHES) for i in range(len(memories))]
    looks = []
    for i, memory in enumerate(memories):
        before = sum(other.config.cell == memory.config.cell for other in memories[:i])
        looks.append((cells.index(memory.config.cell), before % N_DASHES))
    return looks


def _line(name: str, curve: Curve, colour: int, dashes: int = 0) -> Line:
    points = tuple((s, math.log10(n) if n > 0 else -math.inf) for s, n in curve.points)
    return Line(name, points, colour, dashes)


def _note_below(lines: Sequence[Line]) -> str:
    if any(-math.inf < log < FLOOR for line in lines for _, log in line.points):
        return f" Curves that leave the picture continue below {power_of_ten(FLOOR)}."
    return ""


def _gradient_axes(lines: Sequence[Line]) -> tuple[Axis, Axis]:
    points = [point for line in lines for point in line.points]
    x = linear_axis(
        "seconds from the output frame: the past to the left, the future to the right",
        [seconds for seconds, log in points if math.isfinite(log)],
    )
    y = decade_axis("norm of the gradient, relative", [log for _, log in points], floor=FLOOR)
    return x, y
