"""The description of a model.onnx: metadata, written at export and checked on loading."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from asr.errors import ModelError

FORMAT_VERSION = "1"
FORMAT_KEY, CONTENT_KEY = "asr.format", "asr.description"

Weights = Literal["int8", "float16", "float32"]


@dataclass(frozen=True, slots=True)
class Head:
    """An output of log-probabilities, named as in the graph.

    Attributes:
        name: For example "text" or "phones".
        n_tokens: V, blank included.
        frame_shift: Seconds from one of its frames to the next.
    """

    name: str
    n_tokens: int
    frame_shift: float


@dataclass(frozen=True, slots=True)
class Description:
    """What a caller needs to know about a graph.

    Attributes:
        sample_rate: Hz, of the waveforms.
        weights: What most of the weights are stored in.
        heads: In the network's order.
    """

    sample_rate: int
    weights: Weights
    heads: tuple[Head, ...]

    def to_metadata(self) -> dict[str, str]:
        """Return the description as an ONNX model's metadata."""
        content = json.dumps(asdict(self), ensure_ascii=False)
        return {FORMAT_KEY: FORMAT_VERSION, CONTENT_KEY: content}


def read_description(metadata: Mapping[str, str], where: str) -> Description:
    """Read what `to_metadata` returned.

    Args:
        metadata: Of an ONNX model.
        where: The file's name, for the errors.

    Raises:
        ModelError: This package did not export the model, or did so in another format.
    """
    version = metadata.get(FORMAT_KEY)
    if version is None:
        raise ModelError(f"{where}: an ONNX model, but not one that this package exported")
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{where}: has format version {version}, this release reads {FORMAT_VERSION}; "
            "export the model again, or install the release that exported it"
        )
    try:
        content = json.loads(metadata[CONTENT_KEY])
        heads = tuple(
            Head(str(head["name"]), int(head["n_tokens"]), float(head["frame_shift"]))
            for head in content["heads"]
        )
        if content["weights"] not in get_args(Weights):
            raise ValueError(f"unknown weights {content['weights']!r}")
        return Description(int(content["sample_rate"]), content["weights"], heads)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{where}: its description is damaged; export the model again") from error
