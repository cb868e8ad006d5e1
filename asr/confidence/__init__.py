"""Confidence: the probability that a recognised word is correct.

In reading order: `searches` (the kinds of search), `calibration` (a search's confidence becomes a
probability), `calibration_file` (the calibrations of a model), `labels` (recognised words, each
labelled correct or not), `fit` (the calibration that fits them), `quality` (measures of
confidences), `reliability` (these measures and a diagram, before and after calibration).
"""
