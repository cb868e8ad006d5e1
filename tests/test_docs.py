"""The entrance in docs/: its path is short and plain, and its example runs."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
PLAIN_PATH = [ROOT / "asr" / name for name in re.findall(r"\| \d+ \| \[([\w/]+\.py)\]", PAGE)]


def test_the_plain_path_is_short_enough_for_an_hour() -> None:
    n_lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in PLAIN_PATH)

    assert 14 <= len(PLAIN_PATH) <= 18
    assert n_lines < 3000


def test_the_example_of_the_entrance_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert ended.returncode == 0, ended.stderr
    text, wrong, loss = ended.stdout.splitlines()
    assert text.isupper()
    assert 0 < int(wrong.split()[0]) < 100
    assert 0 < float(loss.split()[0]) < 3


def test_the_map_in_the_readme_has_every_package() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "asr").glob("*/__init__.py")}
    assert {name for name in packages if f" {name}/ " not in readme} == set()


def test_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("recipes/**/*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []


def test_slurm_signals_the_process_that_works() -> None:
    """Which `srun` starts or, by `B:`, the batch script itself."""
    asked = {
        path.name: re.findall(r"--signal=(\S+)", path.read_text(encoding="utf-8"))
        for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("recipes/**/*.sh")]
    }
    assert asked["transcribing-at-scale.md"] == ["B:TERM@120"]  # exec asr
    assert asked["slurm.sh"] == ["TERM@120"]  # srun torchrun
