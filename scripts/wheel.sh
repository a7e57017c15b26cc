#!/usr/bin/env bash
# Makes a wheel of the Python package that holds the libraries it links, but for those that every Linux of its time has
# (glibc, libstdc++), so that installing it takes neither a compiler nor their packages.
#
#   scripts/wheel.sh [--python PYTHON] [OUT_FOLDER]     (default: the distribution's Python, build/wheels)
#
# It is for the version of Python that makes it, and for the glibc that its name tells and newer. It trains on the CPU:
# cuBLAS has a hundred times its size, and without it the module could not even be imported. Prints its path.
set -euo pipefail

fail() { echo "wheel.sh: $1" >&2; exit 1; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=/usr/bin/python3
[[ -x $python ]] || python=python3
out=
while [[ $# -gt 0 ]]; do
  case $1 in
    --python)
      python=${2-}
      command -v "$python" >/dev/null || fail "--python: expected a Python, found '$python'"
      shift
      ;;
    -* | "") sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    *) [[ -z $out ]] || fail "expected one folder, found '$out' and '$1'"; out=$1 ;;
  esac
  shift
done
out=${out:-$root/build/wheels}

"$root/scripts/install_deps.sh" build python >&2
"$root/scripts/install_python.sh" wheel "$python"
tools=$root/build/wheel-tools/$("$python" -c 'import sys; print(sys.implementation.cache_tag)')/bin
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "$out/wheel.XXXXXX")
trap 'rm -rf "$work"' EXIT

# A folder of its own, or the next `pip install .` would find a CMake cache that says OFF.
settings=(-C cmake.define.MILLRACE_CUDA=OFF -C "build-dir=$root/build/portable-{wheel_tag}")
# scikit-build-core would take the name that Python was built with; the same one as for the programs shares ccache's objects.
export CXX=${CXX:-c++}
if command -v ccache >/dev/null; then
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
  settings+=(-C cmake.define.CMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
log=$root/build/wheel.log
# quietly WHAT COMMAND...: the end of the output is shown where it fails.
quietly() {
  local what=$1
  shift
  "$@" >>"$log" 2>&1 && return
  tail -n 60 "$log" >&2
  fail "$what failed; all of its output: $log"
}
: >"$log"
quietly "Building" "$tools/python" -m build --wheel --no-isolation --outdir "$work/built" "${settings[@]}" "$root"
PATH=$tools:$PATH quietly "Adding the libraries" "$tools/auditwheel" repair --wheel-dir "$work/repaired" "$work"/built/*.whl

# Their licences, which the tools leave out. auditwheel has put a hash into the names: libtbb-4d79fbbd.so.12.8.
quietly "Unpacking" "$tools/python" -m wheel unpack --dest "$work/tree" "$work"/repaired/*.whl
quietly "Unpacking" "$tools/python" -m wheel unpack --dest "$work/linked" "$work"/built/*.whl
tree=$(echo "$work"/tree/*)
libraries=()
while read -r soname arrow path _; do
  [[ $arrow != "=>" || -z $(compgen -G "$tree/millrace.libs/${soname%%.so*}-*") ]] || libraries+=("$path")
done < <(ldd "$work"/linked/*/millrace/_core.*.so)
licenses=$(echo "$tree"/*.dist-info/licenses)
"$root/scripts/notices.sh" "$licenses" "${libraries[@]}"
cp "$tools"/../lib/python*/site-packages/pybind11-*.dist-info/licenses/LICENSE "$licenses/pybind11.txt"

mkdir "$work/packed"
quietly "Packing" "$tools/python" -m wheel pack --dest-dir "$work/packed" "$tree"
mv "$work"/packed/*.whl "$out/"
basename "$work"/repaired/*.whl | sed "s|^|$out/|"
