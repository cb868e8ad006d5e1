"""Tokens: the units that a model emits, their ids, and the way from text to ids and back.

A word boundary is written `▁`, as in sentencepiece. Among characters it is a token of its own
between two words (`A ▁ B`); a BPE piece carries it as its first character (`▁A ▁B`). The same rule
decodes both and groups both into words; only the way text is split differs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asr.errors import DataError
from asr.files import write_bytes

BLANK = "<blank>"
WORD_BOUNDARY = "▁"


@dataclass(frozen=True, slots=True)
class WordSpan:
    """One word of a token sequence: its text and the half-open positions of its tokens.

    A boundary that is a token of its own belongs to no word.
    """

    text: str
    start: int
    stop: int


def tokens_file(name: str) -> str:
    """Name the file of a token table."""
    return f"tokens-{name}.txt"


@dataclass(frozen=True, slots=True)
class TokenTable:
    """The tokens of a model by id, and the character tokenizer.

    Id 0 is the blank, which no text contains.

    Args:
        tokens: Distinct, without white space; the first is `<blank>`. A `▁` only begins a token.

    Raises:
        DataError: A token breaks one of these rules.

    Example:
        >>> table = TokenTable.from_text(["A CAB"])
        >>> table.tokens
        ('<blank>', '▁', 'A', 'B', 'C')
        >>> table.encode("CAB A")
        [4, 2, 3, 1, 2]
        >>> table.decode([4, 2, 3, 1, 2])
        'CAB A'
        >>> table.words([4, 2, 3, 1, 2])
        [WordSpan(text='CAB', start=0, stop=3), WordSpan(text='A', start=4, stop=5)]
    """

    tokens: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self.tokens)
        object.__setattr__(self, "_ids", {token: i for i, token in enumerate(self.tokens)})

    @classmethod
    def from_text(cls, texts: Iterable[str]) -> "TokenTable":
        """Collect the characters of normalised texts, in the order of their code points.

        Raises:
            DataError: The texts contain no character, or the word boundary `▁` itself.
        """
        characters = sorted({character for text in texts for character in "".join(text.split())})
        if not characters:
            raise DataError("expected texts to take the characters from, got none with a character")
        if WORD_BOUNDARY in characters:
            raise DataError(
                f"texts must not contain {WORD_BOUNDARY!r}, which marks word boundaries"
            )
        return cls((BLANK, WORD_BOUNDARY, *characters))

    def __len__(self) -> int:
        """Count the tokens, blank included: the V of a model's output."""
        return len(self.tokens)

    @property
    def joint(self) -> list[int]:
        """What stands between the tokens of two texts to make those of both."""
        return self.ids_of([WORD_BOUNDARY]) if WORD_BOUNDARY in self._ids else []

    def encode(self, text: str) -> list[int]:
        """Split text into characters, with one word boundary between two words.

        White space at the ends is dropped, and several spaces count as one.

        Raises:
            DataError: The text has a character that the table lacks.
        """
        if WORD_BOUNDARY in text:
            raise lacks_character(WORD_BOUNDARY, text)
        try:
            return [self._ids[character] for character in WORD_BOUNDARY.join(text.split())]
        except KeyError as missing:
            raise lacks_character(missing.args[0], text) from None

    def decode(self, ids: Sequence[int]) -> str:
        """Turn ids into text: words with one space between them, none at the ends.

        Raises:
            DataError: An id is the blank or outside the table.
        """
        return " ".join(word.text for word in self.words(ids))

    def words(self, ids: Sequence[int]) -> list[WordSpan]:
        """Group ids into words: a word ends where a token begins with `▁`.

        Raises:
            DataError: An id is the blank or outside the table.
        """
        spans: list[WordSpan] = []
        text, start = "", 0
        for position, token in enumerate(self._tokens_of(ids)):
            if token.startswith(WORD_BOUNDARY):
                if text:
                    spans.append(WordSpan(text, start, position))
                text = ""
            piece = token.removeprefix(WORD_BOUNDARY)
            start = position if not text else start
            text += piece
        return [*spans, WordSpan(text, start, len(ids))] if text else spans

    def write(self, folder: Path, name: str) -> None:
        """Write `tokens-<name>.txt`: one token a line, its id the line number from 0."""
        write_bytes(folder / tokens_file(name), "".join(f"{t}\n" for t in self.tokens).encode())

    @classmethod
    def read(cls, folder: Path, name: str) -> "TokenTable":
        """Read `tokens-<name>.txt`.

        Raises:
            DataError: The file is missing, not UTF-8, or not a table of tokens.
        """
        path = folder / tokens_file(name)
        try:
            return cls(tuple(path.read_bytes().decode().removesuffix("\n").split("\n")))
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}; it holds the model's tokens") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: expected UTF-8 text, got {error.reason}") from error
        except DataError as error:
            raise DataError(f"{path}: {error}") from error

    def ids_of(self, tokens: Iterable[str]) -> list[int]:
        """Look up ids.

        Raises:
            DataError: The table lacks a token.
        """
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as missing:
            raise DataError(f"there is no token {missing.args[0]!r}") from None

    def _tokens_of(self, ids: Sequence[int]) -> list[str]:
        for i in ids:
            if not 0 < i < len(self.tokens):
                raise DataError(f"expected token ids in 1..{len(self) - 1}, got {i} in {list(ids)}")
        return [self.tokens[i] for i in ids]


def lacks_character(character: str, text: str) -> DataError:
    """Name a character that no token contains, and its text."""
    return DataError(
        f"no token for the character {character!r} (U+{ord(character):04X}) in {text!r}: "
        "normalise the text, or make the tokens from text that contains it"
    )


def _check(tokens: tuple[str, ...]) -> None:
    if not tokens or tokens[0] != BLANK:
        raise DataError(f"token 0 must be {BLANK!r}, got {tokens[:1]}")
    seen: set[str] = set()
    for i, token in enumerate(tokens):
        if token in seen:
            raise DataError(f"token {i} is {token!r}, a duplicate")
        if not token or any(character.isspace() for character in token):
            raise DataError(f"token {i} is {token!r}: a token is not empty and has no white space")
        if WORD_BOUNDARY in token[1:]:
            raise DataError(f"token {i} is {token!r}: {WORD_BOUNDARY!r} may only begin a token")
        seen.add(token)
