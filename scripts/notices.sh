#!/usr/bin/env bash
# Copies into a folder the licences that travel with a binary: those of the packages that the given libraries come
# from and of the headers that are compiled in, and the texts of the distribution's own that they refer to.
#
#   scripts/notices.sh FOLDER LIBRARY...
#
# Names on stderr what comes from no package of the distribution (Debian, Ubuntu): whoever passes it on has to add its licence.
set -euo pipefail

if [[ $# -lt 2 ]]; then
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
folder=$1
shift
# Headers alone, so that no library leads to their packages.
packages=(libcli11-dev libstb-dev nlohmann-json3-dev)
unknown=()

# dpkg knows a file by the path in its package, which may lack the /usr of where it lies.
paths=()
for library in "$@"; do
  path=$(realpath "$library")
  paths+=("$path" "${path#/usr}")
done
declare -A owner=()
while IFS= read -r line; do
  owner[${line##*: }]=${line%%[:,]*}
done < <(dpkg-query -S "${paths[@]}" 2>/dev/null || true)
for ((i = 0; i < ${#paths[@]}; i += 2)); do
  package=${owner[${paths[i]}]-${owner[${paths[i + 1]}]-}}
  if [[ -n $package ]]; then packages+=("$package"); else unknown+=("${paths[i]}"); fi
done

mkdir -p "$folder"
for package in "${packages[@]}"; do
  text=/usr/share/doc/$package/copyright
  if [[ -e $text ]]; then cp -L "$text" "$folder/$package.txt"; else unknown+=("$package"); fi
done
while read -r text; do
  [[ -e $text ]] || continue
  mkdir -p "$folder/common-licenses"
  cp -L "$text" "$folder/common-licenses/"
done < <(grep -rhoE '/usr/share/common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' "$folder" | sort -u)

[[ ${#unknown[@]} -eq 0 ]] || echo "notices.sh: no licence found here of ${unknown[*]}; who passes the binary on has to add it" >&2
