"""trainer --tensorboard as users run it. That TensorBoard reads it is tested where that is installed."""

import programs


class TensorBoard(programs.ProgramTest):
    def test_makes_one_file_a_run(self):
        for runs in (1, 2):
            self.train("--epochs", "1", "--tensorboard", "a/tb")
            files = [p.name for p in (self.top / "a/tb").iterdir()]
            self.assertEqual(len(files), runs)
            self.assertTrue(all(name.startswith("events.out.tfevents.") for name in files), files)

    def test_changes_no_bit_of_the_run(self):
        self.assertEqual(self.weights("--epochs", "2", "--tensorboard", "tb"), self.weights("--epochs", "2"))

    def test_of_a_run_that_never_starts_makes_nothing(self):
        self.refuses(1, "--data", "nowhere", "--tensorboard", "tb")
        self.assertFalse((self.top / "tb").exists())

    def test_that_cannot_be_written_ends_a_run_before_it_starts(self):
        (self.top / "file").write_text("x", encoding="utf-8")
        done = self.call("--data", self.digits, "--val-size", "100", "--quiet", "--tensorboard", "file/tb")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("trainer: file/tb: cannot make the folder: Not a directory", done.stderr)


if __name__ == "__main__":
    programs.main()
