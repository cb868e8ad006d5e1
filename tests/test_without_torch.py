"""Recognising is a program of its own: it runs where torch cannot be imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SPEECH = ROOT / "recipes" / "demo" / "speech.wav"
WITHOUT = """
import sys
for name in ("torch", "onnx", "tensorboard", "torchaudio", "librosa"):
    sys.modules[name] = None  # importing it fails
from asr.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest, its hypotheses and score, and a text."""
    made: Path = tmp_path_factory.mktemp("recognising")
    text = (ROOT / "recipes" / "demo" / "speech.txt").read_text().strip()
    line = {"id": "demo", "audio_filepath": str(SPEECH), "text": text}
    (made / "m.jsonl").write_text(json.dumps(line) + "\n")
    (made / "h.jsonl").write_text(json.dumps({"id": "demo", "text": text}) + "\n")
    (made / "text.txt").write_text("ONE WORD AND ANOTHER WORD\nONE MORE\n" * 20)
    return made


@pytest.mark.parametrize(
    "command",
    [
        "transcribe SPEECH",
        "transcribe --search greedy --format json SPEECH",
        "align english DIR/m.jsonl --output DIR/a.ctm",
        "decode english DIR/m.jsonl --output DIR/d.jsonl",
        "score DIR/m.jsonl DIR/h.jsonl --normaliser librispeech-1 --output DIR/s.json"
        " && report DIR/s.json --output DIR/R.md --output DIR/R.html",
        "lm build DIR/text.txt --order 2 --output DIR/w.lm && lm perplexity DIR/w.lm DIR/text.txt",
        "doctor",
        "train --help",
        "adapt --help",
    ],
)
def test_a_verb_of_recognising_runs_without_torch(folder: Path, command: str) -> None:
    for part in command.replace("DIR", str(folder)).replace("SPEECH", str(SPEECH)).split("&&"):
        words = [sys.executable, "-c", WITHOUT, *part.split()]
        ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr


def test_a_verb_of_training_says_what_it_lacks() -> None:
    words = ["train", "conf/tiny.toml", "--train", "m.jsonl", "--output", "model"]
    command = [sys.executable, "-c", WITHOUT, *words]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr == "asr: error: asr train needs torch: pip install 'asr-ctc[train]'\n"
