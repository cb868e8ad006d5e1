"""Learning curve: losses and dev WER of a training run, epoch by epoch, as a picture."""

from pathlib import Path

from asr.chart.axis import linear_axis
from asr.chart.lines import Line, chart
from asr.chart.sheet import sheet
from asr.errors import DataError
from asr.text.lines import read_json_lines
from asr.train.progress import EpochReport


def read_reports(metrics: Path) -> list[EpochReport]:
    """Read the epochs of a run, in order; of an epoch repeated after a kill, the last report.

    Raises:
        DataError: The file cannot be read, or is not what a training writes after each epoch.
    """
    reports: dict[int, EpochReport] = {}
    for where, record in read_json_lines(metrics):
        try:
            report = EpochReport(**{"dev_loss": None, **record})  # older runs measured no dev loss
        except TypeError as error:
            raise DataError(f"{where}: expected the report of an epoch by asr train") from error
        reports[report.epoch] = report
    if not reports:
        raise DataError(f"{metrics}: has no epoch; one is written when it has been trained")
    return [reports[epoch] for epoch in sorted(reports)]


def learning_curve(reports: list[EpochReport]) -> str:
    """Draw the charts of a run, at least one epoch long, as the text of an SVG file."""
    return sheet([learning_charts(reports)])


def learning_charts(reports: list[EpochReport]) -> tuple[str, list[str]]:
    """Draw training and dev loss in one chart, and the dev WER in another, where measured.

    Args:
        reports: At least one.

    Returns:
        A heading and the charts, `<svg>` elements.
    """
    x = linear_axis("epoch", [0.0, *[float(r.epoch) for r in reports]], least_step=1)
    losses = tuple((float(r.epoch), r.loss) for r in reports)
    dev_losses = tuple((float(r.epoch), r.dev_loss) for r in reports if r.dev_loss is not None)
    wers = tuple((float(r.epoch), 100 * r.wer) for r in reports if r.wer is not None)
    y = linear_axis("nats per reference token", [0.0, *[v for _, v in (*losses, *dev_losses)]])
    lines = [Line("training loss", losses)]
    summary = f"loss {losses[-1][1]:.3f}"
    if dev_losses:
        lines.append(Line("dev loss", dev_losses, 1, has_dots=True))
        summary += f", dev loss {dev_losses[-1][1]:.3f}"
    charts = [chart("Training and dev loss" if dev_losses else "Training loss", lines, x, y)]
    if wers:
        y = linear_axis("% of words", [0.0, *[wer for _, wer in wers]])
        charts.append(chart("Dev WER", [Line("dev WER, greedy", wers, 1, has_dots=True)], x, y))
        summary += f", dev WER {wers[-1][1]:.2f} % (lowest {min(wer for _, wer in wers):.2f} %)"
    last = reports[-1]
    return f"epoch {last.epoch}, {last.seconds / 60:.0f} minutes: {summary}", charts
