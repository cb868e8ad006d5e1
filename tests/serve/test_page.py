"""The page: it needs nothing from elsewhere, and works in a browser."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from asr.audio.read import read_waveform
from asr.recognizer import Recognizer
from asr.serve.gate import Access
from tests.serve.conftest import SPEECH, Running, Start, until

Browser = Any  # playwright may be missing
Page = Any
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)


def test_the_page_needs_nothing_from_elsewhere(server: Running) -> None:
    page = server.get("/").content.decode()
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) >= 3
    for link in links:
        assert link.startswith("data:image/") or server.get(f"/{link}").status == 200
    for path in ("/", "/page.css", "/page.js", "/recorder.js"):
        content = server.get(path).content.decode().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in content
    assert not re.search(r"<script>|<style|style=|\son\w+=", page)  # the policy forbids them


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Chromium, which hears the demo by its microphone."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    waveform = read_waveform(SPEECH, sample_rate=48000)
    soundfile.write(tmp_path / "microphone.wav", np.concatenate([waveform] * 3), 48000)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={tmp_path / 'microphone.wav'}%noloop",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield browser
        browser.close()


def opened(browser: Browser, server: Running, complaints: list[str]) -> Page:
    page = browser.new_context(permissions=["microphone"]).new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"http://127.0.0.1:{server.port}/")
    return page


def recording(page: Page, wait: int = 0) -> None:
    """Give the page its microphone after some milliseconds, and remember it."""
    page.evaluate(
        """wait => {
            const media = navigator.mediaDevices, get = media.getUserMedia.bind(media);
            window.tracks = [];
            media.getUserMedia = async (options) => {
                await new Promise((resolve) => setTimeout(resolve, wait));
                const stream = await get(options);
                tracks.push(...stream.getTracks());
                return stream;
            };
        }""",
        wait,
    )


def is_silent(page: Page, server: Running) -> bool:
    """Whether nothing of a recording is left, neither a microphone nor a session."""
    is_over = "tracks.length > 0 && tracks.every(({readyState}) => readyState === 'ended')"
    return until(lambda: page.evaluate(is_over) and server.metric("asr_live_sessions") == 0)


@pytest.mark.slow
def test_a_file_becomes_words_that_can_be_heard_and_downloaded(
    browser: Browser,
    server: Running,
    recognizer: Recognizer,
    tmp_path: Path,
) -> None:
    complaints: list[str] = []
    page = opened(browser, server, complaints)
    page.set_input_files("#file", SPEECH)
    page.wait_for_selector("#downloads:not([hidden])")
    words = recognizer.transcribe(SPEECH).words

    assert page.locator(".word").all_inner_texts() == [word.text for word in words]
    page.locator(".word").nth(4).click()
    # the page's policy forbids the eval of wait_for_function
    assert until(lambda: bool(page.evaluate("document.querySelector('audio').currentTime > 0")))
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == words[1].text
    page.keyboard.press("Enter")
    page.wait_for_selector(".is-now")
    with page.expect_download() as download:
        page.click("#srt")
    download.value.save_as(tmp_path / "speech.srt")
    assert download.value.suggested_filename == "speech.srt"
    start = f"00:00:00,{round(1000 * words[0].start):03} --> "
    assert start in (tmp_path / "speech.srt").read_text()
    assert complaints == []


@pytest.mark.slow
def test_the_microphone_becomes_words(browser: Browser, server: Running) -> None:
    complaints: list[str] = []
    page = opened(browser, server, complaints)
    page.click("#record")
    page.wait_for_selector(".word", timeout=20_000)
    page.click("#record")
    page.wait_for_selector("#downloads:not([hidden])")
    assert "OLD" in page.inner_text("#transcript")
    page.wait_for_selector("#player:not([hidden])")
    assert complaints == []


@pytest.mark.slow
def test_a_second_click_on_record_begins_nothing(browser: Browser, server: Running) -> None:
    page = opened(browser, server, [])
    recording(page)
    page.evaluate("[1, 2].forEach(() => document.querySelector('#record').click())")
    page.wait_for_selector("#clock:not(:empty)", timeout=20_000)
    assert page.evaluate("tracks.length") == 1
    page.click("#record")
    page.wait_for_selector("#player:not([hidden])")
    assert is_silent(page, server)


@pytest.mark.slow
def test_a_second_click_on_stop_keeps_the_recording(browser: Browser, server: Running) -> None:
    """It meets Cancel, which appears in the place of Stop."""
    page = opened(browser, server, [])
    page.click("#record")
    page.wait_for_selector(".word", timeout=20_000)
    page.evaluate("['#record', '#cancel'].forEach((id) => document.querySelector(id).click())")
    page.wait_for_selector("#downloads:not([hidden])")
    assert "OLD" in page.inner_text("#transcript")


@pytest.mark.slow
def test_a_file_that_comes_before_the_microphone_is_transcribed_instead(
    browser: Browser, server: Running
) -> None:
    page = opened(browser, server, [])
    recording(page, wait=1000)
    page.click("#record")
    page.set_input_files("#file", SPEECH)
    page.wait_for_selector("#downloads:not([hidden])")
    assert is_silent(page, server)
    assert "OLD" in page.inner_text("#transcript")
    assert page.get_attribute("body", "data-state") == "idle"


@pytest.mark.slow
def test_stop_before_anything_was_heard_ends_at_once(browser: Browser, server: Running) -> None:
    page = opened(browser, server, [])
    recording(page)
    page.evaluate(
        """async () => {
            document.querySelector("#record").click();
            while (document.body.dataset.state !== "live") await new Promise(requestAnimationFrame);
            document.querySelector("#record").click();
        }"""
    )
    assert page.get_attribute("body", "data-state") == "idle"
    assert is_silent(page, server)


@pytest.mark.slow
def test_the_player_knows_how_long_a_file_is_that_does_not_say_so(
    browser: Browser, server: Running
) -> None:
    pytest.importorskip("av")
    page = opened(browser, server, [])
    page.evaluate(
        """async () => {
            const stream = await navigator.mediaDevices.getUserMedia({audio: true});
            const recorder = new MediaRecorder(stream), parts = [];
            recorder.ondataavailable = ({data}) => parts.push(data);
            recorder.onstop = () => {
                const chosen = new DataTransfer();
                chosen.items.add(new File(parts, "talk.webm", {type: "audio/webm"}));
                document.querySelector("#file").files = chosen.files;
                document.querySelector("#file").dispatchEvent(new Event("change"));
            };
            recorder.start(100);  // in parts, before it is known how long it will be
            setTimeout(() => recorder.stop(), 1500);
        }"""
    )
    page.wait_for_selector("#player:not([hidden])")
    assert re.fullmatch(r"0:00 / 0:0[1-3]", page.inner_text("#time"))
    assert 1 < page.evaluate("Number(document.querySelector('#seek').max)") < 4


@pytest.mark.slow
def test_where_browsers_do_not_copy_the_page_says_why(browser: Browser, server: Running) -> None:
    complaints: list[str] = []
    page = opened(browser, server, complaints)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # plain HTTP
    page.set_input_files("#file", SPEECH)
    page.click("#copy")
    page.wait_for_selector("#problem:not(:empty)")
    assert page.inner_text("#problem") == "Browsers copy only from localhost or over HTTPS."
    assert complaints == []


@pytest.mark.slow
def test_a_file_that_is_no_recording_is_named_and_a_key_is_asked_for(
    browser: Browser,
    start: Start,
    tmp_path: Path,
) -> None:
    page = opened(browser, start(access=Access("the-key", hosts=None)), [])
    (tmp_path / "no.wav").write_bytes(b"no recording")
    page.set_input_files("#file", tmp_path / "no.wav")
    page.fill("#key", "the-key")
    page.keyboard.press("Enter")
    page.wait_for_selector("#problem:not(:empty)")
    assert page.inner_text("#problem").startswith("The recording is not audio")


@pytest.mark.slow
def test_a_key_can_be_wrong_and_need_not_be_given(browser: Browser, start: Start) -> None:
    page = opened(browser, start(access=Access("the-key", hosts=None)), [])
    for button in ("#file", "#record"):
        if button == "#file":
            page.set_input_files(button, SPEECH)
        else:
            page.click(button)
        page.wait_for_selector("#key-dialog[open]")
        page.keyboard.press("Escape")
        page.wait_for_selector("#problem:not(:empty)")
        assert page.inner_text("#problem").endswith("This server asks for a key.")
        assert page.get_attribute("body", "data-state") == "idle"
    page.set_input_files("#file", SPEECH)
    page.fill("#key", "schlüssel€")  # no header can carry it
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('#key').validity.patternMismatch")
    assert page.is_visible("#key-dialog")
    page.fill("#key", "wrong!#$%&'*+-.^_`|~")
    page.keyboard.press("Enter")
    page.wait_for_selector("#key-problem:not(:empty)")
    assert page.inner_text("#key-problem") == "The server does not know this key."
    page.fill("#key", "the-key")
    page.keyboard.press("Enter")
    page.wait_for_selector("#downloads:not([hidden])")
