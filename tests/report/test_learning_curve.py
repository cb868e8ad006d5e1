import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from asr.errors import DataError
from asr.report.learning_curve import learning_curve, read_reports
from asr.train.progress import EpochReport

SVG = "{http://www.w3.org/2000/svg}"


def report(
    epoch: int, loss: float, *, dev_loss: float | None = None, wer: float | None = None
) -> EpochReport:
    return EpochReport(
        epoch=epoch,
        step=8 * epoch,
        loss=loss,
        dev_loss=dev_loss,
        wer=wer,
        is_best=False,
        hours_per_hour=100.0,
        seconds=60.0 * epoch,
        n_skipped=0,
    )


FIRST = report(1, 2.5)
SECOND = report(2, 2.0, dev_loss=2.25, wer=0.9)
THIRD = report(3, 1.5, dev_loss=2.125, wer=0.95)


def write(path: Path, *reports: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in reports))
    return path


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_of_a_repeated_epoch_the_last_report_counts(tmp_path: Path) -> None:
    again = dataclasses.replace(SECOND, seconds=130.0)
    metrics = write(
        tmp_path / "metrics.jsonl", *map(dataclasses.asdict, (FIRST, SECOND, again, THIRD))
    )
    assert read_reports(metrics) == [FIRST, again, THIRD]


def test_metrics_of_older_runs_without_a_dev_loss_are_read(tmp_path: Path) -> None:
    line = dataclasses.asdict(SECOND)
    del line["dev_loss"]
    metrics = write(tmp_path / "metrics.jsonl", line)
    assert read_reports(metrics) == [dataclasses.replace(SECOND, dev_loss=None)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "has no epoch"),
        ('{"epoch": 1, "lo', "metrics.jsonl:1: is not JSON"),
        ('{"epoch": 1}', "metrics.jsonl:1: expected the report of an epoch"),
    ],
)
def test_what_no_training_writes_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(content)
    with pytest.raises(DataError, match=reason):
        read_reports(tmp_path / "metrics.jsonl")


def test_both_losses_share_a_chart_and_the_wer_has_its_own() -> None:
    svg = learning_curve([FIRST, SECOND, THIRD])
    charts = ElementTree.fromstring(svg).findall(f"{SVG}svg")
    lines = [
        [p.get("d", "") for p in chart.iter(f"{SVG}path") if "line" in p.get("class", "")]
        for chart in charts
    ]
    n_points = [[d.count("L") + 1 for d in drawn if "h28" not in d] for drawn in lines]
    assert n_points == [[3, 2], [2]]
    assert {"training loss", "dev loss", "dev WER, greedy"} <= set(texts(svg))
    assert texts(svg)[0] == (
        "epoch 3, 3 minutes: loss 1.500, dev loss 2.125, dev WER 95.00 % (lowest 90.00 %)"
    )


def test_a_run_that_was_not_yet_validated_has_its_training_loss_only() -> None:
    svg = learning_curve([FIRST])
    assert texts(svg)[0] == "epoch 1, 1 minutes: loss 2.500"
    assert "dev loss" not in texts(svg)
