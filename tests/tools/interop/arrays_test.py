"""Arrays, tables and archives that NumPy and Python's own libraries wrote, as tools inspect sees them.

Run as: arrays_test.py TRAINER TOOLS. Skipped without the package numpy.
"""

import csv
import io
import json
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE.parents[2] / "support")]
import interop  # noqa: E402
import programs  # noqa: E402

(np,) = interop.packages("numpy")


class Arrays(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(7)
        self.x = self.random.integers(0, 256, (60, 5, 4), dtype=np.uint8)
        self.y = np.arange(60) % 7

    def inspect(self, name):
        done = self.call("inspect", name, "--json", program=programs.TOOLS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["train"]

    def expect(self, found, x, y):
        self.assertEqual(found["samples"], len(y))
        self.assertEqual(found["shape"], list(x.shape[1:]))
        self.assertEqual(found["dtype"], x.dtype.newbyteorder("=").name)
        self.assertEqual(found["histogram"], np.bincount(y.astype(int).ravel()).tolist())
        wide = x.astype(np.float64)
        self.assertAlmostEqual(found["statistics"]["mean"], wide.mean(), delta=1e-4 * (1 + abs(wide.mean())))
        self.assertAlmostEqual(found["statistics"]["std"], wide.std(), delta=1e-4 * (1 + wide.std()))

    def test_npy_of_every_type_and_order(self):
        folder = self.top / "in"
        folder.mkdir()
        for dtype in ("u1", "i1", "<u2", ">i2", "<i4", ">u4", "<i8", ">u8", "<f2", ">f4", "<f8", ">f8"):
            for order in "CF":
                x = np.array(self.x % 100, dtype=dtype, order=order)
                np.save(folder / "x_train.npy", x)
                np.save(folder / "y_train.npy", self.y.astype(dtype if "f2" not in dtype else "i8"))
                with self.subTest(dtype=dtype, order=order):
                    self.expect(self.inspect("in"), x, self.y)

    def test_samples_stay_in_their_order(self):
        hashes = set()
        for order in "CF":
            np.savez(self.top / f"{order}.npz", x=np.array(self.x, order=order), y=self.y)
            np.savez_compressed(self.top / f"{order}c.npz", self.x, self.y.reshape(-1, 1))
            hashes |= {self.inspect(f"{order}.npz")["hash"], self.inspect(f"{order}c.npz")["hash"]}
        self.assertEqual(len(hashes), 1)

    def test_csv(self):
        flat = self.x.reshape(60, -1)
        with open(self.top / "a.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow(["label"] + [f"pixel{i}" for i in range(20)])
            writer.writerows([label, *row] for label, row in zip(self.y, flat))
        self.expect(self.inspect("a.csv"), flat, self.y)
        real = (flat / 255).astype(np.float32)
        np.savetxt(self.top / "b.csv", np.column_stack([self.y, real]), delimiter=",", fmt="%.9g")
        self.expect(self.inspect("b.csv"), real, self.y)

    def test_tar(self):
        for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            for packed in ("", "gz"):
                name = f"train-{form}.tar" + (".gz" if packed else "")
                with tarfile.open(self.top / name, f"w:{packed}", format=form) as archive:
                    for i, (sample, label) in enumerate(zip(self.x, self.y)):
                        array = io.BytesIO()
                        np.save(array, sample)
                        for kind, content in (("npy", array.getvalue()), ("cls", str(label).encode())):
                            member = tarfile.TarInfo(f"{'d' * 90}/{i:020}.{kind}")
                            member.size = len(content)
                            archive.addfile(member, io.BytesIO(content))
                with self.subTest(name=name):
                    self.expect(self.inspect(name), self.x, self.y)

    def test_objects_are_refused(self):
        np.savez(self.top / "o.npz", x=np.array([{"a": 1}], dtype=object), y=self.y)
        done = self.call("inspect", "o.npz", program=programs.TOOLS)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Python objects", done.stderr)


if __name__ == "__main__":
    programs.main()
