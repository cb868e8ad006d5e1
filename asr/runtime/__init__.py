"""From waveforms to log-probabilities, without torch.

In reading order: `engine` (the interface of whatever computes a network), `onnx_engine` (ONNX
Runtime on the CPU, one utterance at a time), `voice` (where there may be speech at all), `windows`
(a recording of any length, a stretch at a time), `description` (the metadata of a model.onnx),
`emissions` (log-probabilities of a dev set, stored for tuning).
"""
