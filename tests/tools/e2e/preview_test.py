"""tools preview, as users run it: the PNG file is decoded again, the text measured."""

import json
import struct
import zlib
from pathlib import Path

import programs
from programs import ProgramTest, environment


def decode_png(path):
    """Width, height, channels and rows of an unfiltered 8-bit PNG file."""
    raw = Path(path).read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    at, data = 8, b""
    while at < len(raw):
        length, kind = struct.unpack(">I4s", raw[at:at + 8])
        content = raw[at + 8:at + 8 + length]
        assert struct.unpack(">I", raw[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + content)
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", content[:10])
        data += content if kind == b"IDAT" else b""
        at += 12 + length
    channels = {0: 1, 2: 3}[colour]
    pixels = zlib.decompress(data)
    step = width * channels + 1
    return width, height, channels, [pixels[y * step + 1:(y + 1) * step] for y in range(height)]


class Preview(ProgramTest):
    def preview(self, *arguments, **how):
        done = self.call("preview", *arguments, program=programs.TOOLS, **how)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def refused(self, status, *arguments):
        done = self.call("preview", *arguments, program=programs.TOOLS)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stderr

    def test_the_grid_holds_the_samples(self):
        grid = self.top / "grid.png"
        done = self.preview(self.digits, "-o", grid, "--count", "10", "--columns", "4", "--zoom", "2")
        width, height, channels, rows = decode_png(grid)
        self.assertEqual((width, height, channels), (4 * 58 + 2, 3 * 68 + 2, 1))
        self.assertIn(f"{grid}: 10 pictures of 10 samples of ", done.stdout)
        raw = (self.digits / programs.TRAIN_IMAGES).read_bytes()[16:]
        for i in range(10):
            left, top = i % 4 * 58 + 2, i // 4 * 68 + 2
            for y in range(56):
                row = rows[top + y][left:left + 56]
                sample = raw[i * 784 + y // 2 * 28:][:28]
                self.assertEqual(row, bytes(p for p in sample for _ in range(2)))

    def test_json(self):
        done = self.preview(self.digits, "-o", "g.png", "--class", "3", "--count", "5", "--shuffle", "--split", "test",
                            "--json")
        found = json.loads(done.stdout)
        labels = (self.digits / programs.TEST_LABELS).read_bytes()[8:]
        self.assertEqual(len(found["samples"]), 5)
        for sample in found["samples"]:
            self.assertEqual((sample["label"], sample["class"], labels[sample["sample"]]), (3, "3", 3))
        self.assertEqual((found["width"], found["height"]), decode_png(self.top / "g.png")[:2])

    def test_augmented(self):
        self.preview(self.digits, "-o", "g.png", "--rotate", "20", "--count", "3", "--columns", "5", "--zoom", "1")
        width, height, _, rows = decode_png(self.top / "g.png")
        self.assertEqual((width, height), (5 * 30 + 2, 3 * 40 + 2))
        tiles = {b"".join(rows[2 + y][left:left + 28] for y in range(28)) for left in range(2, width - 28, 30)}
        self.assertEqual(len(tiles), 5)

    def test_text_fits_the_terminal(self):
        for columns, env, dense in ((80, {}, "@%#"), (33, {}, "@%#"), (80, {"LC_ALL": "C.UTF-8"}, "█")):
            done = self.preview(self.digits, "--ascii", env=environment(COLUMNS=str(columns), **env))
            lines = done.stdout.splitlines()
            self.assertLessEqual(max(map(len, lines)), columns)
            self.assertTrue(any(c in done.stdout for c in dense), done.stdout)

    def test_replaces_nothing_without_force(self):
        kept = self.top / "kept.png"
        kept.write_text("mine")
        self.assertIn("is there already; --force replaces it", self.refused(1, self.digits, "-o", kept))
        self.assertEqual(kept.read_text(), "mine")
        self.preview(self.digits, "-o", kept, "--force")
        decode_png(kept)
        self.assertEqual([p.name for p in self.top.iterdir()], ["kept.png"])

    def test_refuses(self):
        self.assertIn("expected -o FILE or --ascii, found neither", self.refused(2, self.digits))
        self.assertIn("expected a folder or file", self.refused(2, "--ascii"))
        self.assertIn("expected train, validation or test, found", self.refused(2, self.digits, "--ascii", "--split", "dev"))
        self.assertIn("expected a class: 0, 1,", self.refused(1, self.digits, "--ascii", "--class", "11"))
        self.assertIn("--columns: expected 2", self.refused(2, self.digits, "--ascii", "--shift", "1", "--columns", "1"))
        self.assertIn("expected a grid of at most", self.refused(2, self.digits, "-o", "g.png", "--count", "1000", "--zoom",
                                                                 "64"))
        self.assertIn("No such file", self.refused(1, self.digits, "-o", "nowhere/g.png"))
        self.assertIn("expected a name that ends in .png", self.refused(2, self.digits, "-o", "g.jpg"))
        for words, expected in ((["--seed", "0", "--ascii"], "--seed: expected --shuffle or augmentation with it, found neither"),
                                (["--ascii", "--zoom", "2"], "--zoom: expected -o FILE with it, found none"),
                                (["--ascii", "--force"], "--force: expected -o FILE with it, found none"),
                                (["--ascii", "--json"], "--json and --ascii: expected one of them, found both"),
                                (["--ascii", "--elastic-sigma", "4"], "--elastic-sigma: expected --elastic with it, found none")):
            self.assertIn("tools preview: " + expected, self.refused(2, self.digits, *words))
        (self.top / "here").mkdir()
        for force in ((), ("--force",)):
            self.assertIn("here: expected a file to write, found a folder",
                          self.refused(1, self.digits, "-o", "here", *force))


if __name__ == "__main__":
    programs.main()
