from pathlib import Path

import pytest

import asr
from asr.cli import main


def test_an_average_is_a_model_like_any_other(
    model: Path, recordings: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "averaged"
    assert main(["average", str(model), str(model), "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"{output}: the average of 2 models\n"

    texts = [asr.load_model(each).transcribe(recordings[0]).text for each in (model, output)]
    assert texts[0] == texts[1] != ""
    card = (output / "README.md").read_text()
    assert f"| command | `asr average {model} {model} --output {output}` |" in card


def test_one_model_is_no_average(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["average", str(model), "--output", str(tmp_path / "a")])
    assert ended.value.code == 2
    assert "two models or more" in capsys.readouterr().err
