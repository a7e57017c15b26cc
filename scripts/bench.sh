#!/usr/bin/env bash
# Builds and measures Millrace, and PyTorch beside it where both torch and a script to compare with are there.
#
#   scripts/bench.sh [--smoke] [--rounds N] [--tutorial-rounds N] [--no-peer] [--out FILE.json]
#
# Prints a table of ratios; all numbers go to build/bench/results.json. bench/report.py makes docs/performance.md
# of them. --smoke takes seconds and only shows that everything runs (build/bench/smoke.json).
#
#   MILLRACE_MNIST_DIR      folder with MNIST's four .gz files; without it, and without ../shared/data/mnist,
#                           digits that the project draws itself
#   MILLRACE_PYTORCH_PEER   the PyTorch script; without it ../shared/peers/pytorch_peer.py
#                           (torch: scripts/install_python.sh peers)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
smoke=no
for argument in "$@"; do
  case $argument in
    --smoke) smoke=yes ;;
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  esac
done

command -v python3 >/dev/null || { echo "bench.sh: python3 is needed" >&2; exit 1; }
"$root/scripts/install_deps.sh" build bench
"$root/scripts/build.sh" release -DMILLRACE_BENCH=ON

data=()
if [[ $smoke == no ]]; then
  mnist=${MILLRACE_MNIST_DIR:-$root/../shared/data/mnist}
  if [[ ! -d $mnist ]]; then
    mnist=$root/build/bench/digits
    if [[ ! -f $mnist/t10k-labels-idx1-ubyte.gz ]]; then
      mkdir -p "$mnist"
      "$root/build/release/bin/tools" synth "$mnist" >/dev/null
      find "$mnist" -name '*-ubyte' -exec gzip -f {} +
    fi
    echo "No folder with MNIST: measuring on synthetic digits ($mnist)." >&2
  fi
  data=(--data "$mnist")
fi

exec python3 -B "$root/bench/compare.py" --build "$root/build/release" "${data[@]}" "$@"
