#!/usr/bin/env bash
# Makes a tarball that runs where it is unpacked: programs, test programs that are built, and the libraries they
# link with their licences, but for those of the system (glibc) and of NVIDIA (the driver and cuBLAS, which a CUDA build needs).
#
#   scripts/package.sh [--no-tests] BUILD_FOLDER [OUT_FOLDER]     (default: BUILD_FOLDER/package)
#
# `cmake --build BUILD_FOLDER --target package` builds the programs and calls it. Prints the tarball's path.
set -euo pipefail

fail() { echo "package.sh: $1" >&2; exit 1; }
tests=yes
if [[ ${1-} == --no-tests ]]; then
  tests=no
  shift
fi
case ${1-} in
  "" | -*) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "$1" 2>/dev/null && pwd) || fail "$1: there is no such folder"
[[ -x $build/bin/trainer && -x $build/bin/tools ]] || fail "$build/bin: expected trainer and tools, found no such programs"
out=${2:-$build/package}
mkdir -p "$out"
out=$(cd "$out" && pwd)

# What every system with this architecture's glibc has, and what must be the machine's own.
system='linux-vdso|ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libutil|libcuda|libcublas|libcublasLt|libnvidia-.*'

version=$("$build/bin/trainer" --version | sed -n '1s/^[^0-9]*\([0-9.]*[0-9]\).*/\1/p')
flavour=
# grep reads to the end, or ldd would end by SIGPIPE.
if ldd "$build/bin/trainer" | grep 'libcublasLt\.so' >/dev/null; then flavour=-cuda; fi
name=millrace-$version-linux-$(uname -m)$flavour

work=$(mktemp -d "$out/package.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/$name
mkdir -p "$tree/bin" "$tree/lib" "$tree/tests"
cp "$build/bin/trainer" "$build/bin/tools" "$tree/bin/"
[[ ! -x $build/bin/products_bench ]] || cp "$build/bin/products_bench" "$tree/bin/"
if [[ $tests == yes && -d $build/tests ]]; then
  # But for the one that does without a GPU what cuda_engine_tests does with one.
  find "$build/tests" -maxdepth 1 -type f ! -name host_gpu_tests \( -name '*_tests' -o -name train_victim \) -perm -u+x -exec cp {} "$tree/tests/" \;
  if [[ -d $root/tests/golden && -n $(ls -A "$tree/tests") ]]; then
    mkdir "$tree/tests/golden"
    cp "$root"/tests/golden/*.safetensors "$root"/tests/golden/*.json "$tree/tests/golden/"
  fi
fi
cp "$root/scripts/gpu_check.sh" "$root/README.md" "$root/LICENSE" "$root/THIRD_PARTY.md" "$tree/"
cp -r "$root/recipes" "$root/docs" "$tree/"

# Each library once, under the name that programs ask for. gtest and the like come with the test programs.
missing=
libraries=()
while read -r soname arrow path _; do
  [[ $arrow == "=>" ]] || continue
  [[ ! ${soname%%.so*} =~ ^($system)$ ]] || continue
  if [[ $path == not ]]; then
    missing+=" $soname"
  elif [[ ! -e $tree/lib/$soname ]]; then
    cp -L "$path" "$tree/lib/$soname"
    libraries+=("$path")
  fi
done < <(find "$tree/bin" "$tree/tests" -type f -exec ldd {} \; 2>/dev/null)
[[ -z $missing ]] || fail "these libraries are not found here:$missing"
"$root/scripts/notices.sh" "$tree/licenses" "${libraries[@]}"

find "$tree/bin" "$tree/tests" -type f -exec strip --strip-unneeded {} + 2>/dev/null || true
rmdir "$tree/tests" 2>/dev/null || true  # nothing in it
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$work" -czf "$work/$name.tar.gz" "$name"
mv "$work/$name.tar.gz" "$out/$name.tar.gz"
echo "$out/$name.tar.gz"
