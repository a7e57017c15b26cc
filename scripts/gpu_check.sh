#!/usr/bin/env bash
# One call that checks a machine with a GPU: tests, compute-sanitizer, parity with the CPU, determinism, speed.
# Needs an unpacked package (scripts/package.sh) or a build tree, and nothing else; it takes less than 8 minutes.
#
#   gpu_check.sh [--build FOLDER] [--data FOLDER] [--out FILE.json] [--device cuda[:N]]
#
#   --build   folder with bin/ and tests/ [beside this script, or build/cuda]
#   --data    MNIST [digits that it draws itself, as many]
#   --out     every number [gpu_check.json, in the current folder]; what failed steps said is in FILE.failed.log, when a
#             short run copied and computed in FILE.resident.trace.json and FILE.host.trace.json (ui.perfetto.dev)
#
# Prints a table, what tells most first. Where torch is there and MILLRACE_PYTORCH_PEER names the script to compare with,
# it is run too. What ought to be reached is met or MISSED; a machine that misses it is no failure.
# Exit status: 0 all well, 1 something failed, 2 usage, 77 there is no GPU that can be used.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here
[[ -d $here/bin ]] || build=$here/../build/cuda
out=gpu_check.json
data=
device=cuda
usage() { sed -n '2,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
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

given_path=${LD_LIBRARY_PATH-}
# cuBLAS need not lie where the system looks: a toolkit has it, and so have NVIDIA's packages for Python.
find_cublas() {
  local name folder
  name=$(ldd "$trainer" 2>/dev/null | sed -n 's/^[[:space:]]*\(libcublasLt[^ ]*\) => not found.*/\1/p')
  [[ -n $name ]] || return 0
  while read -r folder; do
    if [[ -e $folder/$name ]]; then
      export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
      return 0
    fi
  done < <(
    printf '%s\n' /usr/local/cuda*/lib64 /usr/local/cuda*/lib /usr/local/cuda*/targets/*/lib /opt/cuda/lib64
    python3 -c 'import sys
for path in sys.path:
    for package in "cu13", "cublas":
        print(f"{path}/nvidia/{package}/lib")' 2>/dev/null
  )
  echo "gpu_check.sh: $name: not found; LD_LIBRARY_PATH can name its folder" >&2
}
find_cublas

readonly kDeadline=460  # of 480 seconds: what is left is for ending
readonly kMostOutput=100000  # bytes of a step that failed
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=${out%.json}.failed.log
rm -f "$said"
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

# note NAME RESULT SECONDS VALUE UNIT DETAIL: what is noted is kept, whatever comes of the machine.
note() {
  printf '%3d s  %-34s %-7s %4s s  %12s %-9s %s\n' "$SECONDS" "$1" "$2" "$3" "$4" "$5" "${6:0:100}"
  if [[ $2 == FAILED ]]; then
    failures=$((failures + 1))
    { printf '=== %s: %s\n' "$1" "$6"; tail -c "$kMostOutput" "$work/log"; } >>"$said" 2>/dev/null
  fi
  steps+=("{\"name\":$(quoted "$1"),\"result\":$(quoted "$2"),\"seconds\":$3,\"value\":${4:-null},\"unit\":$(quoted "$5"),\"detail\":$(quoted "$6")}")
  write_json
}

# limited SECONDS COMMAND...: output to $work/log; 124 when its time is up, 125 when all time is.
limited() {
  local limit=$1 left=$((kDeadline - SECONDS)) status
  shift
  [[ $left -gt 0 ]] || { echo "no time was left" >"$work/log"; return 125; }
  # The shell would say of one that has to be killed where that was.
  { timeout -k 5 $((limit < left ? limit : left)) "$@" >"$work/log" 2>&1 </dev/null; } 2>/dev/null
  status=$?
  [[ $limit -le $left || ($status -ne 124 && $status -ne 137) ]] || status=125
  return "$status"
}

last_line() { grep -v '^ *$' "$work/log" | tail -n 1; }
# measured NAME: the number of that name in the JSON that the last program ended in.
measured() { last_line | sed -n "s/.*\"$1\": *\([0-9.e+-]*\).*/\1/p"; }

# failed NAME START STATUS SECONDS [DETAIL]: notes a step that was given so many seconds and did not end well.
failed() {
  case $3 in
    125) note "$1" skipped $((SECONDS - $2)) "" "" "no time was left" ;;
    124 | 137) note "$1" FAILED $((SECONDS - $2)) "" "" "took longer than $4 s: $(last_line)" ;;
    *) note "$1" FAILED $((SECONDS - $2)) "" "" "${5:-$(last_line)}" ;;
  esac
  return "$3"
}

# check NAME SECONDS COMMAND...: passes when the command does.
check() {
  local name=$1 limit=$2 start=$SECONDS status
  shift 2
  limited "$limit" "$@"
  status=$?
  if [[ $status -eq 0 ]]; then
    note "$name" passed $((SECONDS - start)) "" "" ""
  else
    failed "$name" "$start" "$status" "$limit" "$(grep -m1 -E 'Failure|ERROR SUMMARY|error' "$work/log")"
  fi
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
  local name=$1 limit=$2 start=$SECONDS status
  shift 2
  train "$limit" --device "$device" "$@"
  status=$?
  if [[ $status -eq 0 ]]; then
    note "$name" passed $((SECONDS - start)) "$(awk -v s="$(field epoch_s)" 'BEGIN { printf "%.2f", 1000 * s }')" "ms/epoch" "$(tail -n 1 "$work/run.jsonl" | sed -n 's/.*"verdict":"\([^"]*\)".*/\1/p')"
  else
    failed "$name" "$start" "$status" "$limit"
  fi
}

# bar NAME VALUE UNIT RELATION LIMIT: whether a number is what it ought to be; nothing if there is none.
bar() {
  [[ -n $2 ]] || return 0
  note "$1" "$(awk -v v="$2" -v l="$5" "BEGIN { print (v $4 l) ? \"met\" : \"MISSED\" }")" 0 "$2" "$3" "ought to be $4 $5"
}

# of 'AWK EXPRESSION' NAME=VALUE...: two decimals; nothing where a value is missing.
of() {
  local expression=$1 assignment arguments=()
  shift
  for assignment in "$@"; do
    [[ -n ${assignment#*=} ]] || return 0
    arguments+=(-v "$assignment")
  done
  awk "${arguments[@]}" "BEGIN { printf \"%.2f\", $expression }" 2>/dev/null
}

program_name=$("$trainer" --version 2>/dev/null | head -n 1)
gpu=
obstacle=

if [[ -z $data ]]; then
  data=$work/digits
  limited 60 "$tools" synth "$data" || { echo "gpu_check.sh: tools synth: $(last_line)" >&2; exit 1; }
fi

precisions=(fp32 tf32 bf16)
tested='*'  # of the engine tests, which name a precision at their end
# The trainer says best what stands against a GPU, and whether it has TF32.
start=$SECONDS
if train 60 --device "$device" --epochs 1 --precision tf32; then
  gpu=$(tail -n 1 "$work/run.jsonl" | sed -n 's/.*"device_description":"\([^"]*\)".*/\1/p')
  echo "$program_name, on $gpu"
  note "a first run" passed $((SECONDS - start)) "" "" ""
  if [[ $(field precision) == fp32 ]]; then
    precisions=(fp32)
    tested=fp32
    note "TF32 and bfloat16" skipped 0 "" "" "this GPU has neither"
  fi
else
  obstacle=$(sed -n 's/^trainer: device cuda: //p' "$work/log" | head -n 1)
  if [[ -n $obstacle ]]; then
    write_json
    echo "gpu_check.sh: no GPU: $obstacle"
    exit 77
  fi
  note "a first run" FAILED $((SECONDS - start)) "" "" "$(last_line)"  # and others may not
fi

engine_tests=$build/tests/cuda_engine_tests
# engine_check NAME FILTER: a test that is skipped was not run, and on a machine with a GPU none may be.
engine_check() {
  if [[ ! -x $engine_tests ]]; then
    note "$1" FAILED 0 "" "" "there is no $engine_tests"
    return
  fi
  check "$1" 90 "$engine_tests" --gtest_brief=1 --gtest_filter="$2"
  if grep -q SKIPPED "$work/log"; then
    note "$1, none skipped" FAILED 0 "" "" "$(grep -m1 SKIPPED "$work/log")"
  fi
}
parity="*GpuEngine.Follows*/$tested:*GpuEngine.AgreesWith*/$tested"
same="*GpuEngine.GivesTheSame*/$tested:*GpuEngine.Continues*/$tested"

# wide PRECISION: a large network, its step, and the products of that by themselves.
wide() {
  local precision=$1 shape=(--hidden "1024,1024,1024" --batch 1024) step start status alone share
  # In the first epochs the host captures graphs, one for each slot and length of chunk: the median is not to be of those.
  if speed "784-1024x3-10, 1024, $precision" 30 "${shape[@]}" --lr 0.1 --epochs 20 --precision "$precision"; then
    step=$(of '1e6 * s / int((n + 1023) / 1024)' "s=$(field epoch_s)" "n=$(field train_samples)")
    start=$SECONDS
    limited 60 "$build/bin/products_bench" "${shape[@]}" --precision "$precision"
    status=$?
    if [[ $status -eq 0 ]]; then
      alone=$(measured step_us)
      note "on one stream, $precision" passed 0 "$(of a "a=$(measured engine_on_one_stream_us)")" us/step "as it is: $(of a "a=$(measured engine_us)") us; backward pass with epilogues: $(of a "a=$(measured engine_fused_backward_us)"), without: $(of a "a=$(measured engine_unfused_backward_us)") us"
      note "its products alone, $precision" passed $((SECONDS - start)) "$(of a "a=$alone")" us/step "with epilogues $(of a "a=$(measured with_epilogues_us)") us, without: $(last_line | sed -n 's/.*"without_epilogue":\[\([0-9,]*\)\].*/\1/p')"
      share=$(of '100 * a / s' "a=$alone" "s=$step")
      if [[ $precision == bf16 ]]; then
        bar "of their speed, $precision" "$share" % '>=' 60
      else
        note "of their speed, $precision" passed 0 "$share" % ""
      fi
    else
      failed "its products alone, $precision" "$start" "$status" 60
    fi
  fi
}

engine_check "parity with the CPU" "$parity"
start=$SECONDS
hashes=
for residency in auto auto host; do
  train 30 --device "$device" --epochs 2 --residency "$residency"
  status=$?
  [[ $status -eq 0 ]] || break
  hashes+=" $(field weights_hash)"
done
read -r first second third <<<"$hashes"
if [[ -n $third && $first == "$second" && $second == "$third" ]]; then
  note "same weights, run by run" passed $((SECONDS - start)) "" "" "$first"
elif [[ $status -ne 0 ]]; then
  failed "same weights, run by run" "$start" "$status" 30
else
  note "same weights, run by run" FAILED $((SECONDS - start)) "" "" "found$hashes"
fi

# As many epochs of both: a processor that was idle may take a while to reach its clock.
resident=
if speed "784-32-10, batch 128, resident" 30 --epochs 50; then
  resident=$(of '1000 * s' "s=$(field epoch_s)")
  bar "an epoch of it" "$resident" ms '<=' 10
fi
if speed "784-32-10, batch 128, host" 30 --epochs 50 --residency host; then
  copying=$(field copying_s)
  bar "copies hidden" "$(of '100 * h / c' "h=$(field hidden_s)" "c=$copying")" % '>=' 95
  bar "host against resident" "$(of '1000 * s / r' "s=$(field epoch_s)" "r=$resident")" times '<=' 1.1
  rate=$(of 'b * (t + v) / t / c / 1e9' "b=$(field bytes)" "t=$(field train_samples)" "v=$(field val_samples)" "c=$copying")
  [[ -z $rate ]] || note "its copies" passed 0 "$rate" GB/s "training and validation samples"
fi
if speed "784-32-10, a run of 10 epochs" 30 --epochs 10; then
  bar "GPU idle in 10 epochs" "$(of '100 * i / (b + i)' "b=$(field busy_s)" "i=$(field idle_s)")" % '<' 5
fi
for residency in resident host; do
  start=$SECONDS
  trace=${out%.json}.$residency.trace.json
  train 30 --device "$device" --epochs 5 --residency "$residency" --trace "$trace"
  status=$?
  if [[ $status -eq 0 ]]; then
    note "trace, $residency" passed $((SECONDS - start)) "" "" "$trace"
  else
    failed "trace, $residency" "$start" "$status" 30
  fi
done
[[ ${#precisions[@]} -eq 1 ]] || wide bf16

# PyTorch brings a cuBLAS of its own, which is to meet no other one's parts. Its first import may take long.
peer=${MILLRACE_PYTORCH_PEER-}
python=(env "LD_LIBRARY_PATH=$given_path" python3)
start=$SECONDS
status=1
if [[ -n $peer ]]; then
  limited 90 "${python[@]}" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'
  status=$?
fi
if [[ $status -eq 0 ]]; then
  for mode in graph tuned tutorial; do
    start=$SECONDS
    limited 60 "${python[@]}" "$peer" --data "$data" --mode "$mode" --device cuda --epochs "$([[ $mode == tutorial ]] && echo 2 || echo 5)"
    status=$?
    if [[ $status -eq 0 ]]; then
      theirs=$(of '1000 * s' "s=$(measured epoch_s)")
      note "PyTorch $mode, 784-32-10" passed $((SECONDS - start)) "$theirs" "ms/epoch" ""
      case $mode in graph) times=3 ;; tuned) times=10 ;; *) times=200 ;; esac
      bar "as fast as PyTorch $mode" "$(of 't / r' "t=$theirs" "r=$resident")" times '>=' "$times"
    else
      failed "PyTorch $mode, 784-32-10" "$start" "$status" 60
    fi
  done
elif [[ $status =~ ^(124|125|137)$ ]]; then
  failed "PyTorch" "$start" "$status" 90
else
  note "PyTorch" skipped 0 "" "" "there is no torch with CUDA, or MILLRACE_PYTORCH_PEER names no script"
fi

for precision in "${precisions[@]}"; do
  [[ $precision == fp32 ]] || speed "784-32-10, batch 128, $precision" 30 --epochs 20 --precision "$precision"
  [[ $precision == bf16 ]] || wide "$precision"
done
start=$SECONDS
if train 40 --device cpu --epochs 5; then
  note "784-32-10 on the CPU" passed $((SECONDS - start)) "$(awk -v s="$(field epoch_s)" 'BEGIN { printf "%.2f", 1000 * s }')" "ms/epoch" ""
fi

engine_check "determinism" "$same"
engine_check "engine tests" "*GpuEngine*/$tested:GpuKernels.*-$parity:$same"

# Everything under memcheck, which takes long to look at cuBLAS; our own kernels under the others, which would blame
# us for what cuBLAS does. Both ways of training, with graphs and without; our kernels by themselves, and nothing else
# under racecheck, where cuBLASLt's for Hopper do not start, though they are not looked at.
sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
own=--kernel-regex
# grep reads to the end, or the other would end by SIGPIPE.
if [[ -n $sanitizer ]] && "$sanitizer" --help 2>/dev/null | grep -e '--kernel-name' >/dev/null; then own=--kernel-name; fi
for tool in racecheck initcheck memcheck; do
  if [[ -z $sanitizer || ! -x $engine_tests ]]; then
    note "compute-sanitizer $tool" skipped 0 "" "" "there is no compute-sanitizer, or there are no tests"
    continue
  fi
  only=("$own" kns=millrace)
  [[ $tool != memcheck ]] || only=(--report-api-errors no)  # libraries try calls that older drivers lack
  seen="GpuKernels.*"
  [[ $tool == racecheck ]] || seen="*GpuEngine.GivesTheSameBitsWithEverythingOn*/${precisions[-1]}:*GpuEngine.Continues*/fp32:$seen"
  check "compute-sanitizer $tool" 80 "$sanitizer" --tool "$tool" "${only[@]}" --error-exitcode 9 --print-limit 5 \
    "$engine_tests" --gtest_brief=1 --gtest_filter="$seen"
done
# Traces of PyTorch are read from the folder that tests run in.
home=$build
[[ -d $home/tests/golden ]] || home=$here/..
for test in "$build"/tests/*_tests; do
  [[ -x $test && $test != "$engine_tests" && $test != */host_gpu_tests ]] || continue  # that one needs no GPU
  check "$(basename "$test")" 60 env -C "$home" "$(realpath "$test")" --gtest_brief=1
done

write_json
[[ ! -e $said ]] || echo "What they said: $said"
echo "$failures failed, $SECONDS s; every number: $out"
[[ $failures -eq 0 ]]
