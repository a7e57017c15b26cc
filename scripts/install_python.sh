#!/usr/bin/env bash
# Makes build/python, a Python environment with the packages that tests/requirements.txt names, pinned: the
# programs of others that the tests hold ours against. Does nothing where it is there already.
#
#   scripts/install_python.sh
#
# Needs a package index that pip can reach, and room: about 500 MB.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ $# -eq 0 ]] || { sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [[ $1 == -h || $1 == --help ]]; exit; }

"$root/scripts/install_deps.sh" interop

environment=$root/build/python
wanted=$root/tests/requirements.txt
# Written last, so that an environment without it is one that was never finished.
stamp=$environment/requirements.txt
if cmp -s "$wanted" "$stamp" && "$environment/bin/python" -c '' 2>/dev/null; then
  exit 0
fi

# The distribution's own interpreter, for it knows the distribution's packages (PyTorch).
python=/usr/bin/python3
[[ -x $python ]] || python=python3
echo "Installing into ${environment#"$root"/}: $(sed -n 's/^\([a-z]*\)==.*/\1/p' "$wanted" | sort -u | paste -sd' ')" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
mkdir -p "$root/build"
if ! "$python" -m venv --clear --system-site-packages "$environment" >"$log" 2>&1 ||
  ! "$environment/bin/python" -m pip install --disable-pip-version-check --no-input -r "$wanted" >>"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "install_python.sh: could not install them (the last lines are above)." >&2
  exit 1
fi
cp "$wanted" "$stamp"
