#!/usr/bin/env python3
"""Runs clang-tidy on every source that a build folder compiles; scripts/lint.sh tidy calls this.

  scripts/tidy.py BUILD_FOLDER

A source in which nothing was found is left alone for as long as it, all that it includes, how it is compiled, the checks
and clang-tidy stay what they were: what is known of it is kept in $XDG_CACHE_HOME/millrace/tidy, for other checkouts too.
The build must be up to date, for Ninja's log says what a source includes. Prints what is found; exit status 1 if anything.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

TIDY = "clang-tidy-14"
KEPT_FOR_S = 30 * 24 * 3600.0


def includes(build):
    """Object file -> what it was compiled from, by Ninja's log of dependencies."""
    log = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    files = {}
    for line in log.splitlines():
        if line.startswith("    "):
            files[target].append(pathlib.Path(os.path.normpath(build / line.strip())))
        elif ": #deps " in line:
            target = line.split(": #deps ")[0]
            files[target] = []
    return files


class Keys:
    """What decides about a source's findings, as one hash."""

    def __init__(self, root, build):
        self.root = str(root)
        self.includes = includes(build)
        self.files = {}
        version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
        self.common = version + (root / ".clang-tidy").read_bytes() + pathlib.Path(__file__).read_bytes()

    def file(self, path):
        if path not in self.files:
            self.files[path] = hashlib.sha256(path.read_bytes()).digest()
        return self.files[path]

    def of(self, entry):
        """None where it is not known what the source includes."""
        words = entry["command"].split()
        paths = self.includes.get(words[words.index("-o") + 1])
        if not paths:
            return None
        key = hashlib.sha256(self.common + entry["command"].replace(self.root, "").encode())
        for path in paths:
            key.update(str(path).removeprefix(self.root).encode() + b"\0" + self.file(path))
        return key.hexdigest()


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(home) / "millrace" / "tidy"
    folder.mkdir(parents=True, exist_ok=True)
    for known in folder.iterdir():
        if known.stat().st_mtime < time.time() - KEPT_FOR_S:
            known.unlink(missing_ok=True)
    return folder


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        raise SystemExit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    root = pathlib.Path(__file__).resolve().parent.parent
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    keys, known = Keys(root, build), cache_folder()
    # The longest first, so that no core ends up alone with it.
    sources = {entry["file"]: entry for entry in sorted(entries, key=lambda entry: -os.path.getsize(entry["file"]))}

    def check(entry):
        key = keys.of(entry)
        if key is not None and (known / key).exists():
            (known / key).touch()
            return None
        done = subprocess.run([TIDY, "-p", build, "--quiet", entry["file"]], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return done.stdout or done.stderr
        if key is not None:
            (known / key).touch()
        return ""

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = list(pool.map(check, sources.values()))
    print("".join(filter(None, found)), end="")
    print(f"clang-tidy: {len(found)} sources, {found.count(None)} of them known to be clean", file=sys.stderr)
    sys.exit(any(found))


if __name__ == "__main__":
    main()
