"""The HTML report: complete, of one file, and deaf to whatever a transcript says."""

import base64
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asr.audio.write import write_waveform
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.provenance import Provenance
from asr.report.closer_look import choose, closer_looks
from asr.report.figures import figures
from asr.report.listing import listed, opened, pack
from asr.report.material import Material, gather
from asr.report.page import Panel, report_page
from asr.report.summary import summaries
from asr.text.transcript import Transcript, Word
from asr.wer.nist import Segment
from asr.wer.score import score
from asr.wer.score_file import DecodingRecord, ScoreFile

pytest.importorskip("jinja2")
pytest.importorskip("librosa")

Browser = Any  # that of conftest.py, which cannot be imported

EVIL = (
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    "</style></svg><img/src=x/onerror=window.hacked=1>",
    "\"'><svg/onload=window.hacked=1>",
    "{{7*7}}{%raw%}",
    "<!--",
    "]]>",
    "javascript:window.hacked=1",
    "&lt;b&gt;&#0;",
    "\x1b[31m\x1b]0;owned\x07",
    "\u202egnp.exe\u2066",
    "\u2028x",
    "\ud800",
)


def record(words: Sequence[str]) -> tuple[Sequence[Segment], dict[str, Transcript]]:
    """Say and recognise words, wrongly each, by speakers of the same names."""
    spoken, recognised = [], {}
    for i, word in enumerate(words):
        other = words[(i + 1) % len(words)]
        name = f"{i} {word}"
        spoken.append(Segment(name, f"{word} same {word}", word))
        times = [Word(text, 0.1 * k, 0.1 * k + 0.05, 0.5) for k, text in enumerate((other, "same"))]
        recognised[name] = Transcript(name, f"{other} same", words=tuple(times), duration=1.0)
    return spoken, recognised


def panel(
    words: Sequence[str], folder: Path, *, told: str = "plain", most_bytes: int = 10**6
) -> Panel:
    """Make a panel in which every text is foreign."""
    spoken, recognised = record(words)
    texts = {name: transcript.text for name, transcript in recognised.items()}
    made = Provenance(told, told, told, told, told)
    decoding = DecodingRecord(told, told, told, 10.0, 1.0, made, told)
    result = score(spoken, texts, "verbatim-1")
    (summary,) = summaries([ScoreFile(told, told, replace(result, extra=(told,)), made, decoding)])
    recordings = []
    for i, one in enumerate(spoken):
        path = folder / f"{i}.wav"
        write_waveform(path, 0.1 * np.random.default_rng(i).standard_normal(16_000), 16_000)
        recordings.append(Utterance(one.id, path, duration=1.0))
    material = gather(result, recognised, recordings)
    ids = choose(material, len(words), [])
    looks = closer_looks(material, ids, {}, folder=folder, most_bytes=most_bytes)
    drawn = figures(material, {}, {words[0]: 3})
    return Panel(summary, material, drawn, looks)


def write(path: Path, panels: Sequence[Panel], title: str = "Results") -> str:
    text = report_page(title, panels, [], folder=path.parent)
    path.write_bytes(text.encode("utf-8", "backslashreplace"))
    return text


class Elements(HTMLParser):
    """Collects the elements of a page with the names of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.addresses: set[str | None] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *sorted(name for name, _ in attrs)))
        self.addresses |= {value for name, value in attrs if name in {"src", "href"}}


def unpack(text: str, name: str) -> dict[str, Any]:
    (packed,) = re.findall(f'class="{name}">([^<]*)<', text)
    columns: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed)))
    return columns


def test_hostile_texts_make_the_same_elements_as_harmless_ones(tmp_path: Path) -> None:
    harmless = [f"word{i}" for i in range(len(EVIL))]

    hostile_page = write(tmp_path / "a.html", [panel(EVIL, tmp_path, told="".join(EVIL))], EVIL[1])
    plain_page = write(tmp_path / "b.html", [panel(harmless, tmp_path)])

    # the cells of the matrix differ with the characters
    hostile, plain = (
        [found for found in Elements(page).found if found[0] not in {"rect", "title", "text"}]
        for page in (hostile_page, plain_page)
    )
    assert hostile == plain


def test_no_control_character_reaches_the_page(tmp_path: Path) -> None:
    text = write(tmp_path / "a.html", [panel(EVIL, tmp_path, told="".join(EVIL))], "".join(EVIL))

    columns = json.dumps(unpack(text, "listed"), ensure_ascii=False)
    for page in (text, columns):
        assert set(re.findall(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", page)) <= {"\n"}


def test_the_page_refers_to_nothing_but_recordings(tmp_path: Path) -> None:
    text = write(tmp_path / "a.html", [panel(["a b", "c"], tmp_path, most_bytes=0)])

    addresses = {str(one) for one in Elements(text).addresses}
    assert {a for a in addresses if not a.startswith("data:image/png")} == {"0.wav", "1.wav"}
    assert "://" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_sound_is_embedded_as_far_as_it_fits(tmp_path: Path) -> None:
    looks = panel(["a", "b", "c"], tmp_path).looks
    size = len(looks[0].audio)

    some = panel(["a", "b", "c"], tmp_path, most_bytes=2 * size + 100).looks

    assert [look.audio.startswith("data:audio/flac") for look in some] == [True, True, False]
    assert some[2].audio == "2.wav"


def test_a_path_that_looks_like_an_address_stays_a_path(tmp_path: Path) -> None:
    material = gather(
        score([Segment("a", "x")], {}, "verbatim-1"),
        {},
        [Utterance("a", tmp_path / "javascript:alert(1) #?.wav")],
    )

    assert opened(material, tmp_path)["audio"] == ["javascript%3Aalert%281%29%20%23%3F.wav"]


def test_the_listing_has_every_utterance_with_its_alignment_and_times(tmp_path: Path) -> None:
    text = write(tmp_path / "a.html", [panel(["one", "two"], tmp_path)])

    columns = unpack(text, "listed")
    assert columns["ids"] == ["0 one", "1 two"]
    assert columns["references"] == ["one same one", "two same two"]
    assert columns["hypotheses"] == ["two same", "one same"]
    assert columns["marks"] == ["S=D", "S=D"]
    assert unpack(text, "more")["starts"] == ["0 10", "0 10"]


@pytest.mark.parametrize(
    ("reference", "recognised"),
    [
        ("", {"a": ""}),
        ("", {"a": "uh"}),
        ("x y", {}),
        ("x", {"a": "x"}),
        ("{ a / b c } (uh) d", {"a": "b c d (um) e"}),
    ],
)
def test_any_score_makes_a_page_whose_marks_are_its_counts(
    tmp_path: Path, reference: str, recognised: dict[str, str]
) -> None:
    result = score([Segment("a", reference)], recognised, "verbatim-1", has_markup="{" in reference)
    material = gather(result, {}, [])
    looks = closer_looks(material, ["a"], {}, folder=tmp_path, most_bytes=0)

    text = write(tmp_path / "a.html", [replace(_alone(material), looks=looks)])

    (marks,) = unpack(text, "listed")["marks"]
    counts = result.total.words
    found = tuple(marks.count(mark) for mark in "SDI")
    assert found == (counts.substitutions, counts.deletions, counts.insertions)
    assert len(marks) - sum(found) == counts.hits


def test_hypotheses_of_another_score_are_refused() -> None:
    result = score([Segment("a", "x")], {"a": "x"}, "verbatim-1")
    other = Transcript("a", "y", words=(Word("y", 0.0, 0.1),))

    with pytest.raises(DataError, match="none of the 1 hypotheses is as it was scored"):
        gather(result, {"a": other}, [])


def test_hypotheses_without_times_are_told_as_such() -> None:
    result = score([Segment("a", "x")], {"a": "x"}, "verbatim-1")

    with pytest.raises(
        DataError, match="none of the 1 hypotheses with a text has words with times"
    ):
        gather(result, {"a": Transcript("a", "x")}, [])
    nothing = score([Segment("a", "x")], {"a": ""}, "verbatim-1")
    assert gather(nothing, {"a": Transcript("a", "")}, []).words == {"a": []}


def test_each_score_shows_the_utterances_that_it_has_of_those_named() -> None:
    result = score([Segment("a", "x"), Segment("b", "x")], {}, "verbatim-1")

    assert choose(gather(result, {}, []), 3, ["other", "b"]) == ["b"]
    assert choose(gather(result, {}, []), 3, ["other"]) == []


def test_the_errors_counted_are_those_that_are_listed(tmp_path: Path) -> None:
    """Words of utterances without a hypothesis are counted elsewhere on the page."""
    shown = panel(["one", "two"], tmp_path)
    result = score([Segment("a", "x y"), Segment("b", "x")], {"b": ""}, "verbatim-1")

    rankings = replace(shown, material=gather(result, {}, [])).rankings

    assert [(n_all, sum(row[-1] for row in rows)) for _, n_all, rows in rankings] == [
        (0, 0),
        (1, 1),
        (0, 0),
    ]


def test_the_same_scores_give_the_same_page(tmp_path: Path) -> None:
    one, other = (write(tmp_path / "a.html", [panel(["x", "y"], tmp_path)]) for _ in range(2))

    assert one == other


def test_nothing_of_a_hostile_page_runs_and_nothing_is_fetched(
    browser: Browser,
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.html"
    write(path, [panel(EVIL, tmp_path, told="".join(EVIL))], "".join(EVIL))

    browser.open(path)
    n_rows = browser.run("document.querySelectorAll('.grid-body .row').length")
    for i in range(n_rows):
        browser.run(f"document.querySelectorAll('.grid-body .row')[{i}].click()")
        browser.run("new Promise((done) => setTimeout(done, 20))")
    browser.run("document.querySelector('.find').click()")

    assert n_rows == len(EVIL)
    assert browser.run("typeof window.hacked") == "undefined"
    asked = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {path.as_uri()}
    problems = ("Runtime.exceptionThrown", "Log.entryAdded")
    assert [event for event in browser.events if event["method"] in problems] == []


def test_the_policy_stops_a_script_that_got_in(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    text = write(path, [panel(["x", "y"], tmp_path)])
    got_in = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
    path.write_text(text.replace("</main>", f"{got_in}</main>"))

    browser.open(path)

    assert browser.run("typeof window.hacked") == "undefined"


def test_the_table_sorts_searches_and_opens(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    write(path, [panel(["one", "two", "three"], tmp_path)])
    browser.open(path)

    def ids() -> list[str]:
        found: list[str] = browser.run(
            "[...document.querySelectorAll('.grid-body .row .id')].map((e) => e.textContent)"
        )
        return found

    browser.run("document.querySelector('.grid-head .speaker').click()")
    assert ids() == ["0 one", "2 three", "1 two"]

    browser.run(
        "const box = document.querySelector('input[type=search]'); box.value = 'two → three';"
        "box.dispatchEvent(new Event('input'))"
    )
    assert ids() == ["1 two"]

    browser.run("document.querySelector('.grid-body .row').click()")
    browser.wait("document.querySelector('.opened svg.row')")
    shown = "[...document.querySelectorAll('.opened .pair')].map((e) => e.className)"
    assert browser.run(shown) == ["pair sub", "pair hit", "pair del"]
    assert browser.run("document.querySelectorAll('.opened svg.row').length") == 1


def test_pointing_at_a_picture_shows_the_value(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    write(path, [panel(["one", "two"], tmp_path)])
    browser.open(path)
    point = (
        "document.querySelector('%s')"
        ".dispatchEvent(new PointerEvent('pointerover', {bubbles: true}));"
        "document.getElementById('tip').hidden || document.getElementById('tip').textContent"
    )

    for _ in range(2):
        assert browser.run(point % ".estimate .target").startswith("speaker one: WER 66.67 %")
        assert browser.run(point % "h1") is True  # hidden again


@pytest.mark.parametrize("most_bytes", [10**6, 0], ids=["embedded", "referred to"])
def test_sound_plays_from_a_word(browser: Browser, tmp_path: Path, most_bytes: int) -> None:
    path = tmp_path / "a.html"
    write(path, [panel(["one", "two"], tmp_path, most_bytes=most_bytes)])
    browser.open(path)

    browser.run("document.querySelectorAll('.looks .pair[data-start]')[1].click()")
    browser.wait("document.querySelector('.looks audio').currentTime > 0.1")


@pytest.mark.slow
def test_a_hundred_thousand_utterances_open_in_three_seconds_and_sixty_megabytes(
    browser: Browser,
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(0)
    vocabulary = np.array(["".join(random.choice(list("ETAOINSHRDLU"), 6)) for _ in range(20_000)])
    spoken, recognised = [], {}
    for i in range(2_000):  # 34 words in 12 seconds, as in LibriSpeech
        words = vocabulary[(20_000 * random.random(34) ** 3).astype(int)]
        heard = np.where(random.random(34) < 0.1, random.choice(vocabulary, 34), words)
        starts = np.cumsum(random.uniform(0.2, 0.5, 34)).round(2).tolist()
        times = [
            Word(text, start, start + 0.1, round(random.random(), 2))
            for text, start in zip(heard.tolist(), starts, strict=True)
        ]
        spoken.append(Segment(f"{i:04}-1234-0000", " ".join(words), str(i % 200)))
        recognised[spoken[-1].id] = Transcript(spoken[-1].id, " ".join(heard), words=tuple(times))
    small = gather(
        score(spoken, {name: one.text for name, one in recognised.items()}, "verbatim-1"),
        recognised,
        [Utterance(s.id, tmp_path / "corpus" / f"{s.id}.flac", duration=12.0) for s in spoken],
    )
    columns = [
        {name: 50 * column for name, column in some.items()}
        for some in (listed(small), opened(small, tmp_path))
    ]
    path = tmp_path / "big.html"
    text = write(path, [_alone(small)])
    for name, some in zip(("listed", "more"), columns, strict=True):
        packed = pack(some)
        text = re.sub(f'(class="{name}">)[^<]*', lambda found, p=packed: found[1] + p, text)  # type: ignore[misc]
    path.write_text(text)

    began = browser.seconds()
    browser.open(path)
    seconds = browser.seconds() - began

    assert browser.run("document.querySelector('.shown').textContent") == "100,000 utterances"
    assert path.stat().st_size < 60e6
    assert seconds < 3.0


def _alone(material: Material) -> Panel:
    made = Provenance("c", None, "t", "h", "v")
    (summary,) = summaries([ScoreFile("s", "c", material.score, made, None)])
    return Panel(summary, material, [], [])
