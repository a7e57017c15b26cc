"""The tarball of scripts/package.sh as somebody unpacks it: on another machine, with none of the build tree's libraries."""

import json
import os
import subprocess
import tarfile
from pathlib import Path

import programs

ROOT = Path(__file__).resolve().parents[3]
# Of every system, or, of NVIDIA's, of every machine with a GPU.
SYSTEM = ("linux-vdso", "ld-linux", "libc.", "libm.", "libdl.", "librt.", "libpthread.", "libresolv.", "libutil.",
          "libcuda.", "libcublas")


class Package(programs.ProgramTest):
    def unpack(self):
        build = Path(programs.TRAINER).parents[1]
        done = subprocess.run([ROOT / "scripts/package.sh", "--no-tests", build, self.top / "out"], check=False,
                              capture_output=True, text=True, timeout=programs.TIMEOUT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        tarball = Path(done.stdout.strip())
        self.assertEqual(os.listdir(self.top / "out"), [tarball.name])
        place = self.top / "some where"
        with tarfile.open(tarball) as tar:
            tar.extractall(place)
        (tree,) = place.iterdir()
        self.assertEqual(tree.name + ".tar.gz", tarball.name)
        return tree

    def run_bare(self, *command):
        return subprocess.run(list(map(str, command)), cwd=self.top, env={"PATH": "/usr/bin:/bin"}, check=True,
                              capture_output=True, text=True, timeout=programs.TIMEOUT).stdout

    def test_runs_where_it_is_unpacked(self):
        tree = self.unpack()
        for program in ("trainer", "tools"):
            for line in self.run_bare("ldd", tree / "bin" / program).splitlines():
                name, _, path = line.strip().partition(" => ")
                if not path or os.path.basename(name).startswith(SYSTEM):
                    continue
                self.assertTrue(os.path.normpath(path).startswith(str(tree / "lib")), line)
        licences = {path.name for path in (tree / "licenses").iterdir()}
        self.assertLessEqual({"libcli11-dev.txt", "libstb-dev.txt", "nlohmann-json3-dev.txt", "libgcc-s1.txt"}, licences)
        for library in ("libtbb", "libzstd", "libcurl", "libhwy"):
            self.assertTrue(any(name.startswith(library) for name in licences), library)
        self.assertTrue((tree / "licenses/common-licenses/GPL-3").exists())  # libgcc's text refers to it
        self.assertEqual(self.run_bare(tree / "bin/trainer", "--version"),
                         self.run_bare(programs.TRAINER, "--version"))
        self.run_bare(tree / "bin/tools", "synth", self.top / "data", "--count", "600", "--test-count", "100")
        self.run_bare(tree / "bin/trainer", "--data", self.top / "data", "--device", "cpu", "--epochs", "2",
                      "--quiet", "--metrics", self.top / "m.jsonl")
        packed = json.loads((self.top / "m.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        self.assertEqual(packed["weights_hash"],
                         self.weights("--device", "cpu", "--epochs", "2", data=self.top / "data"))

    def test_takes_no_library_from_the_current_folder(self):
        tree = self.unpack()
        (self.top / "libm.so.6").write_text("not a library")
        for program in (tree / "bin/trainer", tree / "bin/tools", programs.TRAINER):
            self.run_bare(program, "--version")

    def test_checks_a_machine_without_a_gpu(self):
        tree = self.unpack()
        done = subprocess.run([tree / "gpu_check.sh", "--out", self.top / "check.json"], cwd=self.top, check=False,
                              env={"PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": ""}, capture_output=True,
                              text=True, timeout=programs.TIMEOUT)
        self.assertEqual((done.returncode, done.stderr), (77, ""))
        self.assertRegex(done.stdout, r"\Agpu_check.sh: no GPU: th[^\n]*\n\Z")
        found = json.loads((self.top / "check.json").read_text(encoding="utf-8"))
        self.assertIn(found["obstacle"], done.stdout)
        self.assertEqual((found["steps"], found["failed"], found["device"]), ([], 0, ""))


if __name__ == "__main__":
    programs.main()
