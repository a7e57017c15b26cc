#!/usr/bin/env bash
# Checks the code itself, without running it.
#
#   scripts/lint.sh [format] [shell] [tidy]     (default: all three)
#
#   format   clang-format leaves every file as it is       (scripts/lint.sh fix rewrites them)
#   shell    shellcheck has nothing to say about a script
#   tidy     clang-tidy finds nothing (.clang-tidy); reads the compile commands of build/release
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

code_files() { find formats compute loader train tools python tests bench examples -name '*.h' -o -name '*.cpp' -o -name '*.cu'; }

check_format() {
  local file status=0
  while IFS= read -r file; do
    clang-format-14 "$file" | cmp -s - "$file" && continue
    echo "$file: clang-format would change it (scripts/lint.sh fix)"
    status=1
  done < <(code_files | sort)
  return "$status"
}

check_shell() { shellcheck scripts/*.sh .ci/run; }

check_tidy() {
  scripts/build.sh release -DMILLRACE_TESTS=ON -DMILLRACE_BENCH=ON || return 1
  scripts/tidy.py build/release
}

checks=("$@")
[[ ${#checks[@]} -gt 0 ]] || checks=(format shell tidy)
scripts/install_deps.sh build lint
status=0
for check in "${checks[@]}"; do
  case $check in
    format) check_format || status=1 ;;
    shell) check_shell || status=1 ;;
    tidy) scripts/install_deps.sh test bench && check_tidy || status=1 ;;
    fix) code_files | xargs -d '\n' clang-format-14 -i ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
done
exit "$status"
