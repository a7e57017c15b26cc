"""--residency stream of every form that opens: it streams, or says in a line what makes it stream."""

import programs

# Of 600 small digits there are a few blocks; the smallest window mixes one at a time.
OPTIONS = ("--val-size", "100", "--epochs", "2", "--batch", "32", "--residency", "stream", "--shuffle-window", "1")
STREAMED = {"idx": ("--to", "idx"), "zst": (), "shards": ("--shards", "3"), "npy": ("--to", "npy"),
            "tar": ("--to", "tar", "--shards", "2"), "tar.zst": ("--to", "tar.zst"), "images": ("--to", "images")}
WHOLE = {"gz": "a gzip file", "csv": "a CSV file"}


class Stream(programs.ProgramTest):
    def convert(self, form, *arguments):
        done = self.call("convert", self.digits, form, *arguments, "--quiet", program=programs.TOOLS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.top / form

    def test_streams_what_is_read_piece_by_piece(self):
        for form, to_form in STREAMED.items():
            data = self.convert(form, *to_form)
            for images in ((), ("--resize", "16x16")):
                with self.subTest(f"{form} {images}"):
                    summary = self.summary(*OPTIONS, *images, "--checkpoint-dir", f"c-{form}-{len(images)}",
                                           "--checkpoint-every", "5", "--workers", "1", data=data)
                    self.assertEqual(summary["residency"], "stream")
                    self.assertEqual(self.weights(*OPTIONS, *images, "--workers", "3", "--slots", "5", data=data),
                                     summary["weights_hash"])
                    # From the middle of an epoch.
                    steps = sorted((self.top / f"c-{form}-{len(images)}").glob("step-*"))
                    resumed = self.weights(*OPTIONS, *images, "--resume", steps[0], data=data)
                    self.assertEqual(resumed, summary["weights_hash"])

    def test_says_what_makes_the_others_stream(self):
        for form, found in WHOLE.items():
            data = self.convert(form, "--to", form)
            line = self.refuses(1, *OPTIONS, "--data", data)
            self.assertIn("expected data that can be streamed, being read piece by piece, found "
                          f"{found} that is decoded whole; 'tools convert {data} OUT' writes what can", line)
            done = self.call("convert", data, f"{form}-zst", "--quiet", program=programs.TOOLS)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.summary(*OPTIONS, data=f"{form}-zst")["residency"], "stream")


if __name__ == "__main__":
    programs.main()
