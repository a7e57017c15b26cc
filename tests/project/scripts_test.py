"""The scripts people start with, in a copy of scripts/ whose path has a space, with programs that only note how they
were called in place of apt-get, cmake and the trainer."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import source_tree

BASICS = ("bash", "sh", "env", "sed", "grep", "dirname", "mktemp", "tail", "rm", "mkdir", "mv", "cat", "nproc", "true")
NOTE = '#!/bin/sh\nprintf "%s\\n" "$(basename "$0") $*" >>"$CALLS"\n'


# A trainer on a GPU, as far as gpu_check.sh looks: it writes the summary of a run.
RUNS = """#!/bin/sh
while [ $# -gt 0 ]; do
  [ "$1" != --metrics ] || metrics=$2
  shift
done
[ -z "$metrics" ] || printf '%s\\n' '{"epoch":0}' "{\\"summary\\":true,\\"epoch_s\\":0.00125,\\"weights_hash\\":\\"HASH\\",\\"device_description\\":\\"A GPU\\",\\"train_samples\\":50000,\\"val_samples\\":10000,\\"bytes\\":20000000000,\\"verdict\\":\\"copy-bound: it is\\",\\"engine\\":{\\"busy_s\\":3,\\"idle_s\\":1,\\"copying_s\\":0.5,\\"hidden_s\\":0.49}}" >"$metrics"
"""


class Scripts(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        self.root = self.top / "a project"
        self.bin = self.top / "bin"
        self.bin.mkdir()
        self.environment = {}
        shutil.copytree(source_tree.ROOT / "scripts", self.root / "scripts")
        for name in (*BASICS, "basename"):
            (self.bin / name).symlink_to(shutil.which(name))
        self.program("id", "#!/bin/sh\necho 0\n")

    def program(self, name, text=NOTE, folder=None):
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def call(self, script, *arguments, cwd=None):
        environment = {"PATH": str(self.bin), "CALLS": str(self.top / "calls"), "HOME": str(self.top),
                       **self.environment}
        done = subprocess.run([str(self.root / "scripts" / script), *arguments], env=environment, cwd=cwd or self.top,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        calls = self.top / "calls"
        noted = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        return done, noted

    # install_deps.sh

    def everything_installed(self):
        self.program("dpkg-query", "#!/bin/sh\nprintf installed\n")

    def test_install_leaves_apt_alone_when_nothing_is_missing(self):
        self.everything_installed()
        self.program("apt-get")
        done, calls = self.call("install_deps.sh", "all")
        self.assertEqual((done.returncode, done.stdout, done.stderr, calls), (0, "", "", []))

    def test_install_says_what_it_installs_and_asks_nothing(self):
        self.program("apt-get")
        done, calls = self.call("install_deps.sh", "build")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(calls), 1, "the package lists are not fetched where they are good")
        self.assertRegex(calls[0], r"^apt-get -y .*install .*g\+\+ cmake ninja-build")
        self.assertIn("libtbb-dev", done.stdout)

    def test_install_fetches_the_lists_when_they_do_not_do(self):
        self.program("apt-get", NOTE + 'case "$*" in *update*) touch "$HOME/updated";; esac\n[ -e "$HOME/updated" ]\n')
        (self.bin / "touch").symlink_to(shutil.which("touch"))
        done, calls = self.call("install_deps.sh", "build")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(["update" in c for c in calls], [False, True, False])

    def test_install_names_the_packages_when_apt_fails(self):
        self.program("apt-get", "#!/bin/sh\necho E: no network >&2\nexit 100\n")
        done, _ = self.call("install_deps.sh", "test")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no network", done.stderr)
        self.assertIn("by hand", done.stderr)
        self.assertIn("libgtest-dev", done.stderr)

    def test_install_names_the_packages_without_apt_and_without_root(self):
        done, _ = self.call("install_deps.sh", "test")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no apt-get", done.stderr)
        self.program("apt-get")
        self.program("id", "#!/bin/sh\necho 1000\n")
        done, calls = self.call("install_deps.sh", "test")
        self.assertEqual((done.returncode, calls), (1, []))
        self.assertIn("no sudo", done.stderr)
        self.assertIn("libgtest-dev", done.stderr)

    # install_python.sh

    def test_python_packages_are_left_alone_when_they_are_those_named(self):
        self.everything_installed()
        (self.bin / "cmp").symlink_to(shutil.which("cmp"))
        environment = self.root / "build/python"
        self.program("python", NOTE, environment / "bin")
        for path in (self.root / "tests/requirements.txt", environment / "requirements.txt"):
            path.parent.mkdir(exist_ok=True)
            path.write_text("numpy==1.26.4\n", encoding="utf-8")
        done, calls = self.call("install_python.sh")
        self.assertEqual((done.returncode, done.stdout, done.stderr, calls), (0, "", "", ["python -c "]))

    # wheel.sh, notices.sh

    def test_wheel_says_which_python_it_does_not_find(self):
        done, calls = self.call("wheel.sh", "--python", "python9.9")
        self.assertEqual((done.returncode, calls), (1, []))
        self.assertEqual(done.stderr, "wheel.sh: --python: expected a Python, found 'python9.9'\n")

    def test_notices_name_what_comes_from_no_package(self):
        for name in ("realpath", "cp", "sort"):
            (self.bin / name).symlink_to(shutil.which(name))
        self.program("dpkg-query", '#!/bin/sh\necho "libknown1:amd64: $3"\nexit 1\n')  # known is the first file
        known, unknown = self.top / "libknown.so.1", self.top / "libunknown.so.1"
        known.touch()
        unknown.touch()
        done, _ = self.call("notices.sh", str(self.top / "licenses"), str(known), str(unknown))
        self.assertEqual(done.returncode, 0)
        self.assertIn(f"no licence found here of {unknown}", done.stderr)
        self.assertIn("libknown1;", done.stderr)  # a package, but one without a text
        self.assertNotIn(str(known), done.stderr)

    # train.sh

    def built(self):
        self.everything_installed()
        self.program("cmake", "#!/bin/sh\nexit 0\n")
        programs = self.root / "build/release/bin"
        self.program("trainer", NOTE, programs)
        self.program("tools", NOTE + 'echo drawn >"$2/images"\n', programs)

    def test_train_hands_its_arguments_on(self):
        self.built()
        done, calls = self.call("train.sh", "--data", "my data", "--epochs", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls, ["trainer --data my data --epochs 3"])

    def test_train_takes_the_data_folder_here(self):
        self.built()
        here = self.top / "elsewhere"
        (here / "data").mkdir(parents=True)
        _, calls = self.call("train.sh", "--epochs", "3", cwd=here)
        self.assertEqual(calls, ["trainer --data data --epochs 3"])

    def test_train_takes_the_data_folder_of_the_project(self):
        self.built()
        (self.root / "data").mkdir()
        _, calls = self.call("train.sh")
        self.assertEqual(calls, [f"trainer --data {self.root}/data"])

    def test_train_draws_digits_without_data_and_says_so(self):
        self.built()
        for expected in (2, 3):  # drawn once, trained on twice
            done, calls = self.call("train.sh", "--epochs", "3")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("synthetic", done.stderr)
            self.assertEqual(len(calls), expected)
            self.assertEqual(calls[-1], f"trainer --data {self.root}/build/synthetic --epochs 3")
        self.assertTrue(calls[0].startswith("tools synth "), calls[0])
        self.assertEqual([p.name for p in (self.root / "build/synthetic").iterdir()], ["images"])

    def test_train_hands_on_the_trainers_status(self):
        self.built()
        self.program("trainer", "#!/bin/sh\nexit 3\n", self.root / "build/release/bin")
        self.assertEqual(self.call("train.sh", "--data", "x")[0].returncode, 3)

    def test_train_builds_for_a_gpu_where_driver_and_toolkit_are(self):
        self.built()
        self.program("trainer", NOTE, self.root / "build/cuda/bin")
        self.program("cmake", NOTE)
        self.program("nvidia-smi")
        self.program("nvcc")
        _, calls = self.call("train.sh", "--data", "x")
        self.assertEqual(calls[0].split()[:3], ["cmake", "--preset", "cuda"])
        self.assertEqual(calls[-1], "trainer --data x")

    def test_train_takes_the_preset_it_is_told(self):
        self.built()
        self.program("cmake", NOTE)
        self.program("nvidia-smi")
        self.environment["MILLRACE_PRESET"] = "release"
        _, calls = self.call("train.sh", "--data", "x")
        self.assertEqual(calls[0].split()[:3], ["cmake", "--preset", "release"])

    # build.sh

    def test_build_shows_the_end_of_the_log_when_it_fails(self):
        self.everything_installed()
        self.program("cmake", "#!/bin/sh\necho something broke\nexit 1\n")
        done, calls = self.call("train.sh", "--data", "x")
        self.assertEqual((done.returncode, calls), (1, []))
        self.assertIn("something broke", done.stderr)
        self.assertIn("build.log", done.stderr)

    # tidy.py

    def test_tidy_looks_again_only_at_what_changed(self):
        build = self.root / "build"
        build.mkdir()
        (self.root / ".clang-tidy").write_text("Checks: bugprone-*\n", encoding="utf-8")
        for name in ("a.cpp", "a.h", "b.cpp"):
            (self.root / name).write_text("good\n", encoding="utf-8")
        (build / "compile_commands.json").write_text(json.dumps(
            [{"directory": str(build), "command": f"c++ -o {name}.o -c {self.root}/{name}.cpp", "file": f"{self.root}/{name}.cpp"}
             for name in "ab"]), encoding="utf-8")
        self.program("ninja", "#!/bin/sh\nprintf 'a.o: #deps 2, deps mtime 1 (VALID)\\n    ../a.cpp\\n    ../a.h\\n\\n"
                     "b.o: #deps 1, deps mtime 1 (VALID)\\n    ../b.cpp\\n'\n")
        self.program("clang-tidy-14", '#!/bin/sh\nfor last; do :; done\n[ "$last" = --version ] && exit\n'
                     'basename "$last" >>"$CALLS"\n! grep -H bad "$last"\n')
        (self.bin / "python3").symlink_to(sys.executable)

        def tidy():
            (self.top / "calls").unlink(missing_ok=True)
            done, calls = self.call("tidy.py", str(build))
            return done.returncode, done.stdout.strip(), sorted(calls)

        self.assertEqual(tidy(), (0, "", ["a.cpp", "b.cpp"]))
        self.assertEqual(tidy(), (0, "", []))
        (self.root / "a.h").write_text("other\n", encoding="utf-8")
        self.assertEqual(tidy(), (0, "", ["a.cpp"]))
        (self.root / "b.cpp").write_text("bad\n", encoding="utf-8")
        for _ in range(2):  # what is found is not forgotten
            self.assertEqual(tidy(), (1, f"{self.root}/b.cpp:bad", ["b.cpp"]))
        (self.root / "b.cpp").write_text("good\n", encoding="utf-8")
        (self.root / ".clang-tidy").write_text("Checks: '*'\n", encoding="utf-8")
        self.assertEqual(tidy(), (0, "", ["a.cpp", "b.cpp"]))

    # gpu_check.sh

    def gpu_machine(self, engine_tests="#!/bin/sh\n"):
        for name in ("date", "timeout", "tr", "awk", "head", "ls", "sleep", "realpath"):
            (self.bin / name).symlink_to(shutil.which(name))
        folder = self.root / "build/cuda"
        self.program("tools", folder=folder / "bin")
        self.program("trainer", RUNS, folder / "bin")
        self.program("products_bench", "#!/bin/sh\necho '{\"bench\":\"products\",\"step_us\":20.5,\"tflops\":1,\"with_epilogues_us\":19.25,\"without_epilogue\":[3,9],\"engine_us\":25.25,\"engine_fused_backward_us\":27.75,\"engine_unfused_backward_us\":24.5,\"engine_on_one_stream_us\":31.5}'\n", folder / "bin")
        self.program("cuda_engine_tests", engine_tests, folder / "tests")
        self.program("compute-sanitizer")

    def gpu_check(self):
        done, calls = self.call("gpu_check.sh", "--data", "digits", "--out", str(self.top / "check.json"))
        found = json.loads((self.top / "check.json").read_text(encoding="utf-8"))
        return done, calls, found

    def test_gpu_check_notes_every_step(self):
        self.gpu_machine()
        self.program("loader_tests", folder=self.root / "build/cuda/tests")
        done, calls, found = self.gpu_check()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual((found["device"], found["obstacle"], found["failed"]), ("A GPU", "", 0))
        steps = {step["name"]: step for step in found["steps"]}
        self.assertEqual({name for name, step in steps.items() if step["result"] == "skipped"}, {"PyTorch"})
        # An epoch of 1.25 ms is 49 steps of 25.5 us.
        self.assertEqual({name: (step["value"], step["result"]) for name, step in steps.items()
                          if step["result"] in ("met", "MISSED")},
                         {"an epoch of it": (1.25, "met"), "GPU idle in 10 epochs": (25, "MISSED"),
                          "copies hidden": (98, "met"), "host against resident": (1, "met"),
                          "of their speed, bf16": (80.36, "met")})
        self.assertEqual(steps["its products alone, bf16"]["detail"], "with epilogues 19.25 us, without: 3,9")
        self.assertEqual((steps["on one stream, bf16"]["value"], steps["on one stream, bf16"]["detail"]), 
                         (31.5, "as it is: 25.25 us; backward pass with epilogues: 27.75, without: 24.50 us"))
        self.assertEqual(steps["784-32-10, batch 128, host"]["value"], 1.25)
        self.assertEqual(steps["784-32-10, batch 128, host"]["detail"], "copy-bound: it is")
        self.assertEqual((steps["its copies"]["value"], steps["its copies"]["unit"]), (48, "GB/s"))
        self.assertEqual(steps["trace, host"]["detail"], str(self.top / "check.host.trace.json"))
        for name in ("engine tests", "parity with the CPU", "determinism", "compute-sanitizer racecheck", "loader_tests",
                     "same weights, run by run", "784-1024x3-10, 1024, tf32"):
            self.assertIn(name, steps)
            self.assertIn(name, done.stdout)
        self.assertEqual(sum(call.startswith("compute-sanitizer --tool") for call in calls), 3)
        self.assertFalse((self.top / "check.failed.log").exists())
        # What tells most comes first: time may run out.
        order = [name for name in steps if name in ("a first run", "parity with the CPU", "an epoch of it", "copies hidden",
                                                    "of their speed, bf16", "PyTorch", "784-1024x3-10, 1024, tf32", "engine tests",
                                                    "compute-sanitizer racecheck", "loader_tests")]
        self.assertEqual(order, ["a first run", "parity with the CPU", "an epoch of it", "copies hidden", "of their speed, bf16",
                                 "PyTorch", "784-1024x3-10, 1024, tf32", "engine tests", "compute-sanitizer racecheck", "loader_tests"])

    def test_gpu_check_ends_what_its_time_does_not_suffice_for(self):
        self.gpu_machine("#!/bin/sh\nsleep 30\n")
        self.environment["SECONDS"] = "458"
        self.environment["MILLRACE_PYTORCH_PEER"] = "peer.py"
        done, _, found = self.gpu_check()
        results = {step["name"]: (step["result"], step["detail"]) for step in found["steps"]}
        for name in ("parity with the CPU", "same weights, run by run", "784-32-10, batch 128, host",
                     "784-1024x3-10, 1024, bf16", "PyTorch", "compute-sanitizer memcheck"):
            self.assertEqual(results[name], ("skipped", "no time was left"), name)
        self.assertEqual((done.returncode, found["failed"]), (0, 0), "what was not done has not failed")
        self.assertLess(found["seconds"], 470, done.stdout)

    def test_gpu_check_fails_with_what_fails(self):
        self.gpu_machine('#!/bin/sh\necho "a \\"Failure\\" here"\nexit 1\n')
        self.program("compute-sanitizer", "#!/bin/sh\necho '========= ERROR SUMMARY: 3 errors'\nexit 9\n")
        done, _, found = self.gpu_check()
        self.assertEqual(done.returncode, 1)
        failed = {step["name"]: step["detail"] for step in found["steps"] if step["result"] == "FAILED"}
        self.assertEqual(failed, {
            **dict.fromkeys(("engine tests", "parity with the CPU", "determinism"), 'a "Failure" here'),
            **{f"compute-sanitizer {tool}": "========= ERROR SUMMARY: 3 errors"
               for tool in ("memcheck", "racecheck", "initcheck")}})
        self.assertEqual(found["failed"], 6)
        said = (self.top / "check.failed.log").read_text(encoding="utf-8")
        self.assertIn("=== engine tests: a \"Failure\" here\na \"Failure\" here\n=== compute-sanitizer racecheck: ", said)
        self.assertEqual(sum(line.startswith("=== ") for line in said.splitlines()), 6)
        self.assertIn(str(self.top / "check.failed.log"), done.stdout)

    def test_gpu_check_sees_weights_that_differ_and_tests_that_were_skipped(self):
        self.gpu_machine("#!/bin/sh\necho '[  SKIPPED ] GpuEngine.X'\n")
        trainer = self.root / "build/cuda/bin/trainer"
        trainer.write_text(trainer.read_text(encoding="utf-8").replace("HASH", "$$"), encoding="utf-8")
        done, _, found = self.gpu_check()
        self.assertEqual(done.returncode, 1)
        self.assertEqual([step["name"] for step in found["steps"] if step["result"] == "FAILED"],
                         ["parity with the CPU, none skipped", "same weights, run by run", "determinism, none skipped",
                          "engine tests, none skipped"])

    def test_gpu_check_asks_an_older_gpu_for_float32_alone(self):
        self.gpu_machine(NOTE)
        trainer = self.root / "build/cuda/bin/trainer"
        trainer.write_text(trainer.read_text(encoding="utf-8").replace(
            '\\"train_samples', '\\"precision\\":\\"fp32\\",\\"train_samples'), encoding="utf-8")
        done, calls, found = self.gpu_check()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        results = {step["name"]: step["result"] for step in found["steps"]}
        self.assertEqual(results["TF32 and bfloat16"], "skipped")
        self.assertEqual(results["784-1024x3-10, 1024, fp32"], "passed")
        self.assertFalse([name for name in results if name.endswith((", tf32", ", bf16"))])
        filters = [test for call in calls for test in call.partition("--gtest_filter=")[2].split(":") if test]
        self.assertEqual(len(filters), 9 + 1 + 2 * 3)
        # Kernels by themselves are of no precision.
        self.assertEqual([test for test in filters if not test.endswith("/fp32")], 3 * ["GpuKernels.*"])

    # Its help is longer than what a pipe holds.
    def test_gpu_check_tells_the_sanitizer_which_kernels_are_ours(self):
        for option in ("--kernel-name", "--kernel-regex"):
            with self.subTest(option):
                if option == "--kernel-name":
                    self.gpu_machine()
                self.program("compute-sanitizer", NOTE + f"""
[ "$1" != --help ] || {{ echo "  {option} arg"; head -c 200000 /dev/zero; }}
""")
                _, calls, _ = self.gpu_check()
                checks = [call.split() for call in calls if call.startswith("compute-sanitizer --tool")][-3:]
                self.assertEqual([check[2] for check in checks if check[3:5] == [option, "kns=millrace"]],
                                 ["racecheck", "initcheck"])
                # No product of a library's under racecheck.
                self.assertEqual([check[2] for check in checks if "GpuEngine" not in check[-1]], ["racecheck"])
                self.assertEqual([check[2] for check in checks if check[-1].endswith(("=GpuKernels.*", ":GpuKernels.*"))],
                                 ["racecheck", "initcheck", "memcheck"])

    def test_gpu_check_without_a_gpu_says_so_and_nothing_else(self):
        self.gpu_machine()
        self.program("trainer", '#!/bin/sh\necho "trainer: device cuda: this \\"machine\\" has none" >&2\nexit 1\n',
                     self.root / "build/cuda/bin")
        done, calls, found = self.gpu_check()
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (77, 'gpu_check.sh: no GPU: this "machine" has none\n', ""))
        self.assertEqual((found["obstacle"], found["steps"], calls), ('this "machine" has none', [], []))

    def test_gpu_check_finds_cublas_where_python_has_it(self):
        self.gpu_machine()
        packages = self.top / "site packages"
        (packages / "nvidia/cu13/lib").mkdir(parents=True)
        (packages / "nvidia/cu13/lib/libcublasLt.so.77").touch()
        self.program("ldd", "#!/bin/sh\nprintf '\\tlibcublasLt.so.77 => not found\\n'\n")
        self.program("python3", f"#!/bin/sh\nexport PYTHONPATH='{packages}'\nexec '{sys.executable}' \"$@\"\n")
        self.program("trainer", '#!/bin/sh\necho "trainer: device cuda: $LD_LIBRARY_PATH" >&2\nexit 1\n',
                     self.root / "build/cuda/bin")
        done, _, found = self.gpu_check()
        self.assertEqual((found["obstacle"], done.stderr), (f"{packages}/nvidia/cu13/lib", ""))

    def test_gpu_check_leaves_pytorch_to_the_libraries_that_it_brings(self):
        self.gpu_machine()
        cublas = self.top / "cublas"
        cublas.mkdir()
        (cublas / "libcublasLt.so.77").touch()
        self.program("ldd", "#!/bin/sh\nprintf '\\tlibcublasLt.so.77 => not found\\n'\n")
        self.program("python3", f"""#!/bin/sh
case $* in
  *nvidia*) echo "{cublas}" ;;
  *) echo "python3 with $LD_LIBRARY_PATH: $1" >>"$CALLS"; echo '{{"epoch_s": 0.5}}' ;;
esac
""")
        self.environment.update({"MILLRACE_PYTORCH_PEER": "peer.py", "LD_LIBRARY_PATH": "given"})
        done, calls, found = self.gpu_check()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual([call for call in calls if call.startswith("python3 with")],
                         ["python3 with given: -c", *["python3 with given: peer.py"] * 3])
        steps = {step["name"]: step["value"] for step in found["steps"]}
        self.assertEqual(steps["as fast as PyTorch tuned"], 400)

    def test_gpu_check_refuses_what_it_does_not_know(self):
        done, _ = self.call("gpu_check.sh", "--fast")
        self.assertEqual((done.returncode, done.stderr), (2, "gpu_check.sh: unknown argument '--fast'; see --help\n"))
        done, _ = self.call("gpu_check.sh")
        self.assertEqual(done.returncode, 2)
        self.assertIn("build/cuda/bin/trainer: expected a program, found none", done.stderr)


if __name__ == "__main__":
    unittest.main()
