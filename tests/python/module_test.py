"""The loader as a Python module: what it delivers, what it keeps, and what it refuses."""

import itertools
import os
import pathlib
import signal
import tempfile
import threading
import unittest

import interop

(numpy,) = interop.packages("numpy")

import millrace  # noqa: E402  (it needs NumPy)

COUNT = 1003
SHAPE = (5, 4)


def samples_of(count, dtype=numpy.uint8):
    """Samples that tell their number; their labels are it, modulo 10."""
    numbers = numpy.arange(count)
    values = (numbers[:, None, None] * 31 + numpy.arange(20).reshape(SHAPE) * 7) % 251
    return values.astype(dtype), (numbers % 10).astype(numpy.uint8)


def all_of(loader, epochs=1):
    """Samples and labels of so many epochs, copied."""
    batches = [(x.copy(), y.copy()) for _ in range(epochs) for x, y in loader]
    return numpy.concatenate([x for x, _ in batches]), numpy.concatenate([y for _, y in batches])


class ModuleTest(unittest.TestCase):
    def setUp(self):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def write(self, count=COUNT, dtype=numpy.uint8):
        """A folder of .npy files, opened."""
        x, y = samples_of(count, dtype)
        numpy.save(self.folder / "x_train.npy", x)
        numpy.save(self.folder / "y_train.npy", y)
        return millrace.open(self.folder).train

    def same(self, found, expected):
        for one, other in zip(found, expected):
            numpy.testing.assert_array_equal(one, other)

    # Data sets

    def test_data_set_says_what_it_is(self):
        data = self.write()
        self.assertEqual((len(data), data.shape, data.dtype, data.classes), (COUNT, SHAPE, numpy.uint8, 10))
        self.assertEqual(data.class_names, [])
        self.assertIn("x_train.npy", data.name)
        self.assertRegex(data.hash(), "^[0-9a-f]{32}$")
        self.assertIn("1003 samples, 5x4 uint8, 10 classes", repr(data))
        opened = millrace.open(str(self.folder))
        self.assertIsNone(opened.test)
        self.assertIsNone(opened.validation)
        self.assertEqual(opened.train.hash(), data.hash())

    def test_reads_samples_by_their_numbers(self):
        for dtype in ("uint8", "int16", "float64"):
            data = self.write(dtype=dtype)
            x, y = samples_of(COUNT, dtype)
            found, labels = data.read([7, 1002, 7])
            self.assertEqual((found.dtype, labels.dtype), (numpy.dtype(dtype), numpy.int32))
            self.same((found, labels), (x[[7, 1002, 7]], y[[7, 1002, 7]]))
        self.assertEqual(len(data.read([])[1]), 0)
        for wrong in ([COUNT], [-1]):
            with self.assertRaises(IndexError):
                data.read(wrong)
        for kind, wrong in (("bool", numpy.arange(COUNT) < 2), ("float64", [1.7]), ("<U1", ["1"])):
            with self.assertRaisesRegex(TypeError, f"ids: expected whole numbers, found an array of {kind}"):
                data.read(wrong)
        with self.assertRaises(ValueError):
            data.read([[1]])

    def test_names_what_cannot_be_opened(self):
        with self.assertRaisesRegex(millrace.DataError, str(self.folder / "nowhere")):
            millrace.open(self.folder / "nowhere")
        with self.assertRaisesRegex(ValueError, "channels: expected 1 .* found 2"):
            millrace.open(self.folder, channels=2)

    def test_names_may_be_any_bytes(self):
        folder = self.folder / os.fsdecode(b"caf\xe9")
        for name in (b"caf\xe9", b"dog"):
            (folder / os.fsdecode(name)).mkdir(parents=True)
            (folder / os.fsdecode(name) / "1.pgm").write_bytes(b"P5 4 2 255\n" + bytes(range(8)))
        data = millrace.open(folder)
        self.assertEqual(data.train.class_names, [os.fsdecode(b"caf\xe9"), "dog"])
        self.assertIn(str(folder), data.train.name + repr(data) + data.description)
        self.assertIn(str(folder), repr(data.train))
        with self.assertRaises(millrace.DataError) as raised:
            millrace.open(folder / "nowhere")
        self.assertIn(str(folder / "nowhere"), str(raised.exception))
        (folder / "dog" / "1.pgm").write_bytes(b"P5 4 2 255\n")
        loader = millrace.Loader(millrace.open(folder, tolerant=True).train, on_bad="skip")
        self.assertEqual(len(all_of(loader)[1]), 2)
        self.assertIn(str(folder), loader.bad[1])

    def test_makes_images_of_the_size_asked_for(self):
        for name in ("cat", "dog"):
            (self.folder / name).mkdir()
            (self.folder / name / "1.pgm").write_bytes(b"P5 4 2 255\n" + bytes(range(8)))
        data = millrace.open(self.folder, size=(3, 5), channels=3).train
        self.assertEqual((data.shape, data.class_names), ((3, 3, 5), ["cat", "dog"]))

    def test_splits_at_random(self):
        data = self.write()
        train, validation = millrace.split(data, 100, seed=3)
        self.assertEqual((len(train), len(validation)), (COUNT - 100, 100))
        self.assertEqual(sorted([*train.ids(), *validation.ids()]), list(range(COUNT)))
        self.same((train.ids(),), (millrace.split(data, 100, seed=3)[0].ids(),))
        self.assertNotEqual(list(train.ids()), list(millrace.split(data, 100, seed=4)[0].ids()))
        with self.assertRaises(ValueError):
            millrace.split(data, COUNT)

    # Order

    def test_delivers_the_subset_in_its_order(self):
        data = self.write()
        subset = millrace.split(data, 100, seed=3)[0]
        loader = millrace.Loader(data, batch=64, subset=subset, shuffle=False)
        self.assertEqual(len(loader), 15)
        self.same(all_of(loader), data.read(subset.ids()))

    def test_each_loop_is_one_epoch_in_a_new_order(self):
        data = self.write()
        x, y = samples_of(COUNT)
        loader = millrace.Loader(data, batch=64, seed=1, epochs=2)
        epochs = [all_of(loader), all_of(loader)]
        self.assertEqual(list(loader), [])
        self.assertFalse(numpy.array_equal(epochs[0][0], epochs[1][0]))
        for found, labels in epochs:
            numpy.testing.assert_array_equal(numpy.sort(found[:, 0, 0]), numpy.sort(x[:, 0, 0]))
            numpy.testing.assert_array_equal(numpy.sort(labels), numpy.sort(y))

    def test_order_is_the_seeds_alone(self):
        data = self.write()
        wanted = all_of(millrace.Loader(data, batch=64, seed=1), 2)
        for workers, slots, chunk_batches in ((1, 2, 1), (3, 5, 7)):
            self.same(all_of(millrace.Loader(data, batch=64, seed=1, workers=workers, slots=slots,
                                             chunk_batches=chunk_batches), 2), wanted)
        self.assertFalse(numpy.array_equal(all_of(millrace.Loader(data, batch=64, seed=2), 2)[0], wanted[0]))

    def test_goes_on_from_a_position(self):
        data = self.write()
        wanted = all_of(millrace.Loader(data, batch=64, seed=1), 2)
        first = millrace.Loader(data, batch=64, seed=1, chunk_batches=5)
        taken = [(x.copy(), y.copy()) for x, y in itertools.islice(first, 7)]
        self.assertEqual(first.position, (0, 7))
        rest = all_of(millrace.Loader(data, batch=64, seed=1, start=first.position), 2)
        self.same((numpy.concatenate([*(x for x, _ in taken), rest[0]]),), wanted[:1])
        # The loader that was left goes on in the same place.
        self.same(all_of(first, 2), rest)
        self.assertEqual(first.position, (2, 0))

    def test_ranks_share_each_batch(self):
        data = self.write()
        whole = [x.copy() for x, _ in millrace.Loader(data, batch=64, seed=1)]
        ranks = [[x.copy() for x, _ in millrace.Loader(data, batch=64, seed=1, rank=rank, ranks=3)]
                 for rank in range(3)]
        for batch, shares in zip(whole, zip(*ranks)):
            numpy.testing.assert_array_equal(numpy.concatenate(shares), batch)
        with self.assertRaisesRegex(ValueError, "rank 3 of 3"):
            millrace.Loader(data, rank=3, ranks=3)

    def test_brings_chunks(self):
        data = self.write()
        loader = millrace.Loader(data, batch=64, seed=1, chunk_batches=6)
        chunks = [(x.copy(), y.copy()) for x, y in loader.chunks()]
        self.assertEqual([len(y) for _, y in chunks], [384, 384, 235])
        self.same((numpy.concatenate([x for x, _ in chunks]),), all_of(millrace.Loader(data, batch=64, seed=1))[:1])

    def test_streams(self):
        self.write()
        data = millrace.open(self.folder, stream=True).train
        x, _ = samples_of(COUNT)
        self.same(all_of(millrace.Loader(data, batch=64, shuffle=False)), samples_of(COUNT))
        found, _ = all_of(millrace.Loader(data, batch=64, seed=1, window_mb=1))
        numpy.testing.assert_array_equal(numpy.sort(found[:, 0, 0]), numpy.sort(x[:, 0, 0]))

    def test_other_types_come_as_float32(self):
        for dtype in ("int16", "float64"):
            data = self.write(dtype=dtype)
            found, labels = all_of(millrace.Loader(data, batch=64, shuffle=False))
            self.assertEqual(found.dtype, numpy.float32)
            self.same((found, labels), samples_of(COUNT, dtype))

    def test_augments(self):
        data = self.write()
        still = all_of(millrace.Loader(data, shuffle=False))
        moved = [all_of(millrace.Loader(data, shuffle=False, seed=1, augment={"shift": 2.0})) for _ in range(2)]
        self.same(moved[0], moved[1])
        self.assertFalse(numpy.array_equal(moved[0][0], still[0]))
        with self.assertRaisesRegex(ValueError, "augment: expected rotate, .* found 'tilt'"):
            millrace.Loader(data, augment={"tilt": 1.0})

    def test_a_batch_may_be_larger_than_the_data(self):
        for batch in (2**20, 2**32 - 1):
            self.assertEqual([len(y) for _, y in millrace.Loader(self.write(), batch=batch)], [COUNT])

    # Memory and threads

    def test_arrays_keep_their_memory(self):
        data = self.write()
        wanted = all_of(millrace.Loader(data, batch=64, seed=1))
        loader = millrace.Loader(data, batch=64, seed=1, chunk_batches=4, slots=5)
        kept = list(loader)  # four chunks
        del loader, data
        self.same((numpy.concatenate([x for x, _ in kept]), numpy.concatenate([y for _, y in kept])), wanted)

    def test_says_that_all_slots_are_kept(self):
        loader = millrace.Loader(self.write(), batch=64, chunk_batches=4, slots=2)
        kept = []
        with self.assertRaisesRegex(RuntimeError, "all 2 slots hold batches"):
            for batch in loader:
                kept.append(batch)
        self.assertEqual((len(kept), loader.position), (8, (0, 8)))
        kept.clear()
        del batch
        self.assertEqual(len(list(loader)), 8)  # what was left

    def test_a_loop_ends_when_it_is_stopped_from_elsewhere(self):
        loader = millrace.Loader(self.write(), batch=64, chunk_batches=1)
        stopper = threading.Thread(target=loader.stop)
        next(iter(loader))
        stopper.start()
        while sum(1 for _ in loader):  # epoch after epoch, until one has no batch
            pass
        stopper.join()
        self.assertEqual(list(loader.chunks()), [])

    def test_threads_share_it(self):
        loader = millrace.Loader(self.write(), batch=16, seed=1, slots=8, epochs=20)
        taken = [[], []]

        def take(labels):
            for _ in range(20):
                for _, y in loader:
                    labels.extend(y.tolist())

        threads = [threading.Thread(target=take, args=(labels,)) for labels in taken]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _, y = samples_of(COUNT)
        self.assertEqual(sorted(taken[0] + taken[1]), sorted(y.tolist() * 20))

    def test_an_interrupt_ends_the_wait(self):
        # A chunk of many seconds of work: a large picture, again and again, each a block of its own.
        for name in ("cat", "dog"):
            (self.folder / name).mkdir()
        picture = self.folder / "cat/0.pgm"
        picture.write_bytes(b"P5 4096 4096 255\n" + bytes(4096 * 4096))
        for i in range(1, 60):
            os.link(picture, self.folder / ("cat", "dog")[i % 2] / f"{i}.pgm")
        data = millrace.open(self.folder, size=(1024, 1024), stream=True).train
        loader = millrace.Loader(data, batch=60, chunk_batches=1, slots=1, workers=1)
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            next(iter(loader))
        self.assertEqual(loader.position, (0, 0))

    def test_a_fork_is_told_and_ends(self):
        loader = millrace.Loader(self.write(), batch=64)
        batch = next(iter(loader))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            try:
                all_of(loader.chunks())
                all_of(loader)
            except RuntimeError as error:
                os.write(writer, str(error).encode())
            del loader, batch  # without the threads that worked for it
            os._exit(0)
        os.close(writer)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        with os.fdopen(reader) as said:
            self.assertRegex(said.read(), "belongs to the process that made it")
        del batch
        self.assertEqual(len(all_of(loader)[1]), COUNT - 64)  # here it goes on

    def test_counts(self):
        loader = millrace.Loader(self.write(), batch=64, workers=2, slots=4)
        all_of(loader)
        stats = loader.stats()
        self.assertGreaterEqual(stats["samples"], COUNT)
        self.assertEqual((stats["workers"], stats["slots"]), (2, 4))
        self.assertEqual(set(stats["fill"]), {"busy", "starved", "blocked"})

    # What goes wrong

    def write_images(self):
        for name in ("cat", "dog"):
            (self.folder / name).mkdir()
            for i in range(10):
                (self.folder / name / f"{i}.pgm").write_bytes(b"P5 4 2 255\n" + bytes([i] * 8))
        (self.folder / "dog" / "3.pgm").write_bytes(b"P5 4 2 255\n" + bytes(5))
        return millrace.open(self.folder, stream=True, tolerant=True).train

    def test_a_bad_sample_ends_it_by_name(self):
        loader = millrace.Loader(self.write_images(), batch=4)
        for _ in range(2):
            with self.assertRaisesRegex(millrace.DataError, "dog/3.pgm"):
                all_of(loader)

    def test_a_bad_sample_is_replaced_and_listed(self):
        data = self.write_images()
        for how in ("skip", "substitute"):
            loader = millrace.Loader(data, batch=4, on_bad=how)
            _, labels = all_of(loader)
            self.assertEqual(len(labels), 20)
            self.assertEqual(list(loader.bad), [13])
            self.assertIn("dog/3.pgm", loader.bad[13])
        with self.assertRaisesRegex(ValueError, "on_bad: expected 'fail', 'skip' or 'substitute', found 'hope'"):
            millrace.Loader(data, on_bad="hope")

    def test_refuses_the_impossible(self):
        data = self.write()
        for message, options in (("batch size 0", {"batch": 0}), ("0 slots", {"slots": 0}),
                                 ("cannot start at epoch 2", {"epochs": 2, "start": (2, 1)})):
            with self.assertRaisesRegex(ValueError, message):
                millrace.Loader(data, **options)


if __name__ == "__main__":
    unittest.main()
