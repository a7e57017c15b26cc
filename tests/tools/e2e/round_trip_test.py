"""From every form that tools convert writes and opens to every other one: bytes, labels and order.

What a form keeps is what the README says of it: all of it, but for the shape (csv) and the order of samples of
different classes (images).
"""

import json
import random
import shutil
import struct
import subprocess
import sys
import tarfile

import programs

FORMS = {"idx": ("--to", "idx"), "gz": ("--to", "gz"), "zst": (), "shards": ("--shards", "3"), "npy": ("--to", "npy"),
         "csv": ("--to", "csv"), "tar": ("--to", "tar", "--shards", "2"), "tar.zst": ("--to", "tar.zst"),
         "images": ("--to", "images")}


class Samples:
    """Samples in memory: (label, bytes) in order."""

    def __init__(self, shape, train, test, val):
        self.shape, self.splits = shape, {"train": train, "t10k": test, "val": val}

    @classmethod
    def drawn(cls, shape, classes, train, test, val, seed):
        draw = random.Random(seed)
        size = 1
        for dim in shape:
            size *= dim

        def split(count):
            # Every class is there, in an order that is no class's. A row of zeros and one of 255 are values too.
            labels = [*range(classes), *(draw.randrange(classes) for _ in range(count - classes))]
            draw.shuffle(labels)
            return [(label, draw.choice((draw.randbytes(size), bytes(size), b"\xff" * size))) for label in labels]

        return cls(shape, split(train), split(test), split(val))

    def write(self, folder):
        folder.mkdir()
        for name, split in self.splits.items():
            dims = [len(split), *self.shape]
            pixels = b"".join(sample for _, sample in split)
            (folder / f"{name}-images-idx{len(dims)}-ubyte").write_bytes(programs.idx(8, dims, pixels))
            (folder / f"{name}-labels-idx1-ubyte").write_bytes(
                programs.idx(8, [len(split)], bytes(label for label, _ in split)))

    @classmethod
    def read(cls, folder):
        splits = []
        for name in ("train", "t10k", "val"):
            images = next(folder.glob(f"{name}-images-*")).read_bytes()
            labels = next(folder.glob(f"{name}-labels-*")).read_bytes()[8:]
            rank = images[3]
            dims = struct.unpack(f">{rank}I", images[4:4 + 4 * rank])
            data = images[4 + 4 * rank:]
            size = len(data) // dims[0]
            splits.append([(label, data[i * size:(i + 1) * size]) for i, label in enumerate(labels)])
        return cls(list(dims[1:]), *splits)

    def through(self, form):
        """What comes back from this form."""
        if form == "csv":
            return Samples([len(self.splits["train"][0][1])], *self.splits.values())
        if form == "images":
            return Samples(self.shape, *(sorted(s, key=lambda one: one[0]) for s in self.splits.values()))
        return self

    def __eq__(self, other):
        return (self.shape, self.splits) == (other.shape, other.splits)


class RoundTrip(programs.ProgramTest):
    def tools(self, *arguments, status=0):
        done = self.call(*arguments, program=programs.TOOLS)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_every_pair_of_forms(self):
        for name, samples in (("grey", Samples.drawn([5, 7], 12, 61, 14, 15, seed=1)),
                              ("rgb", Samples.drawn([4, 3, 3], 3, 40, 7, 7, seed=2))):
            samples.write(self.top / name)
            for first, to_first in FORMS.items():
                one = f"{name}-{first}"
                self.tools("convert", name, one, *to_first, "--quiet")
                for second, to_second in FORMS.items():
                    with self.subTest(f"{name}: {first} to {second}"):
                        two = f"{one}-{second}"
                        if first == "csv" and second == "images":  # flat samples are no images
                            self.assertIn("expected images", self.tools("convert", one, two, *to_second, status=1).stderr)
                            continue
                        self.tools("convert", one, two, *to_second, "--quiet")
                        self.tools("convert", two, f"{two}-back", "--to", "idx", "--quiet")
                        found = Samples.read(self.top / f"{two}-back")
                        self.assertTrue(found == samples.through(first).through(second), f"{found.shape}")
                        for done in (two, f"{two}-back"):
                            shutil.rmtree(self.top / done)

    def result_on(self, data):
        self.train("--epochs", "2", "--quiet", "--metrics", "m.jsonl", data=data)
        *_, epoch, summary = self.records(self.top / "m.jsonl")
        return epoch["val_loss"], epoch["val_acc"], *(summary[k] for k in ("weights_hash", "val_samples", "test_acc"))

    def test_trains_and_validates_alike(self):
        self.tools("convert", self.digits, "source", "--to", "npy", "--quiet")
        for name in "xy":
            (self.top / "source" / f"{name}_val.npy").write_bytes((self.top / "source" / f"{name}_test.npy").read_bytes())
        self.tools("convert", "source", "images", "--to", "images", "--quiet")
        # As images they are in another order, which the other forms then keep.
        for source in ("source", "images"):
            told = self.result_on(source)
            for form, to_form in FORMS.items():
                if form == "images" and source == "source":
                    continue
                with self.subTest(f"{source} as {form}"):
                    out = f"{source}-{form}"
                    line = self.tools("convert", source, out, *to_form).stdout.splitlines()[0]
                    self.assertRegex(line, "^Data: .*: 1200 training, 200 validation and 200 test (samples|images), 28x28 ")
                    self.assertEqual(self.result_on(out), told)
                    if form == "shards":
                        self.assertIn("1600 samples", self.tools("verify", out).stdout)
                        self.tools("repair", out, f"{out}-repaired")
                        self.assertEqual(self.result_on(f"{out}-repaired"), told)

    def test_tar_reads_the_archives(self):
        samples = Samples.drawn([5, 7], 3, 20, 5, 4, seed=3)
        samples.write(self.top / "d")
        self.tools("convert", "d", "t", "--to", "tar", "--quiet")
        path = self.top / "t" / "train-000000.tar"
        with tarfile.open(path) as archive:
            names = archive.getnames()
            labels = [int(archive.extractfile(f"{i:06}.cls").read()) for i in range(20)]
        self.assertEqual(names, [f"{i:06}.{end}" for i in range(20) for end in ("png", "cls")])
        self.assertEqual(labels, [label for label, _ in samples.splits["train"]])
        if shutil.which("tar") is None:
            self.skipTest("no program tar")
        listed = subprocess.run(["tar", "tf", path], check=True, capture_output=True, text=True).stdout
        self.assertEqual(listed.splitlines(), names)

    def test_numpy_reads_the_arrays(self):
        samples = Samples.drawn([5, 7], 3, 20, 5, 4, seed=4)
        samples.write(self.top / "d")
        self.tools("convert", "d", "n", "--to", "npy", "--quiet")
        program = ("import sys, json\ntry:\n import numpy\nexcept ImportError:\n sys.exit(77)\n"
                   "x, y = (numpy.load(sys.argv[1] + n) for n in ('/x_train.npy', '/y_train.npy'))\n"
                   "print(json.dumps([x.shape, str(x.dtype), x.tobytes().hex(), y.tolist()]))")
        done = subprocess.run([sys.executable, "-c", program, self.top / "n"], capture_output=True, text=True, check=False)
        if done.returncode == 77:
            self.skipTest("no NumPy to read with")
        self.assertEqual(done.returncode, 0, done.stderr)
        train = samples.splits["train"]
        self.assertEqual(json.loads(done.stdout), [[20, 5, 7], "uint8", b"".join(s for _, s in train).hex(),
                                                   [label for label, _ in train]])

    def test_webdataset_reads_the_archives(self):
        samples = Samples.drawn([5, 7], 3, 20, 5, 4, seed=5)
        samples.write(self.top / "d")
        self.tools("convert", "d", "t", "--to", "tar", "--quiet")
        program = ("import sys, json\ntry:\n import webdataset\nexcept ImportError:\n sys.exit(77)\n"
                   "data = webdataset.WebDataset(sys.argv[1], shardshuffle=False)\n"
                   "print(json.dumps([[s['__key__'], int(s['cls'])] for s in data]))")
        done = subprocess.run([sys.executable, "-c", program, self.top / "t" / "train-000000.tar"], capture_output=True,
                              text=True, check=False)
        if done.returncode == 77:
            self.skipTest("no webdataset to read with")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout),
                         [[f"{i:06}", label] for i, (label, _) in enumerate(samples.splits["train"])])


if __name__ == "__main__":
    programs.main()
