"""trainer --tensorboard, read back by TensorBoard's own reader.

Run as: tensorboard_test.py TRAINER TOOLS. Skipped without the packages tensorboard and pillow.
"""

import io
import re
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE.parents[2] / "support")]
import interop  # noqa: E402
import programs  # noqa: E402

accumulator, Image = interop.packages("tensorboard.backend.event_processing.event_accumulator", "PIL.Image")


class TensorBoard(programs.ProgramTest):
    def read(self):
        events = accumulator.EventAccumulator(str(self.top / "tb"), size_guidance={"scalars": 0, "histograms": 0, "images": 0})
        events.Reload()
        return events

    def test_shows_what_the_run_said(self):
        self.train("--epochs", "3", "--val-size", "200", "--lr", "0.25", "--tensorboard", "tb", "--metrics", "m.jsonl")
        *epochs, summary = self.records(self.top / "m.jsonl")
        events = self.read()
        for tag, key in (("loss/train", "train_loss"), ("loss/validation", "val_loss"),
                         ("accuracy/train", "train_acc"), ("accuracy/validation", "val_acc")):
            scalars = events.Scalars(tag)
            self.assertEqual([s.step for s in scalars], [0, 1, 2])
            for scalar, epoch in zip(scalars, epochs):
                self.assertAlmostEqual(scalar.value, epoch[key], places=6)
                self.assertLess(abs(scalar.wall_time - time.time()), 600)
        self.assertEqual([s.value for s in events.Scalars("learning_rate")], [0.25] * 3)
        self.assertAlmostEqual(events.Scalars("accuracy/test")[0].value, summary["test_acc"], places=6)
        for histogram in events.Histograms("parameters/0.weight"):
            value = histogram.histogram_value
            self.assertEqual(value.num, 784 * 32)
            self.assertEqual(sum(value.bucket), value.num)
            self.assertEqual(len(value.bucket), len(value.bucket_limit))
            self.assertEqual(value.bucket_limit[-1], value.max)
        (image,) = events.Images("samples")
        self.assertEqual((image.width, image.height), (8 * 30 - 2, 4 * 30 - 2))
        self.assertEqual(Image.open(io.BytesIO(image.encoded_image_string)).size, (238, 118))

    def test_shows_a_resumed_run_once(self):
        run = ["--val-size", "200", "--checkpoint-dir", "c", "--tensorboard", "tb"]
        self.train("--epochs", "4", "--checkpoint-every", "10", *run)  # of 8 steps an epoch
        self.train("--epochs", "5", "--resume", "c/step-20.safetensors", "--lr", "0.25", *run)
        events = self.read()
        for tag in ("loss/train", "accuracy/validation"):
            self.assertEqual([s.step for s in events.Scalars(tag)], [0, 1, 2, 3, 4])
        self.assertEqual([s.value for s in events.Scalars("learning_rate")], [0.5, 0.5, 0.25, 0.25, 0.25])
        self.assertEqual([s.step for s in events.Scalars("accuracy/test")], [4])
        self.assertEqual([h.step for h in events.Histograms("parameters/0.weight")], [0, 1, 2, 3, 4])

    def test_reads_what_a_killed_run_left(self):
        process = self.start("--data", self.digits, "--val-size", "200", "--epochs", "100000", "--tensorboard", "tb")
        for line in process.stdout:
            if re.match(r"Epoch \[5\]", line):
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        steps = [s.step for s in self.read().Scalars("loss/train")]
        self.assertGreaterEqual(len(steps), 5)
        self.assertEqual(steps, list(range(len(steps))))


if __name__ == "__main__":
    programs.main()
