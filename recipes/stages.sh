# shellcheck shell=bash
# Named stages for a recipe. A run.sh sources this file and then is a table of contents:
#
#   . "$(dirname "$0")/../stages.sh"
#   stage prepare "$work/train.jsonl" asr prepare data/train-clean-5 --output "$work/train.jsonl"
#   stage train   "$work/model"       asr train conf/small.toml --output "$work/model"
#
# stage NAME OUTPUT COMMAND...   run COMMAND, which must make OUTPUT; skip it if OUTPUT exists and
#                                all earlier stages were skipped, too.
# fetch NAME OUTPUT COMMAND...   the same for a download: it brings what was there, so that later
#                                stages need not run again.
#
# refuse MESSAGE                 end, before the first stage, what could only fail later.
# locate SETTING [VARIABLE]      make the path absolute that SETTING holds (or a VARIABLE that has a
#                                part of it), from where the user stands; refuse a missing one.
#
# Sourcing this file reads the options of run.sh (see recipe_help), changes to the root of the
# repository, and sets $recipe, the name of the recipe's folder, and $work, the folder for outputs.
# Put nothing between the stages that takes time or needs their outputs: --list runs it too.

set -euo pipefail

recipe_help() {
  sed -n '1d; /^[^#]/q; /^$/q; s/^# \{0,1\}//p' "$_run" # the comment at the head of run.sh
  cat <<EOT

Options:
  --from NAME    make this stage and all later ones again, even if their outputs exist
  --until NAME   stop after this stage
  --work DIR     keep the outputs in DIR (default: exp/$recipe)
  --dry-run      print the commands that would run, and run none
  --list         list the stages and their outputs
  --help         print this text
EOT
}

stage() {
  local name=$1 output=$2
  shift 2
  if [[ $_mode == list ]]; then
    printf '%-20s %s\n' "$name" "$output"
    return
  fi
  if [[ $_is_over ]]; then return; fi
  if [[ $name == "$_until" ]]; then _is_over=yes; fi
  if [[ -e $output && ! $_is_forced && $name != "$_from" ]]; then
    printf '== %s: skipped, %s exists\n' "$name" "$output"
    return
  fi
  _n_run=$((_n_run + 1))
  printf '== %s\n  %s\n' "$name" "$(printf ' %q' "$@")"
  if [[ $_mode == run ]]; then _make "$name" "$output" "$@"; fi
  if [[ ! $_is_fetched || $name == "$_from" ]]; then _is_forced=yes; fi
}

fetch() {
  _is_fetched=yes
  stage "$@"
  _is_fetched=''
}

refuse() {
  _stop 2 "$1"
}

locate() {
  local _variable=${2-$1}
  [[ ${!_variable-} ]] || return 0
  printf -v "$_variable" %s "$(_absolute "${!_variable}")"
  [[ -e ${!_variable} ]] || refuse "$1: expected a path that exists, got '${!_variable}'"
}

_make() {
  local name=$1 output=$2 started=$SECONDS
  shift 2
  command -v "$1" >/dev/null ||
    _stop 1 "stage $name needs '$1' on the PATH ('make test' installs asr for training)"
  if [[ ! $_is_forced && ! $_is_fetched || $name == "$_from" ]]; then _set_aside_from "$name"; fi
  mkdir -p -- "$(dirname -- "$output")"
  _running=$name _output=$output
  "$@"
  [[ -e $output ]] || _stop 1 "stage $name ended without an error, but did not make $output"
  _running=''
  rm -rf -- "$output.previous" "$output.run.previous"
  printf '== %s: %s made in %d s\n' "$name" "$output" $((SECONDS - started))
}

# When an output is made again, everything made from it is out of date, even if this run gets no
# further; so is the saved state of a training, except of one that stopped and now goes on. The last
# output is renamed first, so that the ones left always fit together.
_set_aside_from() {
  local name output folder=$work
  [[ $folder == /* ]] || folder=$PWD/$folder
  (cd "$_stood" && bash "$_run" --list --work "$folder") |
    awk -v from="$1" '$1 == from || n { line[++n] = $0 } END { while (n) print line[n--] }' |
    while read -r name output; do
      _set_aside "$output" previous
      if [[ $name != "$1" || $name == "$_from" ]]; then _set_aside "$output.run" previous; fi
    done
}

# A failed or interrupted stage may leave something: it must not pass for the output next time.
_at_exit() {
  local status=$?
  if [[ $_running ]]; then
    _set_aside "$_output" partial
    printf '%s: stage %s failed (exit status %d)\n' "$recipe" "$_running" "$status" >&2
  elif ((status == 0 && _n_run == 0)) && [[ $_mode != list ]]; then
    echo 'nothing to do: every output exists (--from NAME makes them again)'
  fi
}

_set_aside() {
  if [[ -e $1 ]]; then rm -rf -- "$1.$2" && mv -- "$1" "$1.$2"; fi
}

_stop() {
  printf '%s: %s\n' "$recipe" "$2" >&2
  exit "$1"
}

_read_options() {
  while (($#)); do
    case $1 in
      --from) _need_value "$@" && _from=$2 && shift ;;
      --until) _need_value "$@" && _until=$2 && shift ;;
      --work) _need_value "$@" && work=$(_absolute "$2") && shift ;;
      --dry-run) _mode=dry-run ;;
      --list) _mode=list ;;
      --help | -h) recipe_help && exit ;;
      *) refuse "unknown option '$1' (see --help)" ;;
    esac
    shift
  done
}

_need_value() {
  [[ ${2-} ]] || refuse "$1 needs a value (see --help)"
}

_absolute() {
  case $1 in
    /*) echo "$1" ;;
    *) echo "$_stood/$1" ;;
  esac
}

# Refuse unknown stage names before the first stage runs; a second process with --list knows them.
_check_names() {
  local names name
  names=$(bash "$_run" --list | awk '{ print $1 }')
  for name in "$_from" "$_until"; do
    [[ -z $name ]] || grep -qFx -e "$name" <<<"$names" ||
      refuse "no stage is named '$name'; the stages are: ${names//$'\n'/ }"
  done
  if [[ $_from && $_until ]]; then
    [[ $(grep -m 1 -Fx -e "$_from" -e "$_until" <<<"$names") == "$_from" ]] ||
      refuse "--until $_until comes before --from $_from"
  fi
}

_folder=$(cd "$(dirname "$0")" && pwd)
_run=$_folder/$(basename "$0") _stood=$PWD
_from='' _until='' _mode=run _is_forced='' _is_fetched='' _is_over=''
_running='' _output='' _n_run=0
recipe=$(basename "$_folder")
# shellcheck disable=SC2034 # run.sh uses it
work=exp/$recipe
_read_options "$@"
if [[ $_mode != list && $_from$_until ]]; then _check_names; fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v asr >/dev/null || PATH=$PWD/.venv/bin:$PATH # no active environment: that of `make test`
trap _at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
