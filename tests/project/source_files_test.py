"""Rules for single files: no path of one person's machine, headers with their guard, a test beside each file."""

import re
import tempfile
import unittest
from pathlib import Path

import source_tree

MACHINE_PATH = re.compile(r"(?<![\w.~}/])/(?:home|root|Users|work|mnt|media)/\w|[A-Z]:\\\\?Users")
# Library files without a test named for them → where they are tested, or why they need none.
WHOLE_ENGINE = "engine_test holds it against the double-precision reference, golden_test against PyTorch"
WHOLE_DEVICE_ENGINE = "device_engine_test runs it on a fake device against the double-precision reference"
KERNELS = "kernels_test and emulated_engine_test run it on an emulated device, thread by thread"
CALLS = "cuda_runtime_test, with NVIDIA's calls on the host; gpu_engine_test on a GPU"
ON_A_GPU = "gpu_kernels_test and gpu_engine_test on a machine with a GPU; skipped elsewhere"
WHOLE_RUN = "trainer_test, resume_test and same_bits_test run it"
DECLARATIONS = "declarations alone"
IMAGES = "image_test, format by format"
FOLDERS = "folder_test and the tests of the data sets"
UNTESTED = {
    "compute/cpu/bf16_kernels": WHOLE_ENGINE,
    "compute/cpu/bf16_net": WHOLE_ENGINE,
    "compute/cpu/cpu_engine": WHOLE_ENGINE,
    "compute/cpu/f32_kernels": WHOLE_ENGINE,
    "compute/cpu/f32_net": WHOLE_ENGINE,
    "compute/cpu/norm_layer": WHOLE_ENGINE,
    "compute/chunk_checks": "engine_errors_test",
    "compute/optimizer_step": WHOLE_ENGINE,
    "compute/thread_name": "e2e.trace: the names of its threads",
    "compute/cpu/row_source": WHOLE_ENGINE,
    "compute/cpu/step_options": WHOLE_ENGINE,
    "compute/cpu/prefetch": "hints to the processor, which change no result",
    "compute/cpu/cpu_net": DECLARATIONS,
    "compute/cuda/activation_gradient": KERNELS,
    "compute/cuda/capability": "device_engine_test",
    "compute/cuda/copy_arrays": KERNELS,
    "compute/cuda/elements": KERNELS,
    "compute/cuda/elementwise": KERNELS,
    "compute/cuda/hand_over_sums": KERNELS,
    "compute/cuda/kernel": DECLARATIONS,
    "compute/cuda/matmul": DECLARATIONS,
    "compute/cuda/network": WHOLE_DEVICE_ENGINE,
    "compute/cuda/owned": WHOLE_DEVICE_ENGINE,
    "compute/cuda/parameter_layout": WHOLE_DEVICE_ENGINE,
    "compute/cuda/piece": WHOLE_DEVICE_ENGINE,
    "compute/cuda/graph_input": WHOLE_DEVICE_ENGINE,
    "compute/cuda/piece_runner": WHOLE_DEVICE_ENGINE,
    "compute/cuda/pinned_memory": WHOLE_DEVICE_ENGINE,
    "compute/cuda/products": WHOLE_DEVICE_ENGINE,
    "compute/cuda/runtime": DECLARATIONS,
    "compute/cuda/slot_ring": WHOLE_DEVICE_ENGINE,
    "compute/cuda/small_plan": "small_training_test",
    "compute/cuda/softmax_loss": KERNELS,
    "compute/cuda/step_constants": WHOLE_DEVICE_ENGINE,
    "compute/cuda/dropout": KERNELS,
    "compute/cuda/step_plan": WHOLE_DEVICE_ENGINE,
    "compute/cuda/sums": KERNELS,
    "compute/cuda/thread_blocks": KERNELS,
    "compute/cuda/launch": ON_A_GPU,
    "compute/cuda/lt_product": CALLS,
    "compute/cuda/make_cuda_engine": "EngineDevices of engine_errors_test",
    "compute/cuda/profiler": "shows in NVIDIA's profilers alone; docs/profiling.md says how to look",
    "compute/cuda/status": CALLS,
    "compute/cuda_engine": DECLARATIONS,
    "compute/cuda_unavailable": "EngineDevices of engine_test",
    "compute/make_engine": "EngineDevices and EngineErrors of engine_test",
    "formats/folder_tables": FOLDERS,
    "formats/folder_idx": FOLDERS,
    "formats/folder_images": FOLDERS,
    "formats/folder_kinds": FOLDERS,
    "formats/folder_shards": "sharded_set_test opens folders",
    "formats/folder_tar": FOLDERS,
    "formats/table": DECLARATIONS,
    "formats/table_read": "csv_test reads tables whole",
    "formats/made_dataset": "resized_dataset_test and standardized_test are of data sets made of it",
    "formats/forwarding_dataset": "selection_test, resized_dataset_test and run_blocks_test are of data sets made of it",
    "formats/image_codecs": DECLARATIONS,
    "formats/image_jpeg": IMAGES,
    "formats/image_png": IMAGES,
    "formats/image_pnm": IMAGES,
    "formats/image_stb": IMAGES,
    "loader/bad_sample": DECLARATIONS,
    "loader/stats": DECLARATIONS,
    "loader/require": "rank_share_test, chunk_cursor_test and loader_test, refusal by refusal",
    "train/observer": DECLARATIONS,
    "train/epoch_loop": WHOLE_RUN,
    "train/json_numbers": "checkpoint_test, entry by entry",
    "train/run_info": WHOLE_RUN,
    "train/run_options": "checkpoint_test, entry by entry",
    "train/run_setup": WHOLE_RUN,
    "train/run_state": "checkpoint_test, entry by entry",
    "train/stopwatch": WHOLE_RUN,
}


def machine_paths(root):
    found = []
    for path in source_tree.files(root):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image or other binary
        for number, line in enumerate(text.split("\n"), start=1):
            if MACHINE_PATH.search(line):
                found.append(f"{path.relative_to(root).as_posix()}:{number}: {line.strip()}")
    return found


def unguarded_headers(root):
    headers = [p for p in source_tree.code_files(root) if p.suffix in (".h", ".cuh")]
    return [p.relative_to(root).as_posix() for p in headers if "#pragma once" not in p.read_text(encoding="utf-8")]


def untested_files(root):
    found = set()
    for path in source_tree.code_files(root, source_tree.LIBRARIES):
        stem = path.relative_to(root).with_suffix("")
        # Tests of compute/cpu stand beside those of compute, or in a folder of their own.
        folders = (root / "tests" / stem.parent, root / "tests" / stem.parts[0])
        if not any((folder / f"{stem.name}_test.cpp").is_file() for folder in folders):
            found.add(stem.as_posix())
    return found


class SourceFiles(unittest.TestCase):
    maxDiff = None

    def broken(self, contents):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        source_tree.write_tree(Path(folder.name), contents)
        return Path(folder.name)

    def test_name_no_path_of_a_machine(self):
        self.assertEqual(machine_paths(source_tree.ROOT), [])

    def test_sees_a_path_of_a_machine(self):
        line = "see /" + "home/me/mnist"
        self.assertEqual(machine_paths(self.broken({"docs/a.md": line, "b": "https://x.org/" + "home/page"})),
                         [f"docs/a.md:1: {line}"])

    def test_headers_are_guarded(self):
        self.assertEqual(unguarded_headers(source_tree.ROOT), [])

    def test_sees_an_unguarded_header(self):
        self.assertEqual(unguarded_headers(self.broken({"train/a.h": "int x;\n"})), ["train/a.h"])

    def test_each_library_file_has_a_test(self):
        untested = untested_files(source_tree.ROOT)
        self.assertEqual(sorted(untested - set(UNTESTED)), [], "have neither a test nor a reason in UNTESTED")
        self.assertEqual(sorted(set(UNTESTED) - untested), [], "are in UNTESTED but have a test or are gone")

    def test_sees_a_file_without_test(self):
        root = self.broken({"train/a.cpp": "", "train/b.cpp": "", "tests/train/b_test.cpp": ""})
        self.assertEqual(untested_files(root), {"train/a"})


if __name__ == "__main__":
    unittest.main()
