from pathlib import Path
from typing import Literal

import pytest

from asr.errors import ConfigError, DataError
from asr.text.bpe import BpeTokenizer, train_bpe
from asr.text.tokenizer import HeadConfig, TextConfig, Tokenizer, make_tokenizer, read_tokenizer
from asr.text.tokens import TokenTable

TEXTS = ["THE CAT IS THE CAT", "THAT CAT SAT THERE AND THE OTHER CAT SAT HERE"] * 3


def test_characters_are_those_of_the_texts() -> None:
    tokenizer = make_tokenizer(TEXTS, HeadConfig(units="char", n_tokens=0))
    assert tokenizer == TokenTable.from_text(TEXTS)


def test_as_many_bpe_tokens_are_made_as_configured() -> None:
    tokenizer = make_tokenizer(TEXTS, HeadConfig(units="bpe", n_tokens=20))
    assert isinstance(tokenizer, BpeTokenizer)
    assert len(tokenizer) == 20


def test_phones_are_not_made_from_text() -> None:
    with pytest.raises(ConfigError, match="lexicon"):
        make_tokenizer(TEXTS, HeadConfig(units="phones", n_tokens=0))


@pytest.mark.parametrize(
    ("units", "n_tokens"), [("char", 5), ("phones", 5), ("bpe", 0), ("bpe", -1), ("char", -1)]
)
def test_an_impossible_number_of_tokens_is_refused(
    units: Literal["char", "bpe", "phones"], n_tokens: int
) -> None:
    with pytest.raises(ConfigError, match=f"heads: n_tokens .* got {n_tokens} for '{units}'"):
        HeadConfig(units=units, n_tokens=n_tokens)


def test_an_unknown_normaliser_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"text\.normaliser must be one of"):
        TextConfig(normaliser="loud-1")


@pytest.mark.parametrize("tokenizer", [TokenTable.from_text(TEXTS), train_bpe(TEXTS, 20)])
def test_a_tokenizer_is_read_as_it_was_written(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.write(tmp_path, "text")
    assert read_tokenizer(tmp_path, "text") == tokenizer


def test_tokenizers_of_several_names_share_a_folder(tmp_path: Path) -> None:
    phones = TokenTable(("<blank>", "AA", "B"))
    train_bpe(TEXTS, 20).write(tmp_path, "text")
    phones.write(tmp_path, "phones")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["bpe-text.model", "tokens-phones.txt", "tokens-text.txt"]
    assert read_tokenizer(tmp_path, "phones") == phones


def test_a_bpe_model_that_disagrees_with_its_token_table_is_refused(tmp_path: Path) -> None:
    train_bpe(TEXTS, 20).write(tmp_path, "text")
    train_bpe(TEXTS, 19).table.write(tmp_path, "text")
    with pytest.raises(DataError, match=r"not the tokens of tokens-text\.txt"):
        read_tokenizer(tmp_path, "text")
