#!/usr/bin/env bash
# Installs what Millrace needs and this machine lacks, from the distribution's own packages.
#
#   scripts/install_deps.sh [build] [python] [test] [lint] [bench] [peer] [interop] [browser] [fuzz] [all]     (default: build)
#
#   build, test, lint, bench   for scripts/train.sh, scripts/test.sh, scripts/lint.sh, the programs of bench/
#   python                     for the Python module, which a build then has too
#   peer                       plotting, and what the packages need that the benchmarks race ours against;
#                              scripts/install_python.sh peers installs those
#   interop, browser           for the tests that hold files and pages against other people's programs;
#                              scripts/install_python.sh installs what comes from Python's package index
#   fuzz                       for scripts/fuzz.sh
#
# Made for Debian 12 or newer and Ubuntu 24.04 or newer. It asks no question, prints what it installs and why,
# and does not touch apt when nothing is missing. On a system without apt it lists what to install by hand.
set -euo pipefail

# set | package | how to see that it is there | what for
#   command NAME     a program on the PATH
#   header PATH      a header the compiler finds
#   module NAME      a Python module
#   system NAME      a module of the distribution's own Python
#   fuzzer NAME      a compiler that links with libFuzzer
readonly kNeeds='
build|g++|command c++|compiles C++20
build|cmake|command cmake|configures the build (3.22 or newer)
build|ninja-build|command ninja|runs the build
build|pkg-config|command pkg-config|finds libraries
build|libtbb-dev|header tbb/task_arena.h|oneTBB: parallel loading
build|libhwy-dev|header hwy/highway.h|Highway: SIMD chosen at run time
build|libzstd-dev|header zstd.h|reads .zst files
build|libdeflate-dev|header libdeflate.h|reads .gz files
build|libsnappy-dev|header snappy.h|reads Parquet files
build|libturbojpeg0-dev|header turbojpeg.h|decodes JPEG images
build|libstb-dev|header stb/stb_image.h|decodes PNG, BMP, GIF and TGA images, resizes
build|libcurl4-openssl-dev|header curl/curl.h|downloads data sets
build|libssl-dev|header openssl/evp.h|SHA-256 of what was downloaded
build|libxxhash-dev|header xxhash.h|hashes data sets and weights
build|libfmt-dev|header fmt/format.h|formats text
build|nlohmann-json3-dev|header nlohmann/json.hpp|checkpoint headers and metrics
build|libcli11-dev|header CLI/CLI.hpp|parses the command line
python|pybind11-dev|header pybind11/pybind11.h|binds C++ to Python
python|python3-dev|command python3-config|compiles Python modules
python|python3-numpy|system numpy|arrays of the Python module
python|python3-venv|system ensurepip|makes environments to install the module to
test|pybind11-dev|header pybind11/pybind11.h|binds C++ to Python
test|python3-dev|command python3-config|compiles Python modules
test|python3-numpy|system numpy|arrays of the Python module
test|libgtest-dev|header gtest/gtest.h|runs the unit tests
test|libgmock-dev|header gmock/gmock.h|matchers of the unit tests
test|python3|command python3|runs the tests of the source tree
test|ccache|command ccache|compiles again only what changed
lint|clang-format-14|command clang-format-14|checks the layout of the code
lint|clang-tidy-14|command clang-tidy-14|checks the code for likely mistakes
lint|shellcheck|command shellcheck|checks the shell scripts
lint|python3|command python3|runs clang-tidy on every file
bench|libbenchmark-dev|header benchmark/benchmark.h|times small pieces of code
bench|libdnnl-dev|header dnnl.hpp|oneDNN, which the benchmarks compare with
peer|python3|command python3|runs the comparison
peer|python3-venv|system ensurepip|makes the environment of build/peers
peer|python3-numpy|module numpy|arrays for the comparison
peer|ffmpeg|command ffmpeg|FFmpeg, whose libraries decode for SPDL
peer|python3-matplotlib|module matplotlib|draws the plots
peer|g++|command c++|compiles mlpack, which is headers
peer|libarmadillo-dev|header armadillo|Armadillo: matrices of mlpack
peer|libcereal-dev|header cereal/cereal.hpp|cereal, which mlpack includes
peer|libopenblas-dev|header openblas_config.h|OpenBLAS, which multiplies for mlpack
interop|python3-venv|system ensurepip|makes the environment of build/python
interop|python3-torch|system torch|PyTorch, which exchanges models with ours
browser|chromium|command chromium|shows reports as people see them
browser|chromium-driver|command chromedriver|lets a test drive the browser
fuzz|clang-14|command clang++-14|compiles the fuzzers
fuzz|libclang-rt-14-dev|fuzzer clang++-14|libFuzzer and the sanitizers
'

usage() {
  sed -n '2,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

package_installed() {
  command -v dpkg-query >/dev/null &&
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true) == installed ]]
}

header_found() {
  local compiler
  compiler=$(command -v "${CXX:-c++}") || return 1
  echo "#include <$1>" | "$compiler" -std=c++20 -E -x c++ - >/dev/null 2>&1
}

fuzzer_links() {
  command -v "$1" >/dev/null || return 1
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    "$1" -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null 2>/dev/null
}

there() {
  local package=$1 kind=$2 name=$3
  package_installed "$package" && return 0
  case $kind in
    command) command -v "$name" >/dev/null ;;
    header) header_found "$name" ;;
    fuzzer) fuzzer_links "$name" ;;
    system) /usr/bin/python3 -c "import importlib.util as u, sys; sys.exit(u.find_spec('$name') is None)" 2>/dev/null ;;
    module) python3 -c "import importlib.util as u, sys; sys.exit(u.find_spec('$name') is None)" 2>/dev/null ;;
  esac
}

by_hand() {
  echo "install_deps.sh: $1" >&2
  echo "Please install these by hand (Debian's names), then run the command again:" >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
}

sets=()
for argument in "${@:-build}"; do
  case $argument in
    build | python | test | lint | bench | peer | interop | browser | fuzz) sets+=("$argument") ;;
    all) sets+=(build python test lint bench peer interop browser fuzz) ;;
    -h | --help) usage; exit 0 ;;
    *) echo "install_deps.sh: unknown set '$argument'" >&2; usage >&2; exit 2 ;;
  esac
done

missing=()
reasons=()
while IFS='|' read -r set package probe reason; do
  [[ -n $set && " ${sets[*]} " == *" $set "* ]] || continue
  [[ " ${missing[*]-} " != *" $package "* ]] || continue
  read -r kind name <<<"$probe"
  there "$package" "$kind" "$name" && continue
  missing+=("$package")
  reasons+=("$reason")
done <<<"$kNeeds"

[[ ${#missing[@]} -gt 0 ]] || exit 0

command -v apt-get >/dev/null || by_hand "there is no apt-get on this system."
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || by_hand "installing needs root, and there is no sudo on this system."
  as_root=(sudo)
fi

echo "Installing with apt:"
for i in "${!missing[@]}"; do
  printf '  %-20s %s\n' "${missing[i]}" "${reasons[i]}"
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Without stdin apt cannot ask; a lock held by another apt (unattended upgrades) is waited for.
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -y -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}
install() { apt install --no-install-recommends "${missing[@]}"; }

# The package lists on the machine may do; they are fetched only when they do not.
if ! install && ! { apt update && install; }; then
  tail -n 15 "$log" >&2
  by_hand "apt-get could not install them (its last lines are above)."
fi
