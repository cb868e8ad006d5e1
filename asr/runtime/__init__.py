"""From waveforms to log-probabilities, without torch.

engine       the protocol of whatever computes them
onnx_engine  ONNX Runtime on the CPU, one utterance at a time
description  what a model.onnx says of itself
"""
