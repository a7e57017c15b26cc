"""trainer predict as users run it: image files in, classes with probabilities out."""

import json
import struct
import zlib

import programs


def png(rows):
    """A grey 8-bit PNG (https://www.w3.org/TR/png/)."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


class Predict(programs.ProgramTest):
    def trained(self):
        return self.summary("--epochs", "2", "--val-size", "200", "--checkpoint-dir", "c", "--batch-norm", "on")

    def pictures(self, count=200):
        """The test set's images and labels."""
        images = (self.digits / programs.TEST_IMAGES).read_bytes()[16:]
        labels = (self.digits / programs.TEST_LABELS).read_bytes()[8:]
        return [[images[(i * 28 + y) * 28:(i * 28 + y + 1) * 28] for y in range(28)] for i in range(count)], labels

    def predict(self, *arguments):
        done = self.call("predict", "--checkpoint", "c/last.safetensors", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_is_as_right_as_evaluate(self):
        summary = self.trained()
        pictures, labels = self.pictures()
        folder = self.top / "pictures"
        folder.mkdir()
        for i, rows in enumerate(pictures):
            # Every other one as on paper: dark on light.
            (folder / f"{i:03}.png").write_bytes(png([bytes(255 - v for v in row) if i % 2 else row for row in rows]))
        lines = [json.loads(line) for line in self.predict("--json", folder).splitlines()]
        self.assertEqual([line["image"] for line in lines], [str(folder / f"{i:03}.png") for i in range(200)])
        right = sum(line["top"][0]["class"] == labels[i] for i, line in enumerate(lines))
        self.assertEqual(right / 200, summary["test_acc"])
        for line in lines:
            shares = [guess["probability"] for guess in line["top"]]
            self.assertEqual(shares, sorted(shares, reverse=True))
            self.assertLessEqual(sum(shares), 1.0 + 1e-9)

    def test_leaves_pictures_as_a_model_of_dark_on_light_knows_them(self):
        data = self.copy_of_digits("paper")
        for name in (programs.TRAIN_IMAGES, programs.TEST_IMAGES):
            content = (data / name).read_bytes()
            (data / name).write_bytes(content[:16] + bytes(255 - v for v in content[16:]))
        summary = self.summary("--epochs", "8", "--val-size", "200", "--optimizer", "adam", "--lr", "0.003",
                               "--checkpoint-dir", "c", data=data)
        self.assertGreater(summary["test_acc"], 0.4)
        pictures, labels = self.pictures()
        folder = self.top / "pictures"
        folder.mkdir()
        for i, rows in enumerate(pictures):
            (folder / f"{i:03}.png").write_bytes(png([bytes(255 - v for v in row) for row in rows]))
        lines = [json.loads(line) for line in self.predict("--json", folder).splitlines()]
        right = sum(line["top"][0]["class"] == labels[i] for i, line in enumerate(lines))
        self.assertEqual(right / 200, summary["test_acc"])

    def test_tells_people(self):
        self.trained()
        (self.top / "one.png").write_bytes(png(self.pictures(1)[0][0]))
        text = self.predict("--top", "2", "one.png")
        self.assertRegex(text, r"\Aone\.png:(  \d \(\d+\.\d\d %\)){2}\n\Z")

    def test_calls_classes_by_the_names_of_their_folders(self):
        names = ["zero", "one", "two"]
        pictures, labels = self.pictures()
        for name in names:
            (self.top / "data" / name).mkdir(parents=True)
        for i, rows in enumerate(pictures):
            if labels[i] < len(names):
                (self.top / "data" / names[labels[i]] / f"{i}.png").write_bytes(png(rows))
        self.train("--epochs", "30", "--batch", "8", "--val-size", "10", "--checkpoint-dir", "c", data="data")
        one = next((self.top / "data" / "one").iterdir())
        self.assertRegex(self.predict("--top", "2", one), r"/one/\d+\.png:  one \(.* %\)  (zero|two) \(.* %\)\n\Z")
        guess = json.loads(self.predict("--json", one))["top"][0]
        self.assertEqual((guess["class"], guess["name"]), (0, "one"))
        evaluation = ["evaluate", "--checkpoint", "c/last.safetensors", "--data", "data", "--split", "train"]
        self.assertRegex(self.call(*evaluation).stdout, r"(?m)^  one +[\d.]+ +[\d.]+ +[\d.]+ +\d+$")
        # What "two" was is not what "three" is, though both are the last but one by name.
        (self.top / "data" / "two").rename(self.top / "data" / "three")
        self.assertIn("data/three: expected one of the 3 classes of the training set", self.refuses(1, *evaluation))

    def test_tells_of_good_images_beside_bad_ones(self):
        self.trained()
        picture = png(self.pictures(1)[0][0])
        for name, content in (("a.png", picture), ("b.png", picture[:60]), ("c.png", picture)):
            (self.top / name).write_bytes(content)
        start = ["predict", "--checkpoint", "c/last.safetensors"]
        names = ["a.png", "b.png", "missing.png", "c.png"]
        done = self.call(*start, *names)
        self.assertEqual(done.returncode, 1)
        self.assertEqual([line.split(":")[0] for line in done.stdout.splitlines()], ["a.png", "c.png"])
        self.assertEqual([line.split(":")[:2] for line in done.stderr.splitlines()],
                         [["trainer predict", " b.png"], ["trainer predict", " missing.png"]])
        told = self.call(*start, "--json", *names)
        self.assertEqual((told.returncode, told.stderr), (1, done.stderr))
        self.assertEqual([json.loads(line)["image"] for line in told.stdout.splitlines()], ["a.png", "c.png"])

    def test_refuses_in_one_line(self):
        self.trained()
        (self.top / "broken.png").write_bytes(png([[0] * 28] * 28)[:60])
        start = ["predict", "--checkpoint", "c/last.safetensors"]
        self.assertIn("broken.png", self.refuses(1, *start, "broken.png"))
        self.assertIn("missing.png: cannot open", self.refuses(1, *start, "missing.png"))
        self.assertIn("expected images", self.refuses(2, *start))
        self.assertIn("--checkpoint: expected a file", self.refuses(2, "predict", "x.png"))


if __name__ == "__main__":
    programs.main()
