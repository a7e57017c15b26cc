"""Bad input of every kind: one line on stderr that says where, what was expected and what was found; the exit status."""

import gzip
import json
import os
import resource
import struct
import zipfile

import programs
from programs import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, idx


class BadData(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.copy_of_digits()

    def says(self, *expected, status=1, more=()):
        line = self.refuses(status, "--data", self.data, *more)
        for text in expected:
            self.assertIn(str(text), line)

    def write(self, name, content):
        (self.data / name).write_bytes(content)

    def change(self, name, offset, content):
        raw = bytearray((self.data / name).read_bytes())
        raw[offset:offset + len(content)] = content
        self.write(name, raw)

    def test_missing_folder(self):
        self.data = self.top / "nowhere"
        self.says(self.data, "No such file or directory")

    def test_missing_default_folder(self):
        line = self.refuses(1, cwd=self.top / "data")
        self.assertIn("data: there is no such folder; --data names another one", line)

    def test_folder_without_data(self):
        for path in self.data.iterdir():
            path.unlink()
        self.says(self.data, "expected", "found")

    def test_half_a_pair(self):
        (self.data / TRAIN_LABELS).unlink()
        self.says("train", "labels")

    def test_half_a_test_pair(self):
        (self.data / TEST_IMAGES).unlink()
        self.says("t10k", "images")

    def test_wrong_magic(self):
        self.change(TRAIN_IMAGES, 0, b"\x01")
        self.says(self.data / TRAIN_IMAGES, "byte 0", "expected", "found 01 00 08 03")

    def test_unknown_type(self):
        self.change(TRAIN_IMAGES, 2, b"\x07")
        self.says(self.data / TRAIN_IMAGES, "byte 2", "expected", "found", "07")

    def test_dimensions_that_overflow(self):
        self.write(TRAIN_IMAGES, idx(0x0E, [0xFFFFFFFF] * 3, b""))
        self.says(self.data / TRAIN_IMAGES, "expected", "found")

    def test_more_dimensions_than_the_file_has_bytes(self):
        self.write(TRAIN_IMAGES, bytes([0, 0, 8, 255, 0, 0, 0, 1]))
        self.says(self.data / TRAIN_IMAGES, "expected", "found")

    def test_dimensions_beyond_the_file(self):
        # A terabyte: refused before it is asked for.
        self.write(TRAIN_IMAGES, idx(0x08, [1 << 20, 1 << 10, 1 << 10], b"abc"))
        self.says(self.data / TRAIN_IMAGES, "expected", "found")

    def test_truncated(self):
        raw = (self.data / TRAIN_IMAGES).read_bytes()
        self.write(TRAIN_IMAGES, raw[:-1])
        self.says(self.data / TRAIN_IMAGES, "byte", "expected", "found")

    def test_truncated_in_the_header(self):
        self.write(TRAIN_LABELS, b"\0\0\x08\x01\0\0")
        self.says(self.data / TRAIN_LABELS, "byte", "expected", "found")

    def test_trailing_bytes(self):
        self.write(TRAIN_LABELS, (self.data / TRAIN_LABELS).read_bytes() + b"x")
        self.says(self.data / TRAIN_LABELS, "byte", "expected", "found")

    def test_counts_that_differ(self):
        labels = (self.data / TRAIN_LABELS).read_bytes()[8:]
        self.write(TRAIN_LABELS, idx(0x08, [1199], labels[:1199]))
        self.says(self.data / TRAIN_LABELS, "expected 1200", "found 1199")

    def test_test_labels_outside_the_classes(self):
        self.change(TEST_LABELS, 8 + 17, b"\x0b")
        self.says(self.data / TEST_LABELS, "byte 25", "expected", "found", "11")

    def test_a_sample_that_is_not_finite_is_named(self):
        def npy(code, shape, content):
            header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}"
            header += " " * (-(len(header) + 11) % 64) + "\n"
            return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content

        def write():
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("x.npy", npy("<f4", "(200, 4)", struct.pack("<800f", *values)))
                archive.writestr("y.npy", npy("<i8", "(200,)", struct.pack("<200q", *(i % 2 for i in range(200)))))

        path = self.top / "set.npz"
        for value in (float("nan"), float("inf")):
            values = [(i * 7 % 11) / 11 for i in range(200 * 4)]
            values[123 * 4 + 2] = value
            write()
            line = self.refuses(1, "--data", path, "--quiet", "--epochs", "1", "--val-size", "20")
            named = (r"set\.npz[^:]*: sample 123, element 2: expected a number that is finite as float32, "
                     f"found {value}$")
            self.assertRegex(line, named)
            # To a model of sound samples it is no sample of any class either.
            values[123 * 4 + 2] = 0.5
            write()
            done = self.call("--data", path, "--quiet", "--epochs", "1", "--val-size", "20", "--checkpoint-dir",
                             self.top / "ck", "--force")
            self.assertEqual(done.returncode, 0, done.stderr)
            values[123 * 4 + 2] = value
            write()
            done = self.call("evaluate", "--checkpoint", self.top / "ck", "--data", path, "--split", "train")
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertRegex(done.stderr.splitlines()[-1], named)

    def test_label_far_above_the_others_is_warned_of(self):
        self.change(TRAIN_LABELS, 8 + 41, b"\xc8")
        done = self.train("--quiet", "--epochs", "1", "--val-size", "100", data=self.data)
        self.assertRegex(done.stderr, r"\Atrainer: warning: [^\n]+: classes 10 to 199 of 201 have no sample\n\Z")
        checked = self.call("verify", self.data, program=programs.TOOLS)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn(f"{TRAIN_LABELS}: note: classes 10 to 199 of 201 have no sample\n", checked.stdout)

    def test_negative_label(self):
        labels = (self.data / TRAIN_LABELS).read_bytes()[8:]
        self.write(TRAIN_LABELS, idx(0x09, [1200], labels[:5] + b"\xff" + labels[6:]))
        self.says(self.data / TRAIN_LABELS, "byte 13", "expected", "found", "-1")

    def test_test_images_of_another_shape(self):
        self.write(TEST_IMAGES, idx(0x08, [200, 14, 14], bytes(200 * 196)))
        self.says("t10k", "28x28", "14x14")

    def test_is_not_replaced_by_a_slip_of_the_pen(self):
        before = (self.data / TRAIN_LABELS).read_bytes()
        for option in ("--report", "--trace", "--metrics"):
            done = self.call("--data", self.data, "--epochs", "1", "--val-size", "100", option, self.data / TRAIN_LABELS)
            self.assertIn(done.returncode, (1, 2))
            self.assertIn(TRAIN_LABELS, done.stderr)
            self.assertEqual((self.data / TRAIN_LABELS).read_bytes(), before)

    def last_line_where(self, images, happens):
        """Of a run that fails, since `happens()` after its second epoch to what it trains on."""
        run = self.start("--data", images.parent, "--val-size", "200", "--epochs", "1000000")
        for line in run.stdout:
            if line.startswith("Epoch [1]"):
                break
        happens()
        _, errors = run.communicate(timeout=programs.TIMEOUT)
        self.assertEqual(run.returncode, 1)
        return errors.splitlines()[-1]

    def test_cut_short_while_it_trains(self):
        images = self.copy_of_digits("cut") / programs.TRAIN_IMAGES
        line = self.last_line_where(images, lambda: images.write_bytes(b""))
        self.assertEqual(line, f"trainer: {images.resolve()} has become shorter, or its disk fails; what was saved before is whole")

    def test_written_to_while_it_trains(self):
        images = self.copy_of_digits("written") / programs.TRAIN_IMAGES

        def write_some():
            with open(images, "r+b") as file:
                file.seek(2000)
                file.write(bytes(range(256)))

        line = self.last_line_where(images, write_some)
        self.assertIn(f"trainer: {images}: was written to while the run read it: expected training samples of hash ", line)

    def test_empty_set(self):
        self.write(TRAIN_IMAGES, idx(0x08, [0, 28, 28], b""))
        self.write(TRAIN_LABELS, idx(0x08, [0], b""))
        self.says("train", "expected", "found")

    def test_empty_file(self):
        self.write(TRAIN_IMAGES, b"")
        self.says(self.data / TRAIN_IMAGES, "expected", "found")

    def broken_gzip(self, change):
        path = programs.gzipped(self.data / TRAIN_IMAGES)
        path.write_bytes(change(path.read_bytes()))
        self.says(path)

    def test_truncated_gzip(self):
        self.broken_gzip(lambda raw: raw[:len(raw) // 2])

    def test_gzip_of_another_checksum(self):
        self.broken_gzip(lambda raw: raw[:-8] + bytes([raw[-8] ^ 1]) + raw[-7:])

    def test_gzip_with_garbage_behind(self):
        self.broken_gzip(lambda raw: raw + b"garbage")

    def test_gzip_that_is_none(self):
        path = self.data / (TRAIN_IMAGES + ".gz")
        (self.data / TRAIN_IMAGES).unlink()
        path.write_bytes(b"\x1f\x8b\x08\x00" + b"\xff" * 60)
        self.says(path)

    def test_gzip_bomb_is_refused_by_its_header(self):
        path = self.data / (TRAIN_IMAGES + ".gz")
        (self.data / TRAIN_IMAGES).unlink()
        path.write_bytes(gzip.compress(idx(0x08, [10, 28, 28], bytes(50_000_000))))
        self.says(path, "expected", "found")

    def test_zstd_that_is_none(self):
        path = self.data / (TRAIN_IMAGES + ".zst")
        (self.data / TRAIN_IMAGES).unlink()
        path.write_bytes(b"\x28\xb5\x2f\xfd" + b"\xff" * 60)
        self.says(path)

    def test_validation_takes_all(self):
        self.says("--val-size: expected fewer than the 1200 samples", "found 1200", status=2, more=["--val-size", "1200"])


class BadOptions(programs.ProgramTest):
    def test_values(self):
        for option, value in (("--batch", "0"), ("--lr", "nan"), ("--lr", "inf"), ("--lr", "-0.1"), ("--momentum", "-1"),
                              ("--momentum", "nan"), ("--weight-decay", "-1e-4"), ("--weight-decay", "inf"),
                              ("--epochs", "-1"), ("--epochs", "many"), ("--seed", "18446744073709551616"),
                              ("--hidden", "0"), ("--hidden", "32,,32"), ("--threads", "0"), ("--slots", "0"),
                              ("--keep", "0"), ("--device", "gpu"), ("--precision", "fp64"), ("--shuffle", "perhaps"),
                              ("--residency", "disk"), ("--val-size", "-5"), ("--chunk-batches", "x")):
            for arguments in ([option, value], [f"{option}={value}"]):
                with self.subTest(arguments):
                    line = self.refuses(2, "--data", self.digits, *arguments)
                    self.assertTrue(line.startswith(f"trainer: {option}: expected "), line)
                    self.assertRegex(line, r", found .*\(see trainer --help\)$")

    def test_unknown_option_suggests_the_near_one(self):
        for wrong, right in (("--epoch", "--epochs"), ("--learning", ""), ("--momentun", "--momentum"),
                             ("--checkpoints-dir", "--checkpoint-dir"), ("--batch-size", "--batch")):
            with self.subTest(wrong):
                line = self.refuses(2, "--data", self.digits, wrong, "3")
                self.assertIn(f"unknown option {wrong}" + (f"; did you mean {right}?" if right else " ("), line)

    def test_stray_and_missing(self):
        self.assertIn("unexpected argument 'mnist'", self.refuses(2, "mnist"))
        self.assertIn("--epochs: expected a value, found none", self.refuses(2, "--epochs"))


class BadCheckpoints(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.arguments = ["--data", self.digits, "--val-size", "200", "--epochs", "2", "--hidden", "16"]
        done = self.call(*self.arguments, "--checkpoint-dir", "c")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.last = self.top / "c/last.safetensors"

    def says(self, *expected, more, arguments=None, status=1):
        line = self.refuses(status, *(arguments or self.arguments), *more)
        for text in expected:
            self.assertIn(str(text), line)

    def test_of_another_model(self):
        self.says("c/last.safetensors", "hidden: checkpoint 16, this run 8",
                  more=["--hidden", "8", "--checkpoint-dir", "c", "--resume"])

    def test_of_another_run(self):
        self.says("seed: checkpoint 0, this run 4", "batch: checkpoint 128, this run 64",
                  more=["--seed", "4", "--batch", "64", "--resume", "c/last.safetensors"])

    def test_of_another_data_set(self):
        other = self.top / "other"
        self.call("synth", other, "--count", "1200", "--test-count", "200", "--seed", "9", program=programs.TOOLS)
        self.says("data set", more=["--data", other, "--resume", "c/last.safetensors"])

    def test_init_of_another_model(self):
        self.says("c/last.safetensors", "0.weight", "expected", "found",
                  more=["--hidden", "8", "--init", "c/last.safetensors"])

    def test_truncated(self):
        raw = self.last.read_bytes()
        for length in (0, 4, 8, 100, len(raw) - 1):
            with self.subTest(length):
                self.last.write_bytes(raw[:length])
                self.says("c/last.safetensors", more=["--resume", "c/last.safetensors"])

    def test_lying_header(self):
        raw = self.last.read_bytes()
        size = struct.unpack("<Q", raw[:8])[0]
        for lie in (b"\xff" * 8 + raw[8:], struct.pack("<Q", size + 1) + raw[8:], raw[:8] + b"[" + raw[9:],
                    raw.replace(b'"F32"', b'"F64"', 1), raw[:-1] + bytes([raw[-1] ^ 1])):
            self.last.write_bytes(lie)
            self.says("c/last.safetensors", more=["--resume", "c/last.safetensors"])
        header = json.dumps({"w": {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 16]}}).encode()
        self.last.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
        self.says("c/last.safetensors", more=["--init", "c/last.safetensors"])

    def test_missing(self):
        self.says("none.safetensors", "No such file", more=["--resume", "none.safetensors"])
        self.says("none.safetensors", "No such file", more=["--init", "none.safetensors"])

    def test_folder_that_is_a_file(self):
        (self.top / "file").touch()
        self.says("file", more=["--checkpoint-dir", "file"])
        self.says("file/c", more=["--checkpoint-dir", "file/c"])

    def test_folder_that_takes_no_files(self):
        self.says("/proc", more=["--checkpoint-dir", "/proc"])

    def test_folder_that_cannot_be_written(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        (self.top / "locked").mkdir(mode=0o500)
        self.says("locked", "Permission denied", more=["--checkpoint-dir", "locked"])

    def test_disk_full_keeps_the_old_ones(self):
        before = {path.name: path.read_bytes() for path in (self.top / "c").iterdir()}

        def no_room():  # a limit in place of a full disk: write() fails in mid-file the same way
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

        done = self.call(*self.arguments, "--epochs", "3", "--checkpoint-dir", "c", "--resume", preexec=no_room)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertRegex(done.stderr, r"c/(best|last)\.safetensors: .*File too large")
        self.assertEqual({path.name: path.read_bytes() for path in (self.top / "c").iterdir()}, before)
        self.assertEqual(self.call(*self.arguments, "--epochs", "3", "--checkpoint-dir", "c", "--resume").returncode, 0)

    def test_divergence_keeps_the_old_ones(self):
        before = {path.name: path.read_bytes() for path in (self.top / "c").iterdir()}
        done = self.call(*self.arguments, "--epochs", "9", "--lr", "1e30", "--checkpoint-dir", "c", "--resume")
        self.assertEqual(done.returncode, 3)
        lines = [line for line in done.stderr.splitlines() if "note:" not in line]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], r"^trainer: training diverged at step \d+ \(epoch \d+\)")
        self.assertEqual({path.name: path.read_bytes() for path in (self.top / "c").iterdir()}, before)


if __name__ == "__main__":
    programs.main()
