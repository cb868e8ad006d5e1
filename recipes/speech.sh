# shellcheck shell=bash
# From LibriSpeech to a table: the steps that mini_librispeech and librispeech share, in order.
# Source it after stages.sh; each function adds a stage or a few.
#
#   LIBRISPEECH   a folder with the subsets; if it is not set, they are downloaded (OpenSLR 12, 31)
#   LM_TEXT       text for language models, a segment a line (.gz, .xz, .bz2 or plain)
#   VOCABULARY    the words that language models know, one a line
#   DICTIONARY    pronunciations, such as CMU's
#
# For what is not set of the last three, LibriSpeech's own files are downloaded (OpenSLR 11): its
# 3-grams, 200,000 words and lexicon.

for setting in LIBRISPEECH LM_TEXT VOCABULARY DICTIONARY; do locate "$setting"; done
# shellcheck disable=SC2034,SC2154 # stages.sh sets work; run.sh uses corpus
corpus=${LIBRISPEECH:-$work/LibriSpeech} published=$work/lm
dictionary=${DICTIONARY:-$published/librispeech-lexicon.txt}
vocabulary=${VOCABULARY:-$published/librispeech-vocab.txt}
lexicon=$work/lexicon.txt
runs=() scores=() hypotheses=() manifests=() models=() # what report tells of

# One command fetches what is not there, and takes up a broken download where it stopped.
download() { # SUBSET...
  local names=() outputs=() subset output
  if [[ ! ${LIBRISPEECH-} ]]; then
    for subset; do
      case $subset in
        train-clean-5 | dev-clean-2) names+=("mini_librispeech/$subset") ;;
        *) names+=("librispeech/$subset") ;;
      esac
      outputs+=("$corpus/$subset")
    done
  else
    for subset; do
      [[ -e $corpus/$subset ]] ||
        refuse "LIBRISPEECH: expected a folder with $subset, got '$corpus'"
    done
  fi
  if [[ ! ${LM_TEXT-} || ! ${VOCABULARY-} || ! ${DICTIONARY-} ]]; then
    names+=(librispeech/lm/{librispeech-{vocab,lexicon}.txt,3-gram{.pruned.1e-7,}.arpa.gz})
    outputs+=("$published/3-gram.arpa.gz")
  fi
  for output in "${outputs[@]}"; do
    if [[ ! -e $output ]]; then break; fi # one that is missing stands for all
  done
  if ((${#names[@]})); then
    fetch download "$output" asr download "${names[@]}" --output "$work"
  fi
}

# Check the audio, and list the utterances.
prepare() { # NAME FOLDER... [OPTIONS...]
  stage "prepare-$1" "$work/$1.jsonl" asr prepare "${@:2}" --output "$work/$1.jsonl"
}

# Pronounce every word, since the phone head learns phones and the search spells words by them.
pronounce() { # what is trained on is $work/train.jsonl
  stage lexicon "$lexicon" \
    asr lexicon "$dictionary" --words "$vocabulary" "$work/train.jsonl" --output "$lexicon"
}

# Learn to align characters and phones, frame by frame (CTC), then let whole phone sequences compete
# (CTC-CRF), as they do in a search with a lexicon. dev-clean chooses the epoch.
train_twice() { # CONFIG: of conf/CONFIG.toml and conf/CONFIG-crf.toml
  train model "$1" train
  train model-crf "$1-crf" train --start "$work/model"
}

train() { # MODEL CONFIG MANIFEST OPTIONS...
  stage "train${1#model}" "$work/$1" \
    asr train "conf/$2.toml" --lexicon "$lexicon" --train "$work/$3.jsonl" \
    --dev "$work/dev-clean.jsonl" "${@:4}" --output "$work/$1"
  runs+=("$work/$1.run")
}

# A small language model, which the packed model carries, and a large one, which it does not.
language_models() {
  if [[ ${LM_TEXT-} ]]; then
    stage lm-small "$work/small.lm" \
      asr lm build "$LM_TEXT" --order 4 --vocabulary "$vocabulary" --prune 5e-8 \
      --output "$work/small.lm"
    stage lm-large "$work/large.lm" \
      asr lm build "$LM_TEXT" --order 4 --vocabulary "$vocabulary" --prune 1e-8 \
      --output "$work/large.lm"
  else
    stage lm-small "$work/small.lm" \
      asr lm convert "$published/3-gram.pruned.1e-7.arpa.gz" --output "$work/small.lm"
    stage lm-large "$work/large.lm" \
      asr lm convert "$published/3-gram.arpa.gz" --output "$work/large.lm"
  fi
}

# Pack a model with its search: it is the one that is given away, so it is the one that is scored.
# dev-clean gives the weights of the search, and makes a word's confidence the probability that it
# is right.
pack() { # MODEL PACKED
  local end=${2#packed}
  packed=$work/$2
  stage "pack$end" "$packed" \
    asr pack "$work/$1" --half --lm "$work/small.lm" --lexicon "$lexicon" \
    --search beam --beam-size 1000 --beam-threshold 14 --example recipes/demo/speech.wav \
    --output "$packed"
  stage "tune$end" "$work/tune$end.svg" \
    asr tune "$packed" "$work/dev-clean.jsonl" --utterances 600 --lm-weights 0.8 1 1.2 1.4 1.6 \
    --prior-weights 0 0.1 0.2 0.3 --write --picture "$work/tune$end.svg"
  stage "calibrate$end" "$work/confidence$end.svg" \
    asr calibrate "$packed" "$work/dev-clean.jsonl" --diagram "$work/confidence$end.svg"
}

# Recognise by the packed model, and count the errors; sets are never pooled.
score() { # SET NAME CONDITION OPTIONS...
  local run=$work/$1.$2
  stage "decode-$1-$2" "$run.jsonl" \
    asr decode "$packed" "$work/$1.jsonl" "${@:4}" --output "$run.jsonl"
  stage "score-$1-$2" "$run.score.json" \
    asr score "$work/$1.jsonl" "$run.jsonl" --output "$run.score.json" \
    --subset "${1##*/}" --condition "$3"
  scores+=("$run.score.json") hypotheses+=("$run.jsonl")
  manifests+=("$work/$1.jsonl") models+=("$packed")
}

# Tell whether one search is better than another, on the same utterances.
compare() { # SET NAME NAME
  stage "compare-$1" "$work/$1.compare.txt" \
    asr compare "$work/$1.$2.score.json" "$work/$1.$3.score.json" --output "$work/$1.compare.txt"
}

# All rows in one table, with everything that each figure depends on; and a page of every error, to
# look at and to listen to.
report() {
  # shellcheck disable=SC2154 # stages.sh sets recipe
  stage report "$work/RESULTS.md" \
    asr report "${scores[@]}" --title "Results of $recipe" --output "$work/report.html" \
    --hypotheses "${hypotheses[@]}" --manifest "${manifests[@]}" --model "${models[@]}" \
    --train-texts "$work/train.jsonl" --training "${runs[@]}" --output "$work/RESULTS.md"
}
