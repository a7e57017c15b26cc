"""trainer export against ONNX's own checker and ONNX Runtime: the same outputs as the trainer's own engine.

Run as: onnx_test.py TRAINER TOOLS. Exits with 77, which CTest shows as skipped, where the packages onnx, onnxruntime
and numpy are not installed.
"""

import json
import struct
import sys
from pathlib import Path

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
import programs  # noqa: E402


def tensors(path):
    raw = Path(path).read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + size])
    types = {"F32": "<f4", "I32": "<i4", "U64": "<u8"}
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            found[name] = numpy.frombuffer(raw[8 + size + begin:8 + size + end], types[entry["dtype"]]).reshape(entry["shape"])
    return found


class Onnx(programs.ProgramTest):
    def exported(self, *arguments):
        done = self.call("export", "--checkpoint", "c/last.safetensors", "--onnx", "m.onnx", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        model = onnx.load(self.top / "m.onnx")
        onnx.checker.check_model(model, full_check=True)
        return onnxruntime.InferenceSession(str(self.top / "m.onnx"), providers=["CPUExecutionProvider"])

    def test_gives_our_outputs(self):
        raw = (self.digits / programs.TEST_IMAGES).read_bytes()
        images = numpy.frombuffer(raw[16:], numpy.uint8).reshape(-1, 28, 28)
        for hidden in ("none", "32", "48,16"):
            self.train("--epochs", "2", "--hidden", hidden, "--checkpoint-dir", "c")
            done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.digits, "--outputs",
                             "o.safetensors", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            ours = tensors(self.top / "o.safetensors")
            self.assertEqual(ours["samples"].tolist(), list(range(200)))
            logits = ours["logits"].astype(numpy.float64)
            shares = numpy.exp(logits - logits.max(1, keepdims=True))
            expected = {"logits": logits, "probabilities": shares / shares.sum(1, keepdims=True)}
            for kind, type_name in (("uint8", numpy.uint8), ("float", numpy.float32)):
                for output, values in expected.items():
                    with self.subTest(hidden=hidden, input=kind, output=output):
                        session = self.exported("--input", kind, "--output", output)
                        (found,) = session.run([output], {"samples": images.astype(type_name)})
                        self.assertEqual(found.shape, (200, 10))
                        self.assertLess(abs(found - values).max(), 1e-5)
                        (one,) = session.run(None, {"samples": images[:1].astype(type_name)})
                        self.assertLess(abs(one - values[:1]).max(), 1e-5)
            accuracy = (logits.argmax(1) == ours["labels"]).mean()
            self.assertEqual(accuracy, json.loads(done.stdout)["accuracy"])


if __name__ == "__main__":
    programs.main()
