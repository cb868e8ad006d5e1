"""Confidence: how probable it is that a recognised word is right.

In reading order: `searches` (kinds of them), `calibration` (a search's confidence becomes a
probability), `calibration_file` (those that a model carries), `judged` (words of hypotheses that
are known to be right or wrong), `fit` (the calibration that suits them), `quality` (how well
confidences do), `reliability` (figures and picture of it, before and after).
"""
