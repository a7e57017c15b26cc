"""What the tests of whole programs share: running them, data to run them on, and reading what they wrote.

Every test script is run as: script.py TRAINER TOOLS [unittest arguments]
"""

import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TRAINER = ""
TOOLS = ""
TIMEOUT = 300
# A sanitized build computes some twenty times more slowly: smaller models take as long there.
SLOW = os.environ.get("MILLRACE_SLOW_BUILD") == "1"

# What a build with the CUDA engine says where --device auto finds no GPU. The tests are of everything else.
NO_GPU = re.compile(r"^.*no NVIDIA driver.*\n", re.MULTILINE)

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"


def main():
    global TRAINER, TOOLS
    TRAINER, TOOLS = (str(Path(p).resolve()) for p in (sys.argv.pop(1), sys.argv.pop(1)))
    unittest.main(module="__main__")


def environment(**more):
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "LC_ALL", "LC_CTYPE", "LANG", "TERM")}
    return {**env, "LC_ALL": "C", "TERM": "xterm", **more}


def idx(type_byte, dims, data):
    return bytes([0, 0, type_byte, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims) + data


class ProgramTest(unittest.TestCase):
    """A temporary folder for each test, and one small data set for all of them."""

    maxDiff = None
    _digits = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="millrace-e2e-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls._digits = Path(folder) / "digits"
        subprocess.run([TOOLS, "synth", cls._digits, "--count", "1200", "--test-count", "200"], check=True,
                       stdout=subprocess.DEVNULL, timeout=TIMEOUT)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="millrace-e2e-")
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)

    @property
    def digits(self):
        return self._digits

    def copy_of_digits(self, name="data"):
        return Path(shutil.copytree(self._digits, self.top / name))

    def call(self, *arguments, program=None, cwd=None, preexec=None, stdout=subprocess.PIPE, env=None):
        done = subprocess.run([program or TRAINER, *map(str, arguments)], cwd=cwd or self.top, env=env or environment(),
                              stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
                              timeout=TIMEOUT, check=False, preexec_fn=preexec)
        done.stderr = NO_GPU.sub("", done.stderr)
        return done

    def train(self, *arguments, data=None, **how):
        """A run that must go well."""
        done = self.call("--data", data or self.digits, *arguments, **how)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def start(self, *arguments, **how):
        """A trainer that runs beside the test, and is gone when the test is."""
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        process = subprocess.Popen([TRAINER, *map(str, arguments)], cwd=self.top, env=environment(),
                                   stdin=subprocess.DEVNULL, text=True, **how)

        def end():
            process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def records(self, path):
        return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]

    def summary(self, *arguments, **how):
        """The summary of a run with these arguments."""
        metrics = self.top / "summary.jsonl"
        self.train(*arguments, "--quiet", "--metrics", metrics, **how)
        last = self.records(metrics)[-1]
        self.assertIs(last.get("summary"), True)
        return last

    def weights(self, *arguments, **how):
        return self.summary(*arguments, **how)["weights_hash"]

    def refuses(self, status, *arguments, **how):
        """Fails with one line on stderr, which is returned."""
        done = self.call(*arguments, **how)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], r"^trainer( [a-z]+)?: ")
        return lines[0]


def gzipped(path):
    """Replaces a file by its .gz form."""
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    return target
