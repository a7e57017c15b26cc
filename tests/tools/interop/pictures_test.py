"""Pictures that Pillow wrote, as tools convert decodes them.

Run as: pictures_test.py TRAINER TOOLS. Skipped without the packages numpy and Pillow.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE.parents[2] / "support")]
import interop  # noqa: E402
import programs  # noqa: E402

np, Image, ImageOps = interop.packages("numpy", "PIL.Image", "PIL.ImageOps")

ORIENTATION = 0x112


class Pictures(programs.ProgramTest):
    def test_png_is_turned_as_its_exif_data_say(self):
        random = np.random.default_rng(7)
        folder = self.top / "in/a"
        folder.mkdir(parents=True)
        expected = []
        for mode in ("RGB", "L", "P"):
            for orientation in range(1, 9):
                size = (3, 5) if orientation < 5 else (5, 3)  # 3 rows of 5 as they are shown
                picture = Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).convert(mode)
                exif = Image.Exif()
                exif[ORIENTATION] = orientation
                path = folder / f"{len(expected):02}.png"
                picture.save(path, exif=exif)
                with Image.open(path) as stored:
                    expected.append(np.asarray(ImageOps.exif_transpose(stored).convert("RGB")))
        done = self.call("convert", "in", "out", "--to", "npy", "--rgb", program=programs.TOOLS)
        self.assertEqual(done.returncode, 0, done.stderr)
        np.testing.assert_array_equal(np.load(self.top / "out/x_train.npy"), np.stack(expected))


if __name__ == "__main__":
    programs.main()
