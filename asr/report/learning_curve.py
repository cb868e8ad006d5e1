"""Learning curve: the loss and the dev WER of a run, epoch by epoch, as a picture."""

import json
from pathlib import Path

from asr.chart.axis import linear_axis
from asr.chart.lines import Line, chart
from asr.chart.sheet import sheet
from asr.train.progress import EpochReport


def read_reports(metrics: Path) -> list[EpochReport]:
    """Read the epochs of a run, in order; of one that was done again after a kill, the last."""
    reports = [
        EpochReport(**json.loads(line)) for line in metrics.read_text(encoding="utf-8").splitlines()
    ]
    return [report for _, report in sorted({r.epoch: r for r in reports}.items())]


def learning_curve(reports: list[EpochReport]) -> str:
    """Draw the loss of each epoch, and beside it the dev WER where it was measured.

    Args:
        reports: At least one.

    Returns:
        The text of an SVG file.
    """
    x = linear_axis("epoch", [0.0, *[float(r.epoch) for r in reports]])
    losses = tuple((float(r.epoch), r.loss) for r in reports)
    wers = tuple((float(r.epoch), 100 * r.wer) for r in reports if r.wer is not None)
    y = linear_axis("nats per reference token", [0.0, *[loss for _, loss in losses]])
    charts = [chart("Training loss", [Line("training", losses)], x, y)]
    told = f"loss {losses[-1][1]:.3f}"
    if wers:
        y = linear_axis("% of words", [0.0, *[wer for _, wer in wers]])
        charts.append(chart("Dev WER", [Line("dev WER, greedy", wers, 1, has_dots=True)], x, y))
        told += f", dev WER {wers[-1][1]:.2f} % (least {min(wer for _, wer in wers):.2f} %)"
    last = reports[-1]
    heading = f"epoch {last.epoch}, {last.seconds / 60:.0f} minutes: {told}"
    return sheet([(heading, charts)])
