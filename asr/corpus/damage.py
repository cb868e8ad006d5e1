"""Damage: recordings that cannot be read, which training does without unless they are many."""

import logging
import threading

from asr.corpus.utterance import Utterance
from asr.errors import AudioError, counted

_LOG = logging.getLogger(__name__)


class Damage:
    """Notes the utterances that cannot be read, each once.

    Args:
        n_most: More than this many are an error.
    """

    def __init__(self, n_most: int = 0) -> None:
        self._n_most = n_most
        self._noted: set[Utterance] = set()
        self._lock = threading.Lock()

    def note(self, utterance: Utterance, error: AudioError) -> None:
        """Log an utterance that cannot be read, which has no frames from now on.

        Raises:
            AudioError: There are too many.
        """
        with self._lock:
            is_new = utterance not in self._noted
            self._noted.add(utterance)
            n_noted = len(self._noted)
        if n_noted > self._n_most:
            raise AudioError(
                f"{error}. So far, {counted(n_noted, 'recording')} could not be read; at most "
                f"{self._n_most} may be unreadable (--max-damaged): `asr prepare --decode` makes a "
                "manifest without them, and a run that has begun goes on with that"
            ) from error
        if is_new:
            _LOG.warning("%s takes no part: %s", utterance.id, error)
