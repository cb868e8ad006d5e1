#!/usr/bin/env bash
# mini_librispeech: 5.3 hours of read English, from audio to word error rates, on a CPU.
#
# Trains on train-clean-5, tunes on dev-clean, and reports test-clean and dev-clean-2 as well.
# $LIBRISPEECH is a folder that holds these four; $LM_TEXT, $VOCABULARY and $DICTIONARY are for
# language models and pronunciations. What is not set is downloaded (OpenSLR 11, 12 and 31: 1.1 GB
# of speech, 0.8 GB of language models); see recipes/speech.sh.

. "$(dirname "$0")/../stages.sh"
. "$(dirname "$0")/../speech.sh"

download train-clean-5 dev-clean-2 dev-clean test-clean

# Speech to train on, to tune on, and to score.
prepare train "$corpus/train-clean-5"
for set in dev-clean dev-clean-2 test-clean; do
  prepare $set "$corpus/$set"
done

# Words, then the network: CTC, then CTC-CRF.
pronounce
train_twice mini_librispeech

# A search of its own.
language_models
pack model-crf packed

# What a user gets, what a larger language model is worth, and what there is without one.
for set in dev-clean dev-clean-2 test-clean; do
  score $set default 'small language model (default)'
  score $set large 'large language model' --lm "$work/large.lm"
done
score test-clean greedy 'greedy, no language model' --search greedy
compare test-clean greedy default
report
