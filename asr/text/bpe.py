"""BPE: pieces of words, merged from characters by how often they stand together.

sentencepiece's unknown piece is named `<blank>` and given id 0, which makes its ids the model's
ids: blank first, nothing to translate. Text with an unknown character is refused before it could
ever come out as a blank.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from asr.errors import DataError
from asr.text.tokens import (
    BLANK,
    TOKENS_FILE,
    WORD_BOUNDARY,
    Tokenizer,
    TokenTable,
    WordSpan,
    lacks_character,
)

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

BPE_FILE = "bpe.model"


def train_bpe(texts: Iterable[str], size: int) -> "BpeTokenizer":
    """Learn pieces from normalised texts; the same texts in the same order give the same pieces.

    Pieces never cross a word boundary. Every character of the texts is a piece, so that all of
    them can be spelled.

    Args:
        texts: One utterance each.
        size: How many tokens to make, blank included.

    Raises:
        DataError: The texts are empty, contain `▁`, or cannot give so few or so many tokens.

    References:
        Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", ACL 2016.
        Kudo and Richardson, "SentencePiece", EMNLP 2018.
    """
    import sentencepiece  # here, so that characters do without it

    sentences = [" ".join(text.split()) for text in texts]
    TokenTable.from_text(sentences)  # refuses what no tokenizer could learn from
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=model,
            model_type="bpe",
            vocab_size=size,
            unk_id=0,
            unk_piece=BLANK,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            normalization_rule_name="identity",  # `normalise` has done it, under its own name
            character_coverage=1.0,
            split_by_unicode_script=False,  # else no piece could hold an apostrophe and a letter
            max_sentence_length=max(len(sentence.encode()) for sentence in sentences) + 1,
            shuffle_input_sentence=False,
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        reason = str(error).rpartition("] ")[2]
        raise DataError(f"cannot make {size} BPE tokens of these texts: {reason}") from error
    return BpeTokenizer(model.getvalue())


def read_tokenizer(folder: Path) -> Tokenizer:
    """Read the tokens of a model directory: BPE where `bpe.model` lies there, else characters.

    Raises:
        DataError: A file is missing or damaged, or the two do not belong together.
    """
    table = TokenTable.read(folder)
    path = folder / BPE_FILE
    if not path.exists():
        return table
    try:
        tokenizer = BpeTokenizer(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if tokenizer.table != table:
        raise DataError(f"{path}: its pieces are not the tokens of {TOKENS_FILE} beside it")
    return tokenizer


@dataclass(frozen=True, slots=True)
class BpeTokenizer:
    """Pieces of words as tokens; the `Tokenizer` of a sentencepiece model.

    Args:
        model: A serialised sentencepiece model as `train_bpe` makes it.

    Raises:
        DataError: The bytes are no such model.
    """

    model: bytes = field(repr=False)
    table: TokenTable = field(init=False, compare=False)
    _processor: "SentencePieceProcessor" = field(init=False, repr=False, compare=False)
    _alphabet: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        processor = _processor_of(self.model)
        table = TokenTable(tuple(processor.id_to_piece(i) for i in range(len(processor))))
        alphabet = frozenset("".join(table.tokens[1:])) - {WORD_BOUNDARY}
        object.__setattr__(self, "_processor", processor)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "_alphabet", alphabet)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens by id; the first is `<blank>`."""
        return self.table.tokens

    def __len__(self) -> int:
        """Count the tokens, blank included: the V of a model's output."""
        return len(self.table)

    def encode(self, text: str) -> list[int]:
        """Spell text in pieces; white space at the ends is dropped, several spaces count as one.

        Raises:
            DataError: The text has a character that no piece spells.
        """
        words = " ".join(text.split())
        for character in words:
            if character not in self._alphabet and character != " ":
                raise lacks_character(character, text)
        ids: list[int] = self._processor.encode(words)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Read ids as text; see `TokenTable.decode`."""
        return self.table.decode(ids)

    def words(self, ids: Sequence[int]) -> list[WordSpan]:
        """Group ids into words; see `TokenTable.words`."""
        return self.table.words(ids)

    def write(self, folder: Path) -> None:
        """Write `tokens.txt` and `bpe.model`."""
        self.table.write(folder)
        (folder / BPE_FILE).write_bytes(self.model)


def _processor_of(model: bytes) -> "SentencePieceProcessor":
    import sentencepiece

    if not model:
        raise DataError("expected a sentencepiece model, got no bytes")
    try:
        return sentencepiece.SentencePieceProcessor(model_proto=model)
    except RuntimeError as error:
        raise DataError("expected a sentencepiece model, got bytes that are none") from error
