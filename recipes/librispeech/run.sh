#!/usr/bin/env bash
# librispeech: read English, from a list of utterances or whole subsets of LibriSpeech.
#
# Without settings, it trains on the utterances of hours-17.txt. In the environment:
#
#   TRAIN         subsets instead, such as 'train-clean-100 train-clean-360 train-other-500'; or
#                 lists and paths of folders, as asr prepare takes them
#   IDS           a list of ids, to which these are then limited
#   MORE          manifests of other corpora with texts; a twelfth of each is held out and scored
#   SETS          what is scored (default: 'dev-clean test-clean'); dev-clean must be among them
#   UNTRANSCRIBED a manifest without texts, for self-training
#   CONFIG        conf/$CONFIG.toml, -crf, -self and, if it is there, -self-2.toml;
#                 librispeech-960 is larger
#   LIBRISPEECH, LM_TEXT, VOCABULARY, DICTIONARY: see recipes/speech.sh; what is not set is
#                 downloaded (OpenSLR 11 and 12)
#
# Tunes on dev-clean. Each set is scored by itself. README.md has examples.

. "$(dirname "$0")/../stages.sh"
. "$(dirname "$0")/../speech.sh"

locate IDS
locate UNTRANSCRIBED
ids=${IDS-recipes/librispeech/hours-17.txt}
if [[ ${TRAIN-} ]]; then ids=${IDS-}; fi
read -ra train <<<"${TRAIN:-train-clean-100 train-other-500}"
read -ra more <<<"${MORE-}"
read -ra sets <<<"${SETS:-dev-clean test-clean}"
[[ " ${sets[*]} " == *' dev-clean '* ]] ||
  refuse "SETS: expected dev-clean among them, to tune on, got '${sets[*]}'"
config=${CONFIG:-librispeech}
rounds=() # of self-training
if [[ ${UNTRANSCRIBED-} ]]; then
  rounds=(-self)
  if [[ -e conf/$config-self-2.toml ]]; then rounds+=(-self-2); fi
fi
for end in '' -crf "${rounds[@]}"; do
  [[ -e conf/$config$end.toml ]] || refuse "CONFIG: there is no conf/$config$end.toml"
done

folders=() subsets=()
for one in "${train[@]}"; do
  case $one in
    */* | *.jsonl | *.csv | *.tsv) locate TRAIN one && folders+=("$one") ;;
    *) folders+=("$corpus/$one") subsets+=("$one") ;;
  esac
done
for i in "${!more[@]}"; do locate MORE "more[$i]"; done
download "${subsets[@]}" "${sets[@]}"

# Speech to tune on, and to train on: what can be learned from, of all corpora.
prepare dev-clean "$corpus/dev-clean"
prepare librispeech "${folders[@]}" ${ids:+--ids "$ids"}
chosen=("$work/librispeech.jsonl") held_out=()
if ((${#more[@]})); then
  stage select-more "$work/more.jsonl" \
    asr select "${more[@]}" --prefix --held-out "$work/held-out" --output "$work/more.jsonl"
  chosen+=("$work/more.jsonl")
  for one in "${more[@]##*/}"; do # chance may hold out nobody of a few people
    if [[ ! -e $work/more.jsonl || -e $work/held-out/$one ]]; then held_out+=("${one%.jsonl}"); fi
  done
fi
stage select "$work/train.jsonl" asr select "${chosen[@]}" --output "$work/train.jsonl"

# Words, then the network: CTC, then CTC-CRF. slurm.sh trains on a cluster.
pronounce
train_twice "$config"

# A search of its own.
language_models
pack model-crf packed

# What the model is sure to have heard in speech without texts teaches it, beside all that it knows;
# with a second configuration, what it hears by then teaches it once more.
before=model-crf
for round in "${rounds[@]}"; do
  heard=$work/untranscribed$round.jsonl
  stage "decode-untranscribed$round" "$heard" \
    asr decode "$packed" "$UNTRANSCRIBED" --output "$heard"
  stage "select$round" "$work/train$round.jsonl" \
    asr select "$work/train.jsonl" "$UNTRANSCRIBED" --texts "$heard" --min-confidence 0.85 \
    --output "$work/train$round.jsonl"
  train "model$round" "$config$round" "train$round" --start "$work/$before"
  pack "model$round" "packed$round"
  before=model$round
done

# Speech to score: after the trainings, which another set of it does not make again.
for set in "${sets[@]}"; do
  if [[ $set != dev-clean ]]; then prepare "$set" "$corpus/$set"; fi
done

# The acoustic model alone, what a user gets, what a larger language model is worth; and whether
# the other corpora were learned.
rows() { # NAME CONDITION: endings for the packed model
  local set
  packed=$work/packed$1
  for set in "${sets[@]}"; do
    score "$set" "greedy$1" "greedy, no language model$2" --search greedy
    score "$set" "default$1" "small language model (default)$2"
    score "$set" "large$1" "large language model$2" --lm "$work/large.lm"
  done
  for set in "${held_out[@]}"; do
    score "held-out/$set" "default$1" "small language model (default)$2"
  done
}
rows '' ''
for set in "${sets[@]}"; do compare "$set" greedy default; done
for i in "${!rounds[@]}"; do rows "${rounds[i]}" ", round $((i + 1)) of self-training"; done
report
