import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

from asr.report.learning_curve import learning_curve, read_reports
from asr.train.progress import EpochReport

SVG = "{http://www.w3.org/2000/svg}"
FIRST = EpochReport(1, 8, 2.5, None, False, 100.0, 60.0, 0)
SECOND = EpochReport(2, 16, 2.0, 0.9, True, 100.0, 120.0, 0)
THIRD = EpochReport(3, 24, 1.5, 0.95, False, 100.0, 180.0, 0)


def write(path: Path, *reports: EpochReport) -> Path:
    path.write_text("".join(json.dumps(dataclasses.asdict(r)) + "\n" for r in reports))
    return path


def test_of_an_epoch_that_was_done_twice_the_last_counts(tmp_path: Path) -> None:
    again = dataclasses.replace(SECOND, seconds=130.0)
    metrics = write(tmp_path / "metrics.jsonl", FIRST, SECOND, again, THIRD)
    assert read_reports(metrics) == [FIRST, again, THIRD]


def test_the_picture_has_the_loss_of_every_epoch_and_the_wer_where_it_was_measured() -> None:
    root = ElementTree.fromstring(learning_curve([FIRST, SECOND, THIRD]))
    words = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert words[0] == "epoch 3, 3 minutes: loss 1.500, dev WER 95.00 % (least 90.00 %)"
    curves = [p.get("d", "") for p in root.iter(f"{SVG}path") if "line" in p.get("class", "")]
    assert sorted(d.count("L") for d in curves if "h28" not in d) == [1, 2]


def test_a_run_without_a_validation_yet_has_its_loss_alone() -> None:
    root = ElementTree.fromstring(learning_curve([FIRST]))
    assert next(text.text for text in root.iter(f"{SVG}text")) == "epoch 1, 1 minutes: loss 2.500"
