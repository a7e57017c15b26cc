#!/usr/bin/env bash
# One call that checks a machine with a GPU: tests, compute-sanitizer, parity with the CPU, determinism, speed.
# Needs an unpacked package (scripts/package.sh) or a build tree, and nothing else; it takes less than 8 minutes.
#
#   gpu_check.sh [--build FOLDER] [--data FOLDER] [--out FILE.json] [--device cuda[:N]]
#
#   --build   folder with bin/ and tests/ [beside this script, or build/cuda]
#   --data    MNIST [digits that it draws itself, as many]
#   --out     every number [gpu_check.json, in the current folder]
#
# Prints a table. Where torch is there and MILLRACE_PYTORCH_PEER names the script to compare with, it is run too.
# Exit status: 0 all well, 1 something failed, 2 usage, 77 there is no GPU that can be used.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here
[[ -d $here/bin ]] || build=$here/../build/cuda
out=gpu_check.json
data=
device=cuda
usage() { sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --build | --data | --out | --device)
      [[ $# -ge 2 ]] || { echo "gpu_check.sh: $1: expected a value" >&2; exit 2; }
      printf -v "${1#--}" %s "$2"
      shift ;;
    *) echo "gpu_check.sh: unknown argument '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
trainer=$build/bin/trainer
tools=$build/bin/tools
for program in "$trainer" "$tools"; do
  [[ -x $program ]] || { echo "gpu_check.sh: $program: expected a program, found none; --build names its folder" >&2; exit 2; }
done

readonly kDeadline=460  # of 480 seconds: what is left is for ending
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
steps=()
failures=0

# "text" as JSON has it, without what is no text.
quoted() { printf '"%s"' "$(tr -d '\000-\010\013-\037' <<<"$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/ /g' | sed -e ':a;N;$!ba;s/\n/ /g')"; }

write_json() {
  local temporary=$out.$$ step comma=
  if ! {
    printf '{"program":%s,"device":%s,"obstacle":%s,"seconds":%d,"failed":%d,"steps":[' "$(quoted "$program_name")" \
      "$(quoted "$gpu")" "$(quoted "$obstacle")" "$SECONDS" "$failures"
    for step in "${steps[@]}"; do
      printf '%s\n%s' "$comma" "$step"
      comma=,
    done
    printf ']}\n'
  } >"$temporary" || ! mv "$temporary" "$out"; then
    rm -f "$temporary"
    echo "gpu_check.sh: $out: cannot be written" >&2
    exit 1
  fi
}

# note NAME RESULT SECONDS VALUE UNIT DETAIL
note() {
  printf '%-34s %-7s %6s s  %12s %-9s %s\n' "$1" "$2" "$3" "$4" "$5" "${6:0:60}"
  [[ $2 != FAILED ]] || failures=$((failures + 1))
  steps+=("{\"name\":$(quoted "$1"),\"result\":$(quoted "$2"),\"seconds\":$3,\"value\":${4:-null},\"unit\":$(quoted "$5"),\"detail\":$(quoted "$6")}")
}

# limited SECONDS COMMAND...: output to $work/log; 124 when its time, or all time, is up.
limited() {
  local limit=$1
  shift
  [[ $limit -le $((kDeadline - SECONDS)) ]] || limit=$((kDeadline - SECONDS))
  [[ $limit -gt 0 ]] || { echo "no time was left" >"$work/log"; return 124; }
  timeout -k 5 "$limit" "$@" >"$work/log" 2>&1 </dev/null
}

last_line() { grep -v '^ *$' "$work/log" | tail -n 1; }

# check NAME SECONDS COMMAND...: passes when the command does.
check() {
  local name=$1 limit=$2 start=$SECONDS status
  shift 2
  limited "$limit" "$@"
  status=$?
  case $status in
    0) note "$name" passed $((SECONDS - start)) "" "" "" ;;
    124 | 137) note "$name" FAILED $((SECONDS - start)) "" "" "took longer than $limit s: $(last_line)" ;;
    *) note "$name" FAILED $((SECONDS - start)) "" "" "$(grep -m1 -E 'Failure|ERROR SUMMARY|error' "$work/log" || last_line)" ;;
  esac
  return "$status"
}

# field NAME: of the summary of the last run.
field() { tail -n 1 "$work/run.jsonl" | sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"; }

# train SECONDS ARGUMENTS...: a run, for field().
train() {
  local limit=$1
  shift
  rm -f "$work/run.jsonl"
  limited "$limit" "$trainer" --data "$data" --quiet --metrics "$work/run.jsonl" "$@"
}

# speed NAME SECONDS ARGUMENTS...: the median epoch, in milliseconds, and what the run waited for.
speed() {
  local name=$1 limit=$2 start=$SECONDS
  shift 2
  if train "$limit" --device "$device" "$@"; then
    note "$name" passed $((SECONDS - start)) "$(awk -v s="$(field epoch_s)" 'BEGIN { printf "%.2f", 1000 * s }')" "ms/epoch" "$(tail -n 1 "$work/run.jsonl" | sed -n 's/.*"verdict":"\([^"]*\)".*/\1/p')"
  else
    note "$name" FAILED $((SECONDS - start)) "" "" "$(last_line)"
  fi
}

program_name=$("$trainer" --version 2>/dev/null | head -n 1)
gpu=
obstacle=

if [[ -z $data ]]; then
  data=$work/digits
  limited 60 "$tools" synth "$data" || { echo "gpu_check.sh: tools synth: $(last_line)" >&2; exit 1; }
fi

# The trainer says best what stands against a GPU.
if ! train 60 --device "$device" --epochs 1; then
  obstacle=$(sed -n 's/^trainer: device cuda: //p' "$work/log" | head -n 1)
  if [[ -n $obstacle ]]; then
    write_json
    echo "gpu_check.sh: no GPU: $obstacle"
    exit 77
  fi
  failures=1
  obstacle=$(last_line)
  write_json
  echo "gpu_check.sh: a first run failed: $obstacle" >&2
  exit 1
fi
gpu=$(tail -n 1 "$work/run.jsonl" | sed -n 's/.*"device_description":"\([^"]*\)".*/\1/p')
echo "$program_name, on $gpu"

engine_tests=$build/tests/cuda_engine_tests
if [[ -x $engine_tests ]]; then
  # A test that is skipped here was not run: on a machine with a GPU none may be.
  check "engine tests" 90 "$engine_tests" --gtest_brief=1 --gtest_filter='*GpuEngine*'
  if grep -q SKIPPED "$work/log"; then
    note "engine tests, none skipped" FAILED 0 "" "" "$(grep -m1 SKIPPED "$work/log")"
  fi
  check "parity with the CPU" 60 "$engine_tests" --gtest_filter='*GpuEngine.Follows*:*GpuEngine.AgreesWith*'
  check "determinism" 60 "$engine_tests" --gtest_filter='*GpuEngine.GivesTheSame*:*GpuEngine.Continues*'
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
  for tool in memcheck racecheck initcheck; do
    if [[ -n $sanitizer ]]; then
      # The one left out asks for more memory than there is: an error that it expects.
      check "compute-sanitizer $tool" 60 "$sanitizer" --tool "$tool" --error-exitcode 9 --print-limit 5 \
        "$engine_tests" --gtest_brief=1 --gtest_filter='*GpuEngine.GivesTheSame*:*GpuEngine.Predicts*:*GpuEngine.ANan*'
    else
      note "compute-sanitizer $tool" skipped 0 "" "" "there is no compute-sanitizer"
    fi
  done
else
  note "engine tests" FAILED 0 "" "" "there is no $engine_tests"
fi
# Traces of PyTorch are read from the folder that tests run in.
home=$build
[[ -d $home/tests/golden ]] || home=$here/..
for test in "$build"/tests/*_tests; do
  [[ -x $test && $test != "$engine_tests" ]] || continue
  check "$(basename "$test")" 60 env -C "$home" "$(realpath "$test")" --gtest_brief=1
done

start=$SECONDS
hashes=
for _ in 1 2; do
  train 30 --device "$device" --epochs 2 && hashes+=" $(field weights_hash)"
done
train 30 --device "$device" --epochs 2 --residency host && hashes+=" $(field weights_hash)"
read -r first second third <<<"$hashes"
if [[ -n $third && $first == "$second" && $second == "$third" ]]; then
  note "same weights, run by run" passed $((SECONDS - start)) "" "" "$first"
else
  note "same weights, run by run" FAILED $((SECONDS - start)) "" "" "found$hashes"
fi

speed "784-32-10, batch 128, resident" 30 --epochs 20
speed "784-32-10, batch 128, host" 30 --epochs 20 --residency host
for precision in fp32 tf32 bf16; do
  speed "784-1024x3-10, 1024, $precision" 30 --hidden 1024,1024,1024 --batch 1024 --lr 0.1 --epochs 5 --precision "$precision"
done
start=$SECONDS
if train 40 --device cpu --epochs 5; then
  note "784-32-10 on the CPU" passed $((SECONDS - start)) "$(awk -v s="$(field epoch_s)" 'BEGIN { printf "%.2f", 1000 * s }')" "ms/epoch" ""
fi

peer=${MILLRACE_PYTORCH_PEER-}
if [[ -n $peer ]] && python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  for mode in graph tuned tutorial; do
    start=$SECONDS
    if limited 60 python3 "$peer" --data "$data" --mode "$mode" --device cuda --epochs "$([[ $mode == tutorial ]] && echo 2 || echo 5)"; then
      note "PyTorch $mode, 784-32-10" passed $((SECONDS - start)) "$(last_line | sed -n 's/.*"epoch_s": *\([0-9.e-]*\).*/\1/p' | awk '{ printf "%.2f", 1000 * $1 }')" "ms/epoch" ""
    else
      note "PyTorch $mode, 784-32-10" FAILED $((SECONDS - start)) "" "" "$(last_line)"
    fi
  done
else
  note "PyTorch" skipped 0 "" "" "there is no torch with CUDA, or MILLRACE_PYTORCH_PEER names no script"
fi

write_json
echo "$failures failed, $SECONDS s; every number: $out"
[[ $failures -eq 0 ]]
