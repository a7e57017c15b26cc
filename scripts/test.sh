#!/usr/bin/env bash
# Tests: installs what is missing, builds, and runs every test. The last lines are CTest's summary.
#
#   scripts/test.sh [release] [asan] [tsan] [--all] [-- ctest arguments]     (default: release)
#
#   release   all tests in the build that users run
#   asan      all tests under AddressSanitizer and UndefinedBehaviorSanitizer
#   tsan      the tests that watch threads under ThreadSanitizer
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

presets=()
while [[ $# -gt 0 ]]; do
  case $1 in
    release | asan | tsan) presets+=("$1") ;;
    --all) presets+=(release asan tsan) ;;
    --) shift; break ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "test.sh: unknown argument '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
[[ ${#presets[@]} -gt 0 ]] || presets=(release)

"$root/scripts/install_deps.sh" build test

cd "$root"
status=0
for preset in "${presets[@]}"; do
  # Benchmarks stay as they are configured; a tree that was never configured is built without them, for they
  # link more than the tests do.
  options=(-DMILLRACE_TESTS=ON)
  [[ -f build/$preset/CMakeCache.txt ]] || options+=(-DMILLRACE_BENCH=OFF)
  if ! scripts/build.sh "$preset" "${options[@]}" || ! ctest --preset "$preset" -j "$(nproc)" "$@"; then
    status=1
  fi
done
exit "$status"
