# SPDX-License-Identifier: Apache-2.0
"""larod.h compiles as applications compile it, has the layout of a camera's, and the library exports
what it declares and nothing else."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INCLUDE = os.path.join(ROOT, "include")
BUILD = os.environ.get("DLPU_BUILD", os.path.join(ROOT, "build", "release"))
LIBRARY = os.path.join(BUILD, "lib", "liblarod.so.1")
GOLDEN = os.path.join(ROOT, "tests", "golden", "larod_symbols.txt")
# The flags of the example applications of the ACAP Native SDK.
FLAGS = ("-Wall -Wextra -Wformat=2 -Wpointer-arith -Wbad-function-cast -Wstrict-prototypes "
         "-Wmissing-prototypes -Winline -Wdisabled-optimization -Wfloat-equal -W -Werror").split()
C_ONLY = {"-Wbad-function-cast", "-Wstrict-prototypes", "-Wmissing-prototypes"}
VERSIONS = ["", "LAROD_API_VERSION_1", "LAROD_API_VERSION_2", "LAROD_API_VERSION_3"]

LAYOUT = """
#include <larod.h>
#include <stddef.h>
#ifdef __cplusplus
#define CHECK(what) static_assert(what, #what)
#else
#define CHECK(what) _Static_assert(what, #what)
#endif
CHECK(sizeof(larodError) == (sizeof(void*) == 8 ? 16 : 8));
CHECK(offsetof(larodError, msg) == sizeof(void*));
CHECK(sizeof(larodTensorDims) == 13 * sizeof(size_t));
CHECK(offsetof(larodTensorDims, len) == 12 * sizeof(size_t));
CHECK(sizeof(larodTensorPitches) == 13 * sizeof(size_t));
CHECK(LAROD_INVALID_FD == INT_MIN && LAROD_INVALID_MODEL_ID == UINT64_MAX);
CHECK(LAROD_FD_TYPE_DMA == 6 && LAROD_FD_TYPE_DISK == 3 && LAROD_TENSOR_MAX_LEN == 12);
CHECK(LAROD_ERROR_POWER_NOT_AVAILABLE == -15 && LAROD_ERROR_MAX_ERRNO == 1024);
CHECK(LAROD_TENSOR_DATA_TYPE_FLOAT32 == 12 && LAROD_TENSOR_DATA_TYPE_MAX == 14);
CHECK(LAROD_TENSOR_LAYOUT_420SP == 4 && LAROD_ACCESS_USER_PROTECTED == 3);
#if defined(LAROD_API_VERSION_1) || defined(LAROD_API_VERSION_2)
CHECK(LAROD_CHIP_TFLITE_ARTPEC8DLPU == 12 && LAROD_CHIP_OPENCL == 13);
#endif
#ifdef LAROD_API_VERSION_1
CHECK(LAROD_ERROR_INFERENCE == -1);
#endif
"""


def compilers(cross=False):
    names = ["gcc", "clang", "clang-14"] + (["aarch64-linux-gnu-gcc"] if cross else [])
    return [name for name in names if shutil.which(name)]


def compile_text(compiler, options, text):
    """What the compiler complains about; empty when nothing."""
    command = [compiler, *options, f"-I{INCLUDE}", "-fsyntax-only", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True).stderr


def options(standard, version):
    cxx = "++" in standard
    flags = [flag for flag in FLAGS if not (cxx and flag in C_ONLY)]
    language = ["-x", "c++" if cxx else "c", f"-std={standard}"]
    return language + flags + ([f"-D{version}"] if version else [])


class Header(unittest.TestCase):
    def test_compiles_without_a_warning(self):
        tried = 0
        for compiler in compilers():
            for standard in ["c99", "c11", "gnu17", "c++11", "c++17", "c++20"]:
                for version in VERSIONS:
                    text = "#include <larod.h>\n#include <larod.h>\n"
                    complaint = compile_text(compiler, options(standard, version), text)
                    self.assertEqual(complaint, "", f"{compiler} {standard} {version}")
                    tried += 1
        self.assertGreaterEqual(tried, 24)

    def test_layout_is_a_cameras(self):
        for compiler in compilers(cross=True):
            for standard in ["c11", "c++17"]:
                for version in VERSIONS:
                    complaint = compile_text(compiler, options(standard, version), LAYOUT)
                    self.assertEqual(complaint, "", f"{compiler} {standard} {version}")

    def test_layout_test_notices(self):
        wrong = LAYOUT.replace("LAROD_FD_TYPE_DMA == 6", "LAROD_FD_TYPE_DMA == 5")
        self.assertIn("LAROD_FD_TYPE_DMA", compile_text("gcc", options("c11", ""), wrong))

    def test_two_versions_at_once_are_refused(self):
        both = options("c11", "LAROD_API_VERSION_1") + ["-DLAROD_API_VERSION_2"]
        self.assertIn("not both", compile_text("gcc", both, "#include <larod.h>\n"))


def declared(version):
    """The functions that the header declares, as the linker sees them."""
    text = subprocess.run(["gcc", "-E", "-P", f"-I{INCLUDE}", f"-D{version}", "-x", "c", "-"],
                          input="#include <larod.h>\n", capture_output=True, text=True,
                          check=True).stdout
    return set(re.findall(r"\b(larod\w+)\s*\(", text)) - {"larod"}


class Library(unittest.TestCase):
    def setUp(self):
        if not os.path.exists(LIBRARY):
            self.skipTest(f"{LIBRARY} is not built")

    def golden(self):
        with open(GOLDEN, encoding="utf-8") as file:
            return set(file.read().split())

    def test_exports_the_api_and_nothing_else(self):
        lines = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True,
                               text=True, check=True).stdout.splitlines()
        exported = {line.split()[-1] for line in lines}
        self.assertEqual(exported, self.golden())

    def test_every_declaration_is_exported(self):
        found = set()
        for version in VERSIONS[1:]:
            found |= declared(version)
        self.assertGreater(len(found), 80)
        self.assertEqual(found, self.golden())

    def test_every_declaration_compiles_as_c99_and_links(self):
        """A table of all functions of each version, each through its own declaration."""
        tried = 0
        for compiler in compilers():
            for version in VERSIONS:
                names = sorted(declared(version or "NONE"))
                text = ("#include <larod.h>\ntypedef void (*Any)(void);\nstatic const Any all[] = {\n"
                        + "".join(f"    (Any){name},\n" for name in names)
                        + "};\nint main(void) {\n"
                        "    for (unsigned i = 0; i < sizeof all / sizeof *all; ++i)\n"
                        "        if (!all[i]) return 1;\n    return 0;\n}\n")
                with tempfile.TemporaryDirectory() as folder:
                    program = os.path.join(folder, "a.out")
                    done = subprocess.run(
                        [compiler, "-x", "c", "-std=c99", "-pedantic-errors", "-Werror", "-Wall",
                         *([f"-D{version}"] if version else []), f"-I{INCLUDE}", "-", "-x", "none",
                         LIBRARY, "-o", program], input=text, capture_output=True, text=True)
                    self.assertEqual(done.stderr, "", f"{compiler} {version}")
                    env = dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(LIBRARY))
                    self.assertEqual(subprocess.run([program], env=env).returncode, 0)
                tried += len(names)
        self.assertGreater(tried, 280)

    def test_soname_and_symbol_versions(self):
        dynamic = subprocess.run(["readelf", "-d", "-V", LIBRARY], capture_output=True, text=True,
                                 check=True).stdout
        self.assertIn("soname: [liblarod.so.1]", dynamic)
        # A program of a camera asks for versions whose names are not known; a library without any
        # is taken by the loader.
        self.assertNotIn("Version definition section", dynamic)

    def test_pkg_config_builds_a_program(self):
        if not shutil.which("pkg-config"):
            self.skipTest("no pkg-config")
        env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(BUILD, "lib", "pkgconfig"))
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "liblarod"], env=env,
                               capture_output=True, text=True, check=True).stdout.split()
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "a.out")
            text = "#include <larod.h>\nint main(void) { larodClearError(NULL); return 0; }\n"
            subprocess.run(["gcc", "-x", "c", "-", "-x", "none", "-o", program, *flags],
                           input=text, text=True, check=True)
            env["LD_LIBRARY_PATH"] = os.path.join(BUILD, "lib")
            subprocess.run([program], env=env, check=True)


if __name__ == "__main__":
    unittest.main()
