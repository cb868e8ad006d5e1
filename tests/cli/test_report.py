import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from asr.cli import main
from asr.train.progress import EpochReport


@pytest.fixture
def scores(model: Path, manifest: Path, tmp_path: Path) -> list[str]:
    """Scores of greedy and of beam search, by the verbs themselves."""
    paths = []
    for search in ("greedy", "beam"):
        hypotheses, score = tmp_path / f"{search}.jsonl", tmp_path / f"{search}.score.json"
        decode = ["decode", str(model), str(manifest), "--search", search]
        assert main([*decode, "--output", str(hypotheses)]) == 0
        assert main(["score", str(manifest), str(hypotheses), "--output", str(score)]) == 0
        paths.append(str(score))
    return paths


def test_every_score_is_a_row_with_what_it_depends_on(scores: list[str], tmp_path: Path) -> None:
    output = tmp_path / "new" / "RESULTS.md"
    assert main(["report", *scores, "--title", "Our results", "--output", str(output)]) == 0
    text = output.read_text()
    assert text.startswith("# Our results\n")
    assert len([line for line in text.splitlines() if "| three " in line]) == 2
    for told in ("asr decode", "asr score", "librispeech-1", "greedy", "beam 100, threshold 14"):
        assert told in text
    assert sorted(path.name for path in output.parent.iterdir()) == ["RESULTS.md"]


def test_the_same_score_twice_is_refused_and_the_old_report_stays(
    scores: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "RESULTS.md"
    output.write_text("old")
    assert main(["report", scores[0], scores[0], "--output", str(output)]) == 1
    assert "asr: error: 2 scores are of 'three'" in capsys.readouterr().err
    assert output.read_text() == "old"


def test_what_is_no_score_is_named(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(manifest), "--output", str(tmp_path / "RESULTS.md")]) == 1
    assert capsys.readouterr().err.startswith(f"asr: error: {manifest}: ")


def test_the_ending_of_the_output_decides_what_is_written(
    scores: list[str], tmp_path: Path
) -> None:
    outputs = [
        tmp_path / name for name in ("RESULTS.md", "results.json", "rates.svg", "report.html")
    ]

    assert main(["report", *scores, *(f"--output={path}" for path in outputs)]) == 0

    markdown, record, picture, page = (path.read_text() for path in outputs)
    assert markdown.startswith("# Results\n")
    assert page.startswith("<!DOCTYPE html>")
    figures = json.loads(record)
    assert [one["condition"] for one in figures["scores"]] == ["greedy", "beam"]
    for one in figures["scores"]:
        assert f"| {100 * one['wer']:.2f} |" in markdown
        assert f">{100 * one['wer']:.2f}</text>" in picture
        assert f'<div class="value">{100 * one["wer"]:.2f}<' in page
        low, high = (f"{100 * end:.2f}" for end in one["intervals"]["wer"])
        assert f"{low} – {high}" in markdown
        assert f"{low} – {high}" in page


def test_a_page_shows_all_that_it_is_given(
    scores: list[str], model: Path, manifest: Path, tmp_path: Path
) -> None:
    page, run = tmp_path / "report.html", tmp_path / "run"
    run.mkdir()
    report = EpochReport(1, 8, 2.5, None, None, True, 100.0, 60.0, 0)
    (run / "metrics.jsonl").write_text(json.dumps(asdict(report)))
    told = ["--manifest", str(manifest), "--model", str(model), "--train-texts", str(manifest)]
    hypotheses = [str(tmp_path / f"{name}.jsonl") for name in ("greedy", "beam")]

    assert main(
        ["report", *scores, "--output", str(page), *told, "--training", str(run), str(run),
         "--closer-look", "2", "--hypotheses", *hypotheses]
    ) == 0  # fmt: skip

    text = page.read_text()
    assert text.count('<article class="look"') == 4  # the two worst of each score
    assert text.count('class="mel"') == 4
    assert text.count(">p = 1<") == 4  # what the network heard
    assert text.count("data:audio/flac") == 4
    for title in ("By word frequency", "Reliability of confidences"):
        assert text.count(f"<h3>{title}</h3>") == 2
    assert text.count("<h3>run <span") == 2
    assert "training loss" in text


def test_what_the_searched_head_heard_is_shown_or_nothing(
    scores: list[str],
    model: Path,
    manifest: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a model's characters heard is not shown for a search that read its phones."""
    record = json.loads(Path(scores[0]).read_text())
    record["decoding"]["search_kind"] = "phones-lm"
    Path(scores[0]).write_text(json.dumps(record))
    page = tmp_path / "report.html"
    told = ["--manifest", str(manifest), "--model", str(model), "--output", str(page)]
    assert main(["report", scores[0], *told]) == 0
    assert "its default search reads no phones, which were searched" in capsys.readouterr().err
    assert ">p = 1<" not in page.read_text()


def test_a_closer_look_at_an_unknown_utterance_is_refused(
    scores: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    assert main(["report", *scores, "--output", str(page), "--look-at", "nobody"]) == 1
    assert "--look-at: no score has an utterance nobody" in capsys.readouterr().err


def test_an_output_of_another_ending_is_refused(
    scores: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["report", *scores, "--output", "report.pdf"])
    assert "must end in .md, .json, .svg, .html" in capsys.readouterr().err


def test_every_score_needs_its_hypotheses(
    scores: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    assert main(["report", *scores, "--output", str(page), "--hypotheses", "a.jsonl"]) == 1
    assert "expected one for each of 2 scores, got 1" in capsys.readouterr().err
    assert not page.exists()


def test_without_jinja_a_page_says_what_to_install(
    scores: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)

    assert main(["report", *scores, "--output", str(tmp_path / "report.html")]) == 1

    assert "needs Jinja2: pip install 'asr-ctc[report]'" in capsys.readouterr().err
