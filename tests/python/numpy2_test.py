"""The package's tests with NumPy 2, whose types lie in memory in another way than those of NumPy 1."""

import pathlib
import subprocess
import sys
import unittest

import interop

# An environment of its own, or one beside that of the other tests, whose PyTorch may want an older NumPy.
PLACES = [pathlib.Path(__file__).resolve().parents[2] / "build/numpy2", pathlib.Path(sys.prefix).parent / "numpy2"]
PYTHON = next((place / "bin/python" for place in PLACES if (place / "bin/python").exists()), None)
if PYTHON is None:
    interop.without(f"no {PLACES[0]}, which scripts/install_python.sh numpy2 makes")


class NumPy2Test(unittest.TestCase):
    def check(self, name):
        done = subprocess.run([PYTHON, "-B", pathlib.Path(__file__).with_name(f"{name}_test.py")], text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stderr, r"Ran \d\d tests")

    def test_it_is_another_numpy(self):
        version = subprocess.check_output([PYTHON, "-c", "import numpy; print(numpy.__version__)"], text=True)
        self.assertEqual(version.partition(".")[0], "2")

    def test_the_loader(self):
        self.check("module")

    def test_training(self):
        self.check("train")

    def test_regression(self):
        self.check("regression")


if __name__ == "__main__":
    unittest.main()
