from pathlib import Path

import pytest

from asr.confidence.calibration import Calibration
from asr.confidence.calibration_file import Fitted, read_calibrations, write_calibrations
from asr.errors import ConfigError

FITTED = Fitted(Calibration(-0.03, 0.18, 0.73, 3.7, -2.2), "dev: 3 words, 66.7 % correct")
WHOLE = (
    'offset = 0\nconfidence = 1.0\ndoubt = 1.0\nletters = 0.0\nseconds = 0.0\nfitted_on = "dev"\n'
)


def test_calibrations_read_back_as_they_were_written(tmp_path: Path) -> None:
    both = {"beam-lm": FITTED, "greedy": Fitted(Calibration(), "all")}

    write_calibrations(tmp_path, both)

    assert read_calibrations(tmp_path) == both
    assert [path.name for path in tmp_path.iterdir()] == ["confidence.toml"]


def test_a_model_without_the_file_has_none(tmp_path: Path) -> None:
    assert read_calibrations(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[greedy", "expected TOML"),
        ("[guess]\n" + WHOLE, "guess is not a kind of search; expected one of greedy, beam"),
        ("greedy = 1\n", "greedy must be a table, got 1"),
        ("[greedy]\n" + WHOLE + "slope = 1.0\n", "greedy: unknown key slope"),
        ("[greedy]\noffset = 0.0\n", "greedy: missing key confidence, doubt, fitted_on, letters"),
        ("[greedy]\n" + WHOLE.replace("1.0", "-1.0"), "greedy: confidence must be 0 or more"),
        ("[greedy]\n" + WHOLE.replace("1.0", "nan"), "greedy: confidence must be finite"),
        ("[greedy]\n" + WHOLE.replace("1.0", "true"), "confidence must be a number, got True"),
        ("[greedy]\n" + WHOLE.replace('"dev"', "3"), "fitted_on must be a text, got 3"),
    ],
)
def test_an_invalid_entry_is_named_with_its_place(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "confidence.toml").write_text(text)

    with pytest.raises(ConfigError, match=reason) as refused:
        read_calibrations(tmp_path)

    assert str(refused.value).startswith(f"{tmp_path / 'confidence.toml'}: ")
