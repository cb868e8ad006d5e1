from pathlib import Path

import pytest

from asr.cli import main


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
