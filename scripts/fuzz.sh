#!/usr/bin/env bash
# Builds the fuzzers of all parsers with AddressSanitizer and UBSan and runs each for some seconds.
#
#   scripts/fuzz.sh [SECONDS] [FUZZER ...]     (default: 20 seconds each of all)
#
# Needs clang: scripts/install_deps.sh fuzz. Inputs that were found stay in build/fuzz/found and are where the
# next run goes on from; an input that breaks a parser is printed and kept there in crashes/
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
seconds=20
if [[ ${1-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
elif [[ ${1-} == -* ]]; then
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi

cd "$root" || exit 1
fuzzers=("$@")
if [[ ${#fuzzers[@]} -eq 0 ]]; then
  for source in tests/fuzz/*_fuzz.cpp; do
    fuzzers+=("$(basename "$source" .cpp)")
  done
fi
scripts/build.sh fuzz "${fuzzers[@]}" || exit 1

# run_fuzzer NAME SECONDS
run_fuzzer() {
  local fuzzer=$1 seconds=$2 found=build/fuzz/found/$1 runs
  mkdir -p "$found/crashes"
  local arguments=(-max_total_time="$seconds" -max_len=8192 -rss_limit_mb=2048 -timeout=20 -print_final_stats=1
    -artifact_prefix="$found/crashes/")
  [[ -f tests/fuzz/$fuzzer.dict ]] && arguments+=("-dict=tests/fuzz/$fuzzer.dict")
  mkdir -p "$found/inputs"
  arguments+=("$found/inputs")
  [[ -d tests/fuzz/corpus/$fuzzer ]] && arguments+=("tests/fuzz/corpus/$fuzzer")
  if "build/fuzz/tests/$fuzzer" "${arguments[@]}" >"$found/log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log")
    printf '%s: %s inputs in %s s, none breaks it\n' "$fuzzer" "${runs:-?}" "$seconds"
  else
    tail -n 60 "$found/log"
    printf '%s: FAILED; all of its output: %s\n' "$fuzzer" "$found/log"
    return 1
  fi
}
export -f run_fuzzer

# One on each core; a fuzzer that finds something makes xargs fail in the end.
printf '%s\n' "${fuzzers[@]}" | xargs -P "$(nproc)" -I FUZZER bash -c 'run_fuzzer "$@"' _ FUZZER "$seconds"
