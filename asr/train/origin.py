"""Origin: what a run began with, kept beside its state to tell what has changed since."""

import hashlib
import json
import logging
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asr.corpus.utterance import Utterance, without_folders
from asr.errors import TrainingError, counted, shortened
from asr.files import write_text
from asr.train.state import STATE_FILE

ORIGIN_FILE = "origin.json"
MAX_GONE_SHARE = 0.1  # of the utterances: more went away by mistake

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """What must be the same when a run goes on; but some utterances may have gone away.

    Attributes:
        config: TOML.
        start: Hash of the weights that it began with; empty if they were random.
        lexicon: Hash of the pronunciations; empty if there were none.
        train: Hash of each utterance of the training set by its id, in order.
        dev: The same for the dev set.
    """

    config: str
    start: str
    lexicon: str
    train: Mapping[str, str]
    dev: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Hash all of it."""
        return _hash(json.dumps(asdict(self)))

    def differences(self, now: "Origin") -> list[str]:
        """List how another origin differs, apart from utterances that are gone."""
        found = list(_changed_keys(self.config, now.config))
        found += ["the weights to start from"] * (self.start != now.start)
        found += ["the lexicon"] * (self.lexicon != now.lexicon)
        found += _changed_utterances("the training set", self.train, now.train)
        found += _changed_utterances("the dev set", self.dev, now.dev)
        return found

    def gone(self, now: "Origin") -> list[str]:
        """List the ids of the utterances that are gone."""
        pairs = ((self.train, now.train), (self.dev, now.dev))
        return [name for before, after in pairs for name in before if name not in after]


def hashes(utterances: Iterable[Utterance]) -> dict[str, str]:
    """Hash each utterance by its id; the audio may lie in another folder."""
    return {utterance.id: _hash(repr(utterance)) for utterance in without_folders(utterances)}


def begin_or_go_on(folder: Path, now: Origin, *, writes: bool) -> Origin:
    """Find the origin of the run in a folder: `now`, unless one has begun there.

    Args:
        folder: Of the run.
        now: The origin of what the command would train.
        writes: Whether this process writes files.

    Raises:
        TrainingError: The run in the folder has another origin; the message says what differs.
    """
    path = folder / ORIGIN_FILE
    if not (folder / STATE_FILE).exists() or not path.exists():
        if writes:
            write_text(path, json.dumps(asdict(now)))
        return now
    try:
        began = Origin(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise TrainingError(f"{path}: is not the origin of a run of this version") from error
    if differences := began.differences(now):
        raise TrainingError(
            f"{folder}: belongs to a run with another configuration or other data: "
            f"{shortened(differences)}. Train into a new folder, or delete this one to start over"
        )
    if gone := began.gone(now):
        _LOG.warning(
            "the run goes on without %s that went away: %s. The rest of this epoch is in another "
            "order",
            counted(len(gone), "utterance"),
            shortened(gone),
        )
    return began


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _changed_keys(before: str, after: str) -> Iterator[str]:
    old, new = (dict(_flat(tomllib.loads(config))) for config in (before, after))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield f"{key} was {old.get(key, 'absent')}, is {new.get(key, 'absent')}"


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _changed_utterances(
    told: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[str]:
    new = [name for name in after if name not in before]
    other = [name for name in after if name in before and before[name] != after[name]]
    n_gone = sum(name not in after for name in before)
    if bool(before) != bool(after):
        yield f"{told} was {'there' if before else 'absent'}, is {'there' if after else 'absent'}"
    elif new:
        yield f"{told} has {counted(len(new), 'new utterance')}: {shortened(new)}"
    elif other:
        yield f"{told} has {len(other)} with other audio, times or texts: {shortened(other)}"
    elif n_gone > MAX_GONE_SHARE * len(before):
        yield (
            f"{told} lacks {n_gone} of its {len(before)} utterances, of which at most "
            f"{100 * MAX_GONE_SHARE:g} % may go away"
        )
    elif [name for name in before if name in after] != list(after):
        yield f"{told} is in another order"
