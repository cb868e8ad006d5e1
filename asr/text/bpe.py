"""BPE: pieces of words, merged from characters by how often they occur together.

sentencepiece's unknown piece is named `<blank>` and has id 0, so its ids are the model's ids. Text
with an unknown character is refused, because sentencepiece would encode it as the blank.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from asr.errors import DataError
from asr.files import write_bytes
from asr.text.tokens import BLANK, WORD_BOUNDARY, TokenTable, WordSpan, lacks_character

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

_LEAST_BYTES = 10  # that sentencepiece takes for the longest sentence


def train_bpe(texts: Iterable[str], size: int) -> "BpeTokenizer":
    """Learn pieces from normalised texts; the same texts in the same order give the same pieces.

    Pieces never cross a word boundary. Every character of the texts is a piece, so all of them can
    be encoded.

    Args:
        texts: One utterance each.
        size: Number of tokens, blank included.

    Raises:
        DataError: The texts are empty, contain `▁`, or cannot give that many or that few tokens.

    References:
        Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", ACL 2016.
        Kudo and Richardson, "SentencePiece", EMNLP 2018.
    """
    import sentencepiece

    sentences = [" ".join(text.split()) for text in texts]
    TokenTable.from_text(sentences)  # refuses texts that no tokenizer can be made of
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
            normalization_rule_name="identity",  # `normalise` has done it
            character_coverage=1.0,
            split_by_unicode_script=False,  # a piece may hold an apostrophe and a letter
            max_sentence_length=max(_LEAST_BYTES, 1 + max(len(one.encode()) for one in sentences)),
            shuffle_input_sentence=False,
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        reason = str(error).rpartition("] ")[2]
        raise DataError(f"cannot make {size} BPE tokens of these texts: {reason}") from error
    return BpeTokenizer(model.getvalue())


def bpe_file(name: str) -> str:
    """Name the file of a sentencepiece model."""
    return f"bpe-{name}.model"


@dataclass(frozen=True, slots=True)
class BpeTokenizer:
    """Pieces of words as tokens, with the methods of a `TokenTable`.

    Args:
        model: A serialised sentencepiece model, as `train_bpe` makes it.

    Raises:
        DataError: The bytes are not such a model.
    """

    model: bytes = field(repr=False)
    table: TokenTable = field(init=False, compare=False)
    _processor: "SentencePieceProcessor" = field(init=False, repr=False, compare=False)
    _alphabet: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        import sentencepiece  # here: characters do not need it

        if not self.model:
            raise DataError("expected a sentencepiece model, got no bytes")
        try:
            processor = sentencepiece.SentencePieceProcessor(model_proto=self.model)
        except RuntimeError as error:
            raise DataError("expected a sentencepiece model, got other bytes") from error
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

    @property
    def joint(self) -> list[int]:
        """What stands between the tokens of two texts: nothing, a word begins with its own `▁`."""
        return []

    def encode(self, text: str) -> list[int]:
        """Split text into pieces; white space at the ends is dropped, several spaces count as one.

        Raises:
            DataError: The text has a character that no piece contains.
        """
        words = " ".join(text.split())
        for character in words:
            if character not in self._alphabet and character != " ":
                raise lacks_character(character, text)
        ids: list[int] = self._processor.encode(words)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Turn ids into text; see `TokenTable.decode`."""
        return self.table.decode(ids)

    def words(self, ids: Sequence[int]) -> list[WordSpan]:
        """Group ids into words; see `TokenTable.words`."""
        return self.table.words(ids)

    def write(self, folder: Path, name: str) -> None:
        """Write `tokens-<name>.txt` and `bpe-<name>.model`."""
        self.table.write(folder, name)
        write_bytes(folder / bpe_file(name), self.model)

    @classmethod
    def read(cls, folder: Path, name: str) -> "BpeTokenizer":
        """Read `bpe-<name>.model`.

        Raises:
            DataError: The file is missing or damaged.
        """
        path = folder / bpe_file(name)
        try:
            return cls(path.read_bytes())
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}") from error
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
