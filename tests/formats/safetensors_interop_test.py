"""Millrace's safetensors files against the format's own Python package, in both directions.

Run as: safetensors_interop_test.py PATH_OF_safetensors_echo. Skipped without the packages safetensors, numpy and torch.
"""

import json
import random
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import interop  # noqa: E402

numpy, safetensors, torch, *_ = interop.packages("numpy", "safetensors", "torch", "safetensors.numpy", "safetensors.torch")

ECHO = sys.argv.pop(1)
TYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"]


def some_tensors():
    draw = numpy.random.default_rng(0)
    tensors = {}
    for number, name in enumerate(TYPES):
        for shape in [(), (7,), (3, 5), (2, 0, 4), (1, 2, 3, 4)]:
            values = draw.integers(0, 2 if name == "bool" else 100, shape)
            tensors[f"{number}.{name}.{len(shape)}"] = numpy.asarray(values).astype(name)
    return tensors


def raw_file(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class Interop(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.theirs = self.folder / "theirs.safetensors"
        self.ours = self.folder / "ours.safetensors"

    def copy(self, source, target):
        subprocess.run([ECHO, "copy", source, target], check=True)

    def check(self, files):
        done = subprocess.run([ECHO, "check", *files], check=True, capture_output=True, encoding="utf-8")
        return done.stdout.splitlines()

    def metadata_of(self, path):
        with safetensors.safe_open(path, framework="numpy") as file:
            return file.metadata()

    def test_every_type_goes_there_and_back(self):
        tensors = some_tensors()
        metadata = {"format": "np", "note": 'line\n"quoted" …'}
        safetensors.numpy.save_file(tensors, self.theirs, metadata=metadata)
        self.copy(self.theirs, self.ours)
        loaded = safetensors.numpy.load_file(self.ours)
        self.assertEqual(set(loaded), set(tensors))
        for name, expected in tensors.items():
            self.assertEqual(loaded[name].dtype, expected.dtype, name)
            self.assertEqual(loaded[name].shape, expected.shape, name)
            self.assertEqual(loaded[name].tobytes(), expected.tobytes(), name)
        kept = self.metadata_of(self.ours)
        self.assertEqual(len(kept.pop("millrace.xxh3")), 32)
        self.assertEqual(kept, metadata)

    def test_the_hash_stands_a_rewrite_by_others(self):
        # Their writer orders tensors and keys its own way: equal content must still verify.
        safetensors.numpy.save_file(some_tensors(), self.theirs, metadata={"b": "1", "a": "2"})
        self.copy(self.theirs, self.ours)
        again = self.folder / "again.safetensors"
        tensors = safetensors.numpy.load_file(self.ours)
        safetensors.numpy.save_file(tensors, again, metadata=self.metadata_of(self.ours))
        self.assertEqual(self.check([again]), ["ok"])
        tensors["10.float32.1"][0] += 1
        safetensors.numpy.save_file(tensors, again, metadata=self.metadata_of(self.ours))
        self.assertIn("the file was damaged or changed", self.check([again])[0])

    def test_torch_loads_it_in_one_call(self):
        model = torch.nn.Sequential(torch.nn.Linear(5, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
        state = dict(model.state_dict(), brain=torch.arange(6).reshape(2, 3).to(torch.bfloat16))
        safetensors.torch.save_file(state, self.theirs)
        self.copy(self.theirs, self.ours)
        loaded = safetensors.torch.load_file(self.ours)
        self.assertEqual(set(loaded), set(state))
        for name, expected in state.items():
            self.assertTrue(torch.equal(loaded[name], expected), name)
        del loaded["brain"]
        model.load_state_dict(loaded)

    def test_what_they_refuse_we_refuse(self):
        entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
        cases = [
            b"", b"1234567", raw_file(b""), raw_file(b"[]"), raw_file(b"{"), raw_file(b'{"a":1}'), raw_file(b"{}x"),
            raw_file(b'{"\xff":1}'), raw_file({}, b"x"), struct.pack("<Q", 2**63) + b"{}", struct.pack("<Q", 3) + b"{}",
            raw_file({"a": dict(entry, shape=[3])}, bytes(8)), raw_file({"a": dict(entry, dtype="F99")}, bytes(8)),
            raw_file({"a": dict(entry, shape=[-2])}, bytes(8)), raw_file({"a": dict(entry, shape=[2.0])}, bytes(8)),
            raw_file({"a": dict(entry, data_offsets=[8, 0])}, bytes(8)),
            raw_file({"a": dict(entry, data_offsets=[1, 9])}, bytes(9)),
            raw_file({"a": dict(entry, shape=[2**62, 16], data_offsets=[0, 0])}),
            raw_file({"a": entry}, bytes(7)), raw_file({"a": entry}, bytes(9)),
            raw_file({"a": entry, "b": entry}, bytes(8)), raw_file({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)),
            raw_file({"__metadata__": {"k": 1}}), raw_file({"__metadata__": []}),
        ]
        good = raw_file({"__metadata__": {"k": "v"}, "a": entry, "b": dict(entry, data_offsets=[8, 16])}, bytes(16))
        draw = random.Random(0)
        for _ in range(2000):
            damaged = bytearray(good)
            for _ in range(draw.randint(1, 3)):
                damaged[draw.randrange(len(damaged) - 16)] = draw.choice(b'0123456789{}[]",:abF \x00\xff')
            cases.append(bytes(damaged[: draw.choice([len(damaged), draw.randrange(len(damaged))])]))
        files = []
        for number, case in enumerate([good, *cases]):
            files.append(self.folder / str(number))
            files[-1].write_bytes(case)
        ours = self.check(files)
        self.assertEqual(len(ours), len(files))
        self.assertEqual(ours[0], "ok")
        refused = 0
        for path, verdict in zip(files[1:], ours[1:]):
            try:
                safetensors.numpy.load_file(path)
            except Exception:  # noqa: BLE001: theirs has several kinds
                refused += 1
                self.assertNotEqual(verdict, "ok", path.read_bytes())
        self.assertGreater(refused, 1000)


if __name__ == "__main__":
    unittest.main()
