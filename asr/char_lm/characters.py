"""Characters: the tokens of the language model, and text as their ids.

A text is one long string in which a line break ends each segment. So the end of a segment is a
character like any other, id 0. Files spell it `</s>`, and the space `▁`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.vocabulary import END

END_ID = 0
CHARACTERS_FILE = "tokens.txt"

_END_CHARACTER, _SPACE = "\n", "▁"
_CHUNK = 10_000  # segments encoded at a time


@dataclass(frozen=True, slots=True)
class CharacterTable:
    r"""The characters of a model by id.

    Args:
        characters: Distinct; the first one is the line break that ends a segment.

    Raises:
        DataError: Two are equal, the first is not the line break, or it is the only one.

    Example:
        >>> table = CharacterTable.of(["A CAB"])
        >>> table.characters
        '\n ABC'
        >>> table.encode(["CAB", "A"]).tolist()
        [4, 2, 3, 0, 2, 0]
        >>> table.decode([4, 2, 3, 0])
        'CAB\n'
    """

    characters: str

    def __post_init__(self) -> None:
        if len(self.characters) < 2 or self.characters[0] != _END_CHARACTER:
            raise DataError(f"expected a line break, then characters, got {self.characters!r}")
        if len(set(self.characters)) != len(self.characters):
            raise DataError(f"expected distinct characters, got {self.characters!r}")
        if _SPACE in self.characters:
            raise DataError(f"{_SPACE!r} stands for the space in files and cannot be a character")

    @classmethod
    def of(cls, segments: Iterable[str]) -> "CharacterTable":
        """Collect the characters of segments, ordered by code point."""
        return cls("".join(sorted({_END_CHARACTER}.union(*segments))))

    def __len__(self) -> int:
        """V, the end of a segment included."""
        return len(self.characters)

    def encode(self, segments: Iterable[str]) -> NDArray[np.uint16]:
        """Concatenate the ids of segments, which have no line break, each with its end.

        Returns:
            (N,) ids: one per character and one per segment.

        Raises:
            DataError: A segment has a character that the table lacks.
        """
        known = [ord(character) for character in self.characters]
        beyond, unknown = max(known) + 1, len(self)
        ids = np.full(beyond + 1, unknown, np.uint16)  # by code point
        ids[known] = range(len(self))
        rest, chunks = iter(segments), [np.zeros(0, np.uint16)]
        while chunk := list(islice(rest, _CHUNK)):
            text = "".join(f"{segment}{_END_CHARACTER}" for segment in chunk)
            code_points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
            chunks.append(ids[np.minimum(code_points, beyond)])
            if (is_unknown := chunks[-1] == unknown).any():
                character = text[int(is_unknown.argmax())]
                segment = next(segment for segment in chunk if character in segment)
                raise DataError(
                    f"the model does not know the character {character!r} "
                    f"(U+{ord(character):04X}) in {segment!r}: normalise the text as the "
                    "training text was"
                )
        return np.concatenate(chunks)

    def decode(self, ids: Sequence[int]) -> str:
        """Turn ids into text; the end of a segment is a line break."""
        return "".join(self.characters[i] for i in ids)

    def write(self, folder: Path) -> None:
        """Write `tokens.txt`, one character per line: line i, from 0, is id i."""
        spelled = [END, *self.characters[1:].replace(" ", _SPACE)]
        (folder / CHARACTERS_FILE).write_bytes("".join(f"{s}\n" for s in spelled).encode())

    @classmethod
    def read(cls, folder: Path) -> "CharacterTable":
        """Read the `tokens.txt` of a folder.

        Raises:
            DataError: The file is missing, or not a table of characters.
        """
        path = folder / CHARACTERS_FILE
        try:
            first, *others = path.read_bytes().decode().removesuffix("\n").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: expected the model's characters, got {error}") from error
        if first != END or any(len(character) != 1 for character in others):
            raise DataError(f"{path}: expected {END}, then one character per line")
        return cls(_END_CHARACTER + "".join(others).replace(_SPACE, " "))
