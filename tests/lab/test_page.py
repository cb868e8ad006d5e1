"""The page holds what it should, and nothing from elsewhere."""

import configparser
import dataclasses
import math
import re
from pathlib import Path

import pytest

from asr.lab.context import ContextErrors
from asr.lab.curve import Curve
from asr.lab.measurement import Memory
from asr.lab.page import memory_page
from asr.provenance import Provenance
from asr.wer.alignment import Counts
from asr.wer.score import Tally
from tests.conftest import make_config

MADE = Provenance("asr memory <m>", "0123456789ab", "2026-01-31T12:00:00Z", "a chip", "torch 2")
TRAINED = Curve(0.04, past=(1.0, 0.8, 0.05), future=(1.0, 0.2, 0.0))
UNTRAINED = Curve(0.04, past=(1.0, 0.1, 1e-20), future=(1.0, 0.1, 1e-20))
SCALES = {1.0: UNTRAINED, 2.0: TRAINED}


def errors(seconds: float, n_errors: int) -> ContextErrors:
    words = Counts(hits=10 - n_errors, substitutions=n_errors)
    return ContextErrors(seconds, Tally(2, words, words))


def memory(name: str, cell: str = "lstm") -> Memory:
    config = make_config(model__cell=cell, model__size=170, model__n_layers=2).model
    by_context = (errors(0.0, 10), errors(0.04, 7), errors(math.inf, 3))
    return Memory(name, config, 993_269, TRAINED, UNTRAINED, by_context)


def page(*memories: Memory) -> str:
    return memory_page(memories, SCALES, "2 utterances of dev.jsonl", "beam 7", MADE)


def test_the_template_is_installed_with_the_package() -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")

    assert "lab/page.html" in setup["options.package_data"]["asr"].split()


def test_the_page_needs_no_other_file_and_no_script() -> None:
    text = page(memory("a"), memory("b"))

    assert re.findall(r"(?:src|href|url|@import|<script|<link|https?:)", text) == []


def test_a_row_has_what_was_measured() -> None:
    row = next(line for line in page(memory("lstm-two")).splitlines() if "<td>lstm-two" in line)

    cells = re.findall(r"<td>(.*?)</td>", row)
    assert cells == [
        *("lstm-two", "2 × 170 LSTM, two directions", "993,269"),
        *("0.00 → 0.04", "0.04 → 0.08+", "0.04 → 0.04", "30.0", "30.0"),
    ]


@pytest.mark.parametrize(("n_models", "n_pictures"), [(1, 4), (2, 5)])
def test_gradients_scales_and_errors_are_drawn(n_models: int, n_pictures: int) -> None:
    text = page(*[memory(f"model {i}") for i in range(n_models)])

    assert text.count('role="img"') == n_pictures
    assert text.count("<figcaption>") == n_pictures


def test_without_texts_there_is_no_picture_of_errors() -> None:
    text = page(dataclasses.replace(memory("a"), errors=()))

    assert text.count('role="img"') == 2
    assert "What context is worth" not in text


def test_the_page_explains_and_names_its_sources() -> None:
    text = page(memory("a"))

    for words in ("vanishes", "explodes", "clipped", "gate", "Hochreiter", "Bengio", "Pascanu"):
        assert words in text


def test_everything_that_the_figures_depend_on_stands_there_escaped() -> None:
    text = page(memory("a & b"))

    assert "asr memory &lt;m&gt;" in text
    assert "search: beam 7" in text
    assert "a &amp; b" in text
    for words in ("2 utterances of dev.jsonl", "0123456789ab", "a chip", "torch 2"):
        assert words in text


def test_numbers_too_small_to_draw_are_written_down() -> None:
    text = page(memory("a"))

    assert "<td>1e-20</td>" in text
    assert "continue below 10⁻¹²" in text


def test_cells_have_colours_and_directions_dashes() -> None:
    text = page(memory("a", "rnn"), memory("b", "rnn"), memory("c", "gru"))

    drawn = re.findall(r'class="line (c\d d\d)" d="M\d', text)[:3]
    assert drawn == ["c0 d0", "c0 d1", "c1 d0"]


def test_the_same_measurements_give_the_same_page() -> None:
    assert page(memory("a")) == page(memory("a"))
