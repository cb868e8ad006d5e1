"""The model directory: what passes between training and recognising.

In reading order: `directory` (its files, read and written without torch), `decoding` (the search
that a model comes with, and the one that it gets), `seal` (digests of its files), `names` (shipped
models by name, yours by folder), `searcher` (a search with its files loaded), `aligner` (the times
of known words), `engine` (the graph or the network, whichever is there), `golden` (an example by
which another machine is checked), `trained_on` (the speech that a model has learned from), `card`
(how a model was made, for its README.md), `network` (the directory with its network, as training
needs it), `torch_engine` (that network as a recogniser runs it), `export` with `onnx/` (the network
as model.onnx).
"""
