"""Runs the programs that bench/compare.py compares, each in a process of its own, and returns what they measured."""
import gzip
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Missing(Exception):
    """A contestant that is not here; the text says what to do about it."""


class Failed(Exception):
    """A contestant that ended with an error; the text is its last words."""


def run(command, cores=None):
    """Runs `command`, pinned to `cores` if given. Returns (stdout, wall seconds, peak resident MB)."""
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    command = [str(part) for part in command]
    with tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=pin) as process:
            out = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise Failed(f"{' '.join(command)}: exit status {process.returncode}\n{errors.read().strip()[-2000:]}")
    return out, wall, usage.ru_maxrss / 1024


def all_cores():
    return sorted(os.sched_getaffinity(0))


def cores_for(threads):
    """One thread stays on one core; more are left to the scheduler, as they are for a user."""
    return {all_cores()[-1]} if threads == 1 and len(all_cores()) > 1 else None


def python_with(*modules):
    """An interpreter that has them: that of build/peers, else this one, else the system's, else that of the tests."""
    tried = dict.fromkeys([shutil.which(ROOT / "build/peers/bin/python"), sys.executable, shutil.which("python3"),
                           "/usr/bin/python3", shutil.which(ROOT / "build/python/bin/python")])
    for python in filter(None, tried):
        found = subprocess.run([python, "-c", "import " + ", ".join(modules)], capture_output=True, check=False)
        if found.returncode == 0:
            return python
    raise Missing(f"no Python here has {' and '.join(modules)} (scripts/install_python.sh peers installs them)")


class Ours:
    def __init__(self, build):
        self.bin = pathlib.Path(build) / "bin"

    def program(self, name):
        path = self.bin / name
        if not path.exists():
            raise Missing(f"{name} is not built in {self.bin}")
        return path

    def bench(self, name, *arguments, cores=None):
        """Runs a program of bench/ and returns its JSON."""
        return json.loads(run([self.program(name), *arguments], cores)[0])

    def train_bench(self, *arguments):
        result = self.bench("train_bench", *arguments)
        if not result["peak_gflops"]:
            raise Missing(f"this processor has no instructions for {result['precision']}")
        return result

    def train(self, data, work, *, epochs, val_size, hidden="32", precision="fp32", threads, checkpoints=False):
        """One run of the trainer: the summary of its metrics, with the whole process's wall_s and rss_mb."""
        metrics = pathlib.Path(work) / "metrics.jsonl"
        metrics.unlink(missing_ok=True)
        command = [self.program("trainer"), "--data", data, "--epochs", epochs, "--hidden", hidden, "--batch", 128,
                   "--val-size", val_size, "--precision", precision, "--threads", threads, "--device", "cpu",
                   "--metrics", metrics]
        if checkpoints:
            folder = pathlib.Path(work) / "checkpoints"
            shutil.rmtree(folder, ignore_errors=True)
            command += ["--checkpoint-dir", folder]
        _, wall, rss = run(command, cores_for(threads))
        summary = json.loads(metrics.read_text().splitlines()[-1])
        if summary.get("precision", precision) != precision:
            raise Missing(f"this processor trains in {summary['precision']} where {precision} is asked for")
        return {**summary, "process_wall_s": wall, "process_rss_mb": rss}


class Peer:
    """PyTorch, through the script that MILLRACE_PYTORCH_PEER names."""

    def __init__(self, root):
        default = root / ".." / "shared" / "peers" / "pytorch_peer.py"
        self.script = pathlib.Path(os.environ.get("MILLRACE_PYTORCH_PEER", default)).resolve()
        if not self.script.exists():
            raise Missing(f"there is no {self.script} (MILLRACE_PYTORCH_PEER names another)")
        self.python = python_with("torch", "numpy")

    def train(self, data, *, mode, epochs, threads=0, bf16=False, hidden="32"):
        command = [self.python, self.script, "--data", data, "--mode", mode, "--device", "cpu", "--epochs", epochs,
                   "--hidden", hidden, "--batch", 128, "--threads", threads, *(["--bf16"] if bf16 else [])]
        out, wall, rss = run(command, cores_for(threads))
        return {**json.loads(out.splitlines()[-1]), "process_wall_s": wall, "process_rss_mb": rss}


class BusyLoops:
    """Other people's work: `count` processes that never wait, while the `with` lasts."""

    def __init__(self, count):
        self.count = count
        self.processes = []

    def __enter__(self):
        loop = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
        self.processes = [subprocess.Popen(loop, stdout=subprocess.PIPE) for _ in range(self.count)]
        for process in self.processes:
            process.stdout.readline()  # it is in its loop now
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.communicate()


def random_idx_files(folder, train=2000, test=500):
    """Files in MNIST's naming with noise in them: enough to show that everything runs."""
    draw = random.Random(1)
    for split, count in (("train", train), ("t10k", test)):
        images = struct.pack(">4i", 0x803, count, 28, 28) + draw.randbytes(count * 784)
        labels = struct.pack(">2i", 0x801, count) + bytes(draw.randrange(10) for _ in range(count))
        for name, content in (("images-idx3", images), ("labels-idx1", labels)):
            (folder / f"{split}-{name}-ubyte.gz").write_bytes(gzip.compress(content, 1))


def samples_in(folder):
    """Number of training samples of a folder in MNIST's naming."""
    path = pathlib.Path(folder) / "train-labels-idx1-ubyte"
    with open(path, "rb") if path.exists() else gzip.open(f"{path}.gz") as file:
        return struct.unpack(">2i", file.read(8))[1]
