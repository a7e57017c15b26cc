"""trainer export as users run it. What the file computes is tested where ONNX Runtime is installed."""

import programs


class Export(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.train("--epochs", "1", "--checkpoint-dir", "c")

    def export(self, *arguments):
        return self.call("export", "--checkpoint", "c/last.safetensors", *arguments)

    def test_says_what_it_wrote(self):
        done = self.export("--onnx", "m.onnx")
        size = (self.top / "m.onnx").stat().st_size
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"m.onnx: 784-32-10, {size} bytes\nInput: samples, a batch of 28x28 uint8\n"
                                      "Output: probabilities, 10 of each\n")
        self.assertGreater(size, 25450 * 4)
        self.assertLess(size, 25450 * 4 + 1500)

    def test_leaves_nothing_half_written(self):
        (self.top / "m.onnx").write_bytes(b"\x08older")
        limit = f"ulimit -f 20; exec '{programs.TRAINER}' export --checkpoint c/last.safetensors --onnx m.onnx"
        done = self.call("-c", f"trap '' XFSZ; {limit}", program="/bin/bash")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("trainer export: m.onnx: cannot write", done.stderr)
        self.assertEqual((self.top / "m.onnx").read_bytes(), b"\x08older")
        self.assertEqual(sorted(p.name for p in self.top.iterdir()), ["c", "m.onnx"])

    def test_refuses_bad_usage(self):
        for arguments, expected in [
                (["--onnx", "m.onnx", "--input", "int8"], "--input: expected uint8 or float, found 'int8'"),
                (["--onnx", "m.onnx", "--output", "x"], "--output: expected probabilities or logits, found 'x'"),
                ([], "--onnx: expected a file, found none")]:
            line = self.refuses(2, "export", "--checkpoint", "c/last.safetensors", *arguments)
            self.assertEqual(line, f"trainer export: {expected} (see trainer export --help)")
        self.assertIn("none/m.onnx: cannot ", self.refuses(1, "export", "--checkpoint", "c/last.safetensors", "--onnx",
                                                            "none/m.onnx"))


if __name__ == "__main__":
    programs.main()
