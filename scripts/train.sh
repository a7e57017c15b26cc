#!/usr/bin/env bash
# Trains: installs what is missing, builds, and runs the trainer with the arguments given.
#
#   scripts/train.sh [trainer arguments]        scripts/train.sh --help lists them
#
# Without --data it takes the folder data/, here or in the project. Where there is none, it says so and
# trains on handwritten-like digits that the project draws itself.
#
#   MILLRACE_PRESET   the build to train with; by default cuda where there are an NVIDIA driver and a
#                     CUDA toolkit, else release
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$root/scripts/install_deps.sh" build

preset=release
if [[ -n ${MILLRACE_PRESET-} ]]; then
  preset=$MILLRACE_PRESET
elif command -v nvidia-smi >/dev/null; then  # comes with the driver
  if command -v nvcc >/dev/null || [[ -x /usr/local/cuda/bin/nvcc ]]; then
    preset=cuda
  else
    echo "There is a GPU, but no CUDA toolkit to build for it: training on the CPU." >&2
  fi
fi
bin=$root/build/$preset/bin

# A tree that is configured already, say by scripts/test.sh, stays as it is: its test programs are kept.
options=()
[[ -f $root/build/$preset/CMakeCache.txt ]] || options=(-DMILLRACE_TESTS=OFF -DMILLRACE_BENCH=OFF)
"$root/scripts/build.sh" "$preset" "${options[@]}" trainer tools

# Recipes say nothing of data; another file of options may.
names_data() { [[ -f $1 ]] && grep -q '^[[:space:]]*data[[:space:]]*=' "$1"; }

needs_data=yes
before=
for argument in "$@"; do
  case $argument in
    --data | --data=* | --download | --download=* | -h | --help | --help-all | --version) needs_data=no ;;
    --config=*) ! names_data "${argument#*=}" || needs_data=no ;;
    *) [[ $before != --config ]] || ! names_data "$argument" || needs_data=no ;;
  esac
  before=$argument
done
if [[ $needs_data == no ]]; then
  exec "$bin/trainer" "$@"
fi

for folder in data "$root/data"; do
  if [[ -d $folder ]]; then
    exec "$bin/trainer" --data "$folder" "$@"
  fi
done

drawn=$root/build/synthetic
if [[ ! -d $drawn ]]; then
  # Drawn beside and renamed, so that an interrupted run leaves no half of a data set.
  unfinished=$(mktemp -d "$root/build/synthetic.XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  "$bin/tools" synth "$unfinished" >/dev/null
  mv -T "$unfinished" "$drawn"
  trap - EXIT
fi
echo "No --data given and no folder data/: training on synthetic digits drawn by 'tools synth' ($drawn)." >&2
exec "$bin/trainer" --data "$drawn" "$@"
