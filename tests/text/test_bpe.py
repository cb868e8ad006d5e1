import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError
from asr.text.bpe import BpeTokenizer, train_bpe
from asr.text.tokens import BLANK, WORD_BOUNDARY, TokenTable

TEXTS = [
    "THE CAT'S HAT IS THE HAT OF THE CAT",
    "THAT CAT SAT THERE AND THE OTHER CAT SAT HERE",
    "IT'S THE RAT'S HAT",
] * 3
BPE = train_bpe(TEXTS, 40)


def test_the_requested_number_of_tokens_is_made_with_the_blank_first() -> None:
    assert len(BPE) == len(BPE.tokens) == 40
    assert BPE.tokens[0] == BLANK


def test_the_same_texts_give_the_same_model() -> None:
    assert train_bpe(TEXTS, 40).model == BPE.model


def test_single_short_words_give_tokens() -> None:
    commands = train_bpe(["YES", "NO", ""] * 3, 8)

    assert [commands.decode(commands.encode(word)) for word in ("YES", "NO")] == ["YES", "NO"]


def test_every_character_of_the_texts_is_a_token() -> None:
    assert set("".join(TEXTS).replace(" ", WORD_BOUNDARY)) <= set(BPE.tokens)


def test_frequent_words_become_one_token_and_rare_ones_several() -> None:
    assert BPE.encode("THE CAT") == [BPE.tokens.index("▁THE"), BPE.tokens.index("▁CAT")]
    assert len(BPE.encode("DIAREN")) > 1


def test_a_piece_may_hold_an_apostrophe_and_a_letter() -> None:
    assert any("'" in token and len(token) > 1 for token in BPE.tokens)


@given(st.lists(st.text("THECASRODIN'", min_size=1), max_size=6))
def test_decoding_gives_back_what_was_encoded(words: list[str]) -> None:
    ids = BPE.encode(" ".join(words))
    assert 0 not in ids
    assert BPE.decode(ids) == " ".join(words)
    assert [word.text for word in BPE.words(ids)] == words


def test_white_space_around_and_between_words_does_not_matter() -> None:
    assert BPE.encode("  THE\t CAT\n") == BPE.encode("THE CAT")
    assert BPE.encode(" ") == []


@pytest.mark.parametrize("text", ["THE ÉTAT", "<blank>", "THE▁CAT", "the"])
def test_text_with_an_unknown_character_is_refused_rather_than_encoded_as_a_blank(
    text: str,
) -> None:
    with pytest.raises(DataError, match="no token for the character"):
        BPE.encode(text)


@pytest.mark.parametrize("size", [1, 5, 5000])
def test_an_impossible_size_is_refused_with_the_reason(size: int) -> None:
    with pytest.raises(DataError, match=rf"cannot make {size} BPE tokens .*Vocabulary size"):
        train_bpe(TEXTS, size)


@pytest.mark.parametrize("texts", [[], ["", " "], ["A▁B"]])
def test_texts_that_give_no_tokens_are_refused(texts: list[str]) -> None:
    with pytest.raises(DataError):
        train_bpe(texts, 10)


def test_an_utterance_may_have_any_length() -> None:
    long = "AB " * 5000 + "Q"
    assert "Q" in train_bpe([long, "AB"], 8).tokens


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    BPE.write(tmp_path, "text")
    assert BpeTokenizer.read(tmp_path, "text") == BPE
    assert TokenTable.read(tmp_path, "text") == BPE.table


def test_a_tokenizer_can_be_copied_for_a_worker_process() -> None:
    twin = copy.deepcopy(BPE)
    assert twin == BPE
    assert twin.encode("THE CAT") == BPE.encode("THE CAT")


@pytest.mark.parametrize("model", [b"", b"no model", BPE.model[:100]])
def test_a_damaged_model_is_named(
    tmp_path: Path, model: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bpe-text.model").write_bytes(model)
    with pytest.raises(DataError, match=r"bpe-text\.model: expected a sentencepiece model"):
        BpeTokenizer.read(tmp_path, "text")
    assert capfd.readouterr() == ("", "")


def test_a_model_with_another_first_piece_than_the_blank_is_refused() -> None:
    assert BPE.model.count(BLANK.encode()) == 2  # as a piece, and in the settings
    with pytest.raises(DataError, match="token 0 must be"):
        BpeTokenizer(BPE.model.replace(BLANK.encode(), b"<plank>"))


@pytest.mark.corpus
def test_transcripts_of_real_speech_come_back_from_both_kinds_of_tokens(shared_data: Path) -> None:
    files = sorted((shared_data / "LibriSpeech" / "dev-clean").glob("*/*/*.trans.txt"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [line.partition(" ")[2] for line in lines]
    assert len(texts) == 633
    for tokenizer in (TokenTable.from_text(texts), train_bpe(texts, 300)):
        encoded = [tokenizer.encode(text) for text in texts]
        assert [tokenizer.decode(ids) for ids in encoded] == texts
