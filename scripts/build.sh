#!/usr/bin/env bash
# Configures and builds one preset of CMakePresets.json; quiet unless it fails.
#
#   scripts/build.sh PRESET [-DNAME=VALUE ...] [TARGET ...]     (default: all targets)
#
# Uses ccache where there is one. The whole output of the last build is in build/PRESET/build.log.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ $# -eq 0 || $1 == -* ]]; then
  sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
preset=$1
shift
defines=()
targets=()
for argument in "$@"; do
  case $argument in
    -D*) defines+=("$argument") ;;
    *) targets+=("$argument") ;;
  esac
done

directory=$root/build/$preset
log=$directory/build.log
cache=$directory/CMakeCache.txt
mkdir -p "$directory"

# A build folder that was moved or copied here belongs to another source tree: CMake would refuse it.
if [[ -f $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
  rm -rf "$cache" "$directory/CMakeFiles"
fi
if command -v ccache >/dev/null; then
  # What another checkout of the same sources compiled serves this one too.
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
  defines+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi

say() { printf '%s\n' "$1" >&2; }
fail() {
  tail -n 60 "$log" >&2
  say "Building $preset failed; all of its output: $log"
  exit 1
}

cd "$root"
start=$SECONDS
# What is built already takes no time and needs no line.
announce() { say "Building $preset with $(nproc) cores ..."; }
[[ -f $directory/build.ninja ]] || announce
cmake --preset "$preset" "${defines[@]}" >"$log" 2>&1 || fail
if [[ ${#targets[@]} -gt 0 ]]; then
  cmake --build "$directory" -j "$(nproc)" --target "${targets[@]}" >>"$log" 2>&1 || fail
else
  cmake --build "$directory" -j "$(nproc)" >>"$log" 2>&1 || fail
fi
elapsed=$((SECONDS - start))
[[ $elapsed -lt 5 ]] || say "Built $preset in $elapsed s."
