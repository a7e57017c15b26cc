"""Who may include whom. Folders include downwards only, CUDA stays in compute/cuda, and every library that is
included is one that the folder may know."""

import re
import tempfile
import unittest
from pathlib import Path

import source_tree

# Headers of the C library, of POSIX and of the C++ ABI; names without a suffix are the C++ library's.
SYSTEM = re.compile(
    r"[a-z_0-9]+$|sys/(file|mman|stat|syscall|types|resource|wait|statvfs|ioctl|time|prctl|auxv)\.h$"
    r"|(dlfcn|fcntl|unistd|sched|pthread|signal|errno|dirent|spawn|poll|time|termios|ucontext|cxxabi)\.h$"
)
EXTERNAL = {
    "zstd": r"zstd(_errors)?\.h$",
    "libdeflate": r"libdeflate\.h$",
    "xxhash": r"xxhash\.h$",
    "curl": r"curl/",
    "openssl": r"openssl/",
    "stb": r"stb/",
    "turbojpeg": r"turbojpeg\.h$",
    "snappy": r"snappy\.h$",
    "fmt": r"fmt/",
    "json": r"nlohmann/",
    "tbb": r"(oneapi/)?tbb/|tbb\.h$",
    "highway": r"hwy/",
    "onednn": r"(oneapi/dnnl/)?dnnl",
    "cli11": r"CLI/",
    "intrinsics": r"(immintrin|cpuid|arm_neon|asm/prctl)\.h$",
    "sanitizers": r"sanitizer/",
    "gtest": r"(gtest|gmock)/",
    "benchmark": r"benchmark/",
    "pybind11": r"pybind11/",
    "mlpack": r"mlpack/",
    "cuda": r"(cuda|cublas|curand|nvtx3/|nvToolsExt|cub/|thrust/|cooperative_groups)",
}
FORMATS_LIBRARIES = {"zstd", "libdeflate", "snappy", "xxhash", "fmt", "json", "stb", "turbojpeg"}
# folder → (own folders it may include, libraries it may include). The longest prefix counts.
RULES = {
    "formats": ({"formats"}, FORMATS_LIBRARIES),
    "compute": ({"compute"}, {"tbb", "highway", "intrinsics", "fmt"}),
    "compute/cpu": ({"compute", "compute/cpu"}, {"tbb", "highway", "intrinsics", "fmt"}),
    "compute/cuda": ({"compute", "compute/cuda"}, {"cuda", "fmt"}),
    "loader": ({"loader", "formats", "compute"}, {"tbb", "highway", "fmt"}),
    "train": ({"train", "loader", "formats", "compute"}, {"fmt", "json", "xxhash"}),
    "tools": (
        {"tools", "train", "loader", "formats", "compute"},
        {"cli11", "fmt", "json", "xxhash", "tbb", "zstd", "libdeflate", "highway", "curl", "openssl", "stb"},
    ),
    "bench": (
        {"bench", "tests/support", "tools", "train", "loader", "formats", "compute", "compute/cpu", "compute/cuda"},
        {"benchmark", "cli11", "onednn", "tbb", "highway", "intrinsics", "json", "fmt", "zstd"},
    ),
    "bench/mlpack": (set(), {"mlpack"}),
    "python": ({"python", "tools", "train", "loader", "formats", "compute"}, {"pybind11", "json"}),
    "examples": ({"train", "loader", "formats", "compute"}, set()),
    "tests": (
        {"tests/support", "tools", "train", "loader", "formats", "compute", "compute/cpu"},
        {"gtest", "tbb", "highway", "intrinsics", "json", "fmt", "zstd", "libdeflate", "xxhash", "cli11", "turbojpeg"},
    ),
    "tests/train/cuda": (
        {"tests/support", "tests/compute/cuda", "train", "loader", "formats", "compute", "compute/cuda"},
        {"gtest"},
    ),
    "tests/compute/cuda": ({"tests/support", "tests/compute", "compute", "compute/cuda"}, {"gtest", "cuda", "sanitizers"}),
}
# Single headers that a folder may include beyond that.
EXCEPTIONS = {
    ("compute/cpu", "formats/philox.h"),  # and of dropout
    ("compute", "formats/exact_math.h"),  # the same bits everywhere
    ("compute", "formats/philox.h"),  # the one random generator: of drawn data, of orders and of first weights
}
# compute's own headers are public and show no engine's insides; its sources may use them.

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"(?P<own>[^"]+)"|<(?P<external>[^>]+)>)')
# Highway's way to compile a file once per instruction set: it names the file to include in a macro.
HIGHWAY_TARGET = re.compile(r'^\s*#\s*define\s+HWY_TARGET_INCLUDE\s+"(?P<own>[^"]+)"')
CUDA_WORDS = re.compile(
    r"\bcuda[A-Z]\w*|\bcublas\w*|\bcu(?:Mem|Ctx|Stream|Event|Device|Launch|Graph)\w*|\b__global__\b|\b__device__\b"
    r"|\b__CUDA\w*|^\s*#\s*(?:if|ifdef|ifndef|elif).*CUDA"
)


def rule_for(name):
    prefixes = [p for p in RULES if name.startswith(p + "/")]
    return max(prefixes, key=len) if prefixes else None


def library_of(header):
    return next((library for library, pattern in EXTERNAL.items() if re.match(pattern, header)), None)


def within(folder, allowed):
    """Subfolders count, but compute's are listed one by one."""
    return any(folder == a or (a != "compute" and folder.startswith(a + "/")) for a in allowed)


def violations(root):
    found = []
    for path in source_tree.code_files(root):
        name = path.relative_to(root).as_posix()
        prefix = rule_for(name)
        own, libraries = RULES[prefix]
        if prefix == "compute" and path.suffix == ".cpp":
            own = own | {"compute/cpu"}
        if prefix == "tests":
            own = own | {"/".join(name.split("/")[:2])}  # helpers of one folder's tests
        for number, line in source_tree.lines(path, strings=False):
            match = INCLUDE.match(line) or HIGHWAY_TARGET.match(line)
            where = f"{name}:{number}"
            if not match:
                continue
            # Highway's headers are included in quotes, as its manual does.
            quoted = match.groupdict().get("own")
            header = quoted or match.group("external")
            library = library_of(header)
            if quoted and library is None:
                folder = Path(header).parent.as_posix()
                if not (root / header).is_file():
                    found.append(f"{where}: includes {header}, which is not a path from the project's root")
                elif (prefix, header) in EXCEPTIONS:
                    continue
                elif not within(folder, own | {Path(name).parent.as_posix()}):
                    found.append(f"{where}: {prefix} may not include {folder}")
            elif library is None and not SYSTEM.match(header):
                found.append(f"{where}: <{header}> belongs to no library that this test knows")
            elif library is not None and library not in libraries:
                found.append(f"{where}: {prefix} may not use {library}")
        if not prefix.endswith("/cuda"):
            for number, line in source_tree.lines(path):
                if CUDA_WORDS.search(line) and not INCLUDE.match(line):
                    found.append(f"{name}:{number}: CUDA outside compute/cuda: {line.strip()}")
    return found


class IncludeRule(unittest.TestCase):
    maxDiff = None

    def test_holds(self):
        self.assertEqual(violations(source_tree.ROOT), [])

    def test_looks_at_the_whole_project(self):
        names = {p.relative_to(source_tree.ROOT).parts[0] for p in source_tree.code_files()}
        self.assertEqual(names, set(source_tree.CODE_FOLDERS))

    def check(self, name, text, expected, others=()):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            source_tree.write_tree(root, {other: "#pragma once\n" for other in others})
            source_tree.write_tree(root, {name: text})
            self.assertEqual(violations(root), expected)

    def test_sees_an_upward_include(self):
        self.check("formats/a.cpp", '#include "loader/x.h"\n', ["formats/a.cpp:1: formats may not include loader"],
                   ["loader/x.h"])

    def test_sees_engine_internals_in_the_loader(self):
        self.check("loader/a.h", '\n#include "compute/cpu/x.h"\n', ["loader/a.h:2: loader may not include compute/cpu"],
                   ["compute/cpu/x.h"])
        self.check("loader/a.h", '#include "compute/cuda/x.h"\n', ["loader/a.h:1: loader may not include compute/cuda"],
                   ["compute/cuda/x.h"])
        self.check("loader/a.h", '#include "compute/x.h"\n', [], ["compute/x.h"])
        self.check("compute/a.h", '#include "compute/cuda/x.h"\n',
                   ["compute/a.h:1: compute may not include compute/cuda"], ["compute/cuda/x.h"])
        self.check("compute/a.h", '#include "compute/cpu/x.h"\n',
                   ["compute/a.h:1: compute may not include compute/cpu"], ["compute/cpu/x.h"])
        self.check("compute/a.cpp", '#include "compute/cpu/x.h"\n', [], ["compute/cpu/x.h"])

    def test_sees_a_library_that_is_not_for_the_folder(self):
        self.check("train/a.cpp", "#include <zstd.h>\n", ["train/a.cpp:1: train may not use zstd"])
        self.check("formats/a.cpp", "#include <zstd.h>\n#include <vector>\n#include <sys/mman.h>\n", [])

    def test_sees_an_unknown_header(self):
        self.check("train/a.cpp", "#include <boost/any.hpp>\n",
                   ["train/a.cpp:1: <boost/any.hpp> belongs to no library that this test knows"])

    def test_sees_an_include_relative_to_its_own_folder(self):
        self.check("train/a.cpp", '#include "b.h"\n',
                   ["train/a.cpp:1: includes b.h, which is not a path from the project's root"], ["train/b.h"])

    def test_sees_cuda_outside_its_folder(self):
        self.check("compute/a.cpp", "#include <cuda_runtime.h>\n", ["compute/a.cpp:1: compute may not use cuda"])
        self.check("train/a.h", "cudaStream_t stream;\n",
                   ["train/a.h:1: CUDA outside compute/cuda: cudaStream_t stream;"])
        self.check("tools/a.cpp", "#ifdef MILLRACE_CUDA\n#endif\n",
                   ["tools/a.cpp:1: CUDA outside compute/cuda: #ifdef MILLRACE_CUDA"])
        self.check("compute/cuda/a.cu", "#include <cuda_runtime.h>\ncudaStream_t s;\n", [])

    def test_subfolders_of_a_folder_belong_to_it(self):
        self.check("tools/a/x.cpp", '#include "tools/b/x.h"\n', [], ["tools/b/x.h"])

    def test_comments_and_strings_do_not_count(self):
        self.check("train/a.h", '// cudaMalloc\n/* #include "tools/x.h" */\nauto s = "cudaFree";\n', [])


if __name__ == "__main__":
    unittest.main()
