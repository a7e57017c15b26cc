"""The wheel of scripts/wheel.sh as somebody installs it who has Python and NumPy alone: whose libraries it loads, what it trains,
and that it does not mind PyTorch in the same process. And the source distribution: that it can be built."""

import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

import interop

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PYTHON = "/usr/bin/python3"  # of which the environments are made


def environment(name, pattern):
    """What is in an environment of scripts/install_python.sh: in this build folder or in that of the tests' Python."""
    found = [path for build in (BUILD, pathlib.Path(sys.prefix).parent) for path in build.glob(pattern)]
    return found[0] if found else interop.without(f"no {BUILD}/{pattern}, which scripts/install_python.sh {name} makes")


TOOLS = environment("wheel", f"wheel-tools/{sys.implementation.cache_tag}/bin/python")
NUMPY = environment("numpy2", "numpy2/lib/python3.*/site-packages")

# What a manylinux wheel may ask of its system.
SYSTEM = ("ld-linux*", "libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libstdc++.so.6*",
          "libgcc_s.so.1")

# Trains on a folder, and says to what weights, and which libraries the process then has.
TRAIN = """
import sys, numpy, json
def libraries():
    return {line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if ".so" in line}
before = libraries()
import millrace
run = millrace.train(sys.argv[1], epochs=2, device="cpu")
print(json.dumps([run.summary["weights_hash"], millrace.__file__, sorted(libraries() - before)]))
"""

# Both train; in the order in which they are imported.
BESIDE_PYTORCH = """
import sys
for name in sys.argv[2:]:
    __import__(name)
import millrace, numpy, torch
for _ in range(2):
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 26 * 26, 10))
    for x, y in millrace.Loader(millrace.open(sys.argv[1]).train, batch=128):
        x = torch.from_numpy(x).float()[:, None] / 255
        torch.nn.functional.cross_entropy(model(x), torch.from_numpy(y).long()).backward()
    run = millrace.train(sys.argv[1], epochs=2, device="cpu")
print(run.summary["weights_hash"])
"""


def output(*command, **variables):
    """What a command prints, which has to succeed; in an environment without Python's variables, above all the path to the build's
    own package. The others stay, for ccache tells compilations apart by some of them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(list(map(str, command)), env=kept | variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.top = pathlib.Path(scratch.name)
        cls.wheel = pathlib.Path(output(ROOT / "scripts/wheel.sh", cls.top / "some where").splitlines()[-1])
        output(PYTHON, "-m", "venv", cls.top / "venv")
        cls.python = cls.top / "venv/bin/python"
        (cls.packages,) = cls.top.glob("venv/lib/python3.*/site-packages")
        # The one package that it needs, without asking the index for it.
        (cls.packages / "numpy.pth").write_text(f"{NUMPY}\n", encoding="utf-8")
        output(cls.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-index", cls.wheel)
        cls.data = cls.top / "data"
        trainer = os.environ["MILLRACE_TRAINER"]
        output(pathlib.Path(trainer).with_name("tools"), "synth", cls.data, "--count", "1200", "--test-count", "100")
        output(trainer, "--data", cls.data, "--epochs", "2", "--device", "cpu", "--quiet", "--metrics", cls.top / "m")
        cls.weights = json.loads((cls.top / "m").read_text(encoding="utf-8").splitlines()[-1])["weights_hash"]

    def test_its_name_says_for_which_systems_it_is(self):
        self.assertEqual(os.listdir(self.wheel.parent), [self.wheel.name])
        python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
        self.assertRegex(self.wheel.name, rf"^millrace-\d+\.\d+\.\d+-{python}-{python}-manylinux_2_\d\d_\w+\.whl$")

    def test_trains_to_the_programs_bits_with_libraries_of_its_own(self):
        weights, module, libraries = json.loads(output(self.python, "-I", "-c", TRAIN, self.data))
        self.assertEqual(weights, self.weights)
        self.assertEqual(pathlib.Path(module).parents[1], self.packages)
        ours = {path for path in libraries if path.startswith(str(self.packages / "millrace"))}
        self.assertGreaterEqual(len(ours), 8, libraries)
        others = [path for path in libraries if path not in ours and "lib-dynload" not in path and "/numpy" not in path]
        for path in others:
            self.assertTrue(any(fnmatch.fnmatch(os.path.basename(path), name) for name in SYSTEM), path)

    def test_the_packages_tests_pass(self):
        for name in ("module", "train", "regression"):
            output(self.python, "-B", pathlib.Path(__file__).with_name(f"{name}_test.py"),
                   PYTHONPATH=str(ROOT / "tests/support"), MILLRACE_TRAINER=os.environ["MILLRACE_TRAINER"])

    def test_does_not_mind_pytorch(self):
        interop.packages("torch")
        for order in (("torch", "millrace"), ("millrace", "torch")):
            found = output(sys.executable, "-c", BESIDE_PYTORCH, self.data, *order, PYTHONPATH=str(self.packages))
            self.assertEqual(found.strip(), self.weights, order)

    def test_has_the_licence_of_each_library(self):
        names = zipfile.ZipFile(self.wheel).namelist()
        licences = {name.partition("/licenses/")[2] for name in names if "/licenses/" in name}
        self.assertLessEqual({"LICENSE", "THIRD_PARTY.md", "libcli11-dev.txt", "libstb-dev.txt", "nlohmann-json3-dev.txt",
                              "pybind11.txt", "common-licenses/Apache-2.0"}, licences)
        libraries = [name.partition(".libs/")[2] for name in names if ".libs/" in name]
        self.assertGreaterEqual(len(libraries), 7)
        for library in libraries:
            self.assertTrue(any(licence.startswith(library.partition("-")[0]) for licence in licences), library)

    def test_a_source_distribution_configures(self):
        folder = self.top / "sources"
        output(TOOLS, "-m", "build", "--sdist", "--no-isolation", "--outdir", folder, ROOT)
        (archive,) = folder.iterdir()
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
        tree = folder / archive.name.removesuffix(".tar.gz")
        version = re.search(r"project\(millrace VERSION (\S+)", (tree / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
        self.assertEqual(tree.name, f"millrace-{version}")
        # CMake looks for every source that it names.
        output("cmake", "-S", tree, "-B", folder / "build", "-G", "Ninja", "-DMILLRACE_TESTS=OFF", "-DMILLRACE_BENCH=OFF",
               "-DMILLRACE_CUDA=OFF", "-DMILLRACE_PYTHON_MODULE=ON")


if __name__ == "__main__":
    unittest.main()
