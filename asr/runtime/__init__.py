"""From waveforms to log-probabilities, without torch.

In reading order: `engine` (what recognising asks of a network, whoever computes it), `onnx_engine`
(ONNX Runtime on the CPU, one utterance at a time), `description` (what a model.onnx tells of
itself), `emissions` (log-probabilities of a dev set, stored for tuning).
"""
