"""cmake --install, and what users build on it: find_package(millrace), the examples, the installed programs.

Run as: install_test.py CMAKE BUILD_FOLDER GENERATOR COMPILER
"""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CMAKE, BUILD, GENERATOR, COMPILER = (sys.argv.pop(1) for _ in range(4))


def call(*command, **how):
    return subprocess.run([*map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400,
                          check=False, **how)


class Install(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="millrace-install-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.top = Path(folder)
        cls.staged = cls.top / "staged"
        cls.must(CMAKE, "--install", BUILD, "--prefix", cls.staged)
        # What was installed works wherever it is moved.
        cls.prefix = (cls.top / "moved here").resolve()
        cls.staged.rename(cls.prefix)
        cls.must(CMAKE, "-S", ROOT / "examples", "-B", cls.top / "examples", "-G", GENERATOR,
                 f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror",
                 f"-DCMAKE_PREFIX_PATH={cls.prefix}")
        cls.must(CMAKE, "--build", cls.top / "examples")
        cls.digits = cls.top / "digits"
        cls.must(cls.prefix / "bin/tools", "synth", cls.digits, "--count", "6000", "--test-count", "1000")

    @classmethod
    def must(cls, *command, **how):
        done = call(*command, **how)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def run_example(self, name, *arguments):
        done = self.must(self.top / "examples" / name, *arguments)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def test_a_python_package_that_was_built_is_there(self):
        names = [sorted(path.name for path in folder.glob("millrace/*") if path.is_file())
                 for folder in (Path(BUILD) / "python", *self.prefix.glob("lib/python3.*/site-packages"))]
        self.assertIn(names, ([[]], [names[0]] * 2))

    def test_a_wheel_gets_the_python_package_alone(self):
        if not (Path(BUILD) / "python/millrace").exists():
            self.skipTest("the build has no Python package")
        folder = self.top / "wheel"
        self.must(CMAKE, "--install", BUILD, "--prefix", folder, "--component", "python")
        self.assertEqual({path.parent.name for path in folder.rglob("*") if path.is_file()}, {"millrace"})
        self.assertTrue(list(folder.rglob("py.typed")))

    def test_30_lines_train_as_the_trainer_does(self):
        out = self.run_example("train_minimal", self.digits)
        self.assertEqual([int(n) for n in re.findall(r"^Epoch \[(\d)\], val_acc: 0\.\d{4}$", out, re.MULTILINE)],
                         list(range(10)))
        accuracy = float(re.search(r"^Test accuracy: (\S+)$", out, re.MULTILINE)[1])
        self.assertGreater(accuracy, 0.8)
        ours = self.must(self.prefix / "bin/trainer", "--data", self.digits, "--val-size", "1000").stdout
        self.assertEqual(re.findall(r"^Weights: .*$", out, re.MULTILINE), re.findall(r"^Weights: .*$", ours, re.MULTILINE))
        self.assertLessEqual(len((ROOT / "examples/train_minimal.cpp").read_text(encoding="utf-8").splitlines()), 35)

    def test_the_loader_feeds_a_loop_of_ones_own(self):
        out = self.run_example("your_own_loop", self.digits, "4")
        accuracies = re.findall(r"^Epoch \[\d\], test_acc: (0\.\d{4})$", out, re.MULTILINE)
        self.assertEqual(len(accuracies), 4)
        self.assertGreater(float(accuracies[-1]), 0.6)
        self.assertEqual(out, self.run_example("your_own_loop", self.digits, "4"))

    def test_examples_say_what_is_wrong(self):
        for name in ("train_minimal", "your_own_loop"):
            done = call(self.top / "examples" / name, self.top / "nowhere")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, rf"^{name}: .*nowhere.*\n$")

    def test_installs_what_is_public(self):
        include = self.prefix / "include/millrace"
        headers = {p.relative_to(include).as_posix() for p in include.rglob("*") if p.is_file()}
        for expected in ("formats/dataset.h", "compute/engine.h", "loader/loader.h", "train/trainer.h"):
            self.assertIn(expected, headers)
        for header in headers:
            self.assertRegex(header, r"^(formats|compute|loader|train)/[a-z0-9_]+\.h$")
            for line in (include / header).read_text(encoding="utf-8").splitlines():
                if line.startswith('#include "'):
                    self.assertIn(line.split('"')[1], headers, f"{header} includes what is not installed")
        self.assertEqual(sorted(p.name for p in (self.prefix / "bin").iterdir()), ["tools", "trainer"])
        for path in ("share/millrace/recipes/tutorial.toml", "share/doc/millrace/README.md",
                     "share/doc/millrace/docs/architecture.md", "share/doc/millrace/examples/CMakeLists.txt"):
            self.assertTrue((self.prefix / path).is_file(), path)

    def test_names_no_folder_of_the_build(self):
        for path in self.prefix.rglob("*.cmake"):
            text = path.read_text(encoding="utf-8")
            for folder in (str(ROOT), BUILD, str(self.staged)):
                self.assertNotIn(folder, text, path)

    def test_is_found_by_version(self):
        for version, found in (("0.1", True), ("0.1.0", True), ("0.2", False), ("1", False)):
            (self.top / "ask").mkdir(exist_ok=True)
            (self.top / "ask/CMakeLists.txt").write_text(
                "cmake_minimum_required(VERSION 3.22)\nproject(ask LANGUAGES CXX)\n"
                f"find_package(millrace {version} REQUIRED)\n", encoding="utf-8")
            done = call(CMAKE, "-S", self.top / "ask", "-B", self.top / f"ask-{version}", "-G", GENERATOR,
                        f"-DCMAKE_CXX_COMPILER={COMPILER}", f"-DCMAKE_PREFIX_PATH={self.prefix}")
            self.assertEqual(done.returncode == 0, found, done.stderr)


if __name__ == "__main__":
    unittest.main()
