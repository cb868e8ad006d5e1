"""The network as nodes of an ONNX graph.

In reading order: `graph` (builds nodes and constants), `layers` and `int8` (recurrent and linear
layers, in floating point or 8 bits), `front_end` (waveform to normalised features), `window_cmvn`
(one of its normalisations), `network` (features to log-probabilities).
"""
