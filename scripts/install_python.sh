#!/usr/bin/env bash
# Makes a Python environment with packages of others, pinned. Does nothing where it is there already.
#
#   scripts/install_python.sh [tests|numpy2|peers|wheel [PYTHON]]     (default: tests)
#
#   tests   build/python, of tests/requirements.txt: what the tests hold our files against; about 500 MB
#   numpy2  build/numpy2, of tests/requirements-numpy2.txt: a newer NumPy for our Python package; about 70 MB
#   peers   build/peers, of bench/requirements.txt: what the benchmarks race ours against; about 8 GB, since
#           PyTorch brings CUDA's libraries along
#   wheel   build/wheel-tools/VERSION, of scripts/requirements-wheel.txt: what scripts/wheel.sh needs; about 40 MB
#
# Needs a package index that pip can reach.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The distribution's own interpreter, for it knows the distribution's packages (PyTorch).
python=/usr/bin/python3
[[ -x $python ]] || python=python3
case ${1:-tests} in
  # The tests' PyTorch is the distribution's, so its packages have to be seen.
  tests) needs=interop environment=$root/build/python wanted=$root/tests/requirements.txt options=(--system-site-packages) ;;
  numpy2) needs=interop environment=$root/build/numpy2 wanted=$root/tests/requirements-numpy2.txt options=() ;;
  peers) needs=peer environment=$root/build/peers wanted=$root/bench/requirements.txt options=() ;;
  wheel)
    python=${2:-$python}
    version=$("$python" -c 'import sys; print(sys.implementation.cache_tag)') || exit 1
    needs=python environment=$root/build/wheel-tools/$version wanted=$root/scripts/requirements-wheel.txt options=()
    ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [[ $1 == -h || $1 == --help ]]; exit ;;
esac

"$root/scripts/install_deps.sh" "$needs"

# Written last, so that an environment without it is one that was never finished.
stamp=$environment/requirements.txt
if cmp -s "$wanted" "$stamp" && "$environment/bin/python" -c '' 2>/dev/null; then
  exit 0
fi

echo "Installing into ${environment#"$root"/}: $(sed -n 's/^\([a-z0-9-]*\)==.*/\1/p' "$wanted" | sort -u | paste -sd' ')" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
mkdir -p "$(dirname "$environment")"
if ! "$python" -m venv --clear "${options[@]}" "$environment" >"$log" 2>&1 ||
  ! "$environment/bin/python" -m pip install --disable-pip-version-check --no-input -r "$wanted" >>"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "install_python.sh: could not install them (the last lines are above)." >&2
  exit 1
fi
cp "$wanted" "$stamp"
