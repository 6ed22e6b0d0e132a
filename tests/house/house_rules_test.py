"""Shows for every rule of the house a small tree that breaks it, and one that breaks none."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import house_rules  # noqa: E402

HEADER = "// What it is for.\n#pragma once\n"
SOUND = {
    "CMakeLists.txt": "project(x)\n",
    "engine/README.md": "`types/` holds types.\n",
    "engine/types/a.h": HEADER + "#include <vector>\n",
    "engine/types/a.cc": '#include "engine/types/a.h"\n// a clock such as <chrono> is handed in\n',
    "engine/plan/README.md": "Plans.\n",
    "engine/plan/b.cc": '#include "engine/types/a.h"\n',
    "server/tool/main.cc": '#include <chrono>\n#include "engine/types/a.h"\n',
    "tests/server/main_test.cc": '#include "server/tool/main.h"\n',
    "scripts/build": "#!/usr/bin/env bash\nset -euo pipefail\n",
    "scripts/lib/common.sh": "# shellcheck shell=bash\n",
    ".ci/run": "#!/usr/bin/env bash\nset -euo pipefail\n",
}


def findings_with(changes):
    """The findings on SOUND with these files put in (None: taken out)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**SOUND, **changes}.items():
            if text is None:
                continue
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            if path.startswith(("scripts/", ".ci/")) and "not_executable" not in path:
                os.chmod(full, 0o755)
        return house_rules.findings(root)


class HouseRulesTest(unittest.TestCase):
    def refuses(self, changes, *parts):
        """Exactly one finding, and it contains all parts."""
        found = findings_with(changes)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])

    def test_a_sound_tree_has_no_finding(self):
        self.assertEqual(findings_with({}), [])

    def test_upward_includes(self):
        for path, target in [
                ("engine/types/c.cc", "server/x.h"), ("engine/types/c.cc", "persistence/x.h"),
                ("persistence/c.cc", "storage/x.h"), ("persistence/c.cc", "ha/x.h"),
                ("storage/c.cc", "persistence/x.h"), ("storage/c.cc", "server/x.h"),
                ("ha/c.cc", "server/x.h"), ("server/c.cc", "tests/x.h"),
                ("engine/types/c.cc", "tests/x.h")]:
            self.refuses({path: f'\n#include "{target}"\n'}, f"{path}:2", "must not include")
        self.refuses({"engine/types/c.cc": "# include <server/x.h>\n"}, "must not include server/")

    def test_downward_includes_are_fine(self):
        for path, target in [("persistence/c.cc", "engine/x.h"), ("ha/c.cc", "storage/x.h"),
                             ("ha/c.cc", "persistence/x.h"), ("server/c.cc", "ha/x.h")]:
            self.assertEqual(findings_with({path: f'#include "{target}"\n'}), [])

    def test_includes_that_do_not_start_at_the_root(self):
        for target in ["a.h", "../types/a.h", "types/a.h"]:
            self.refuses({"engine/types/c.cc": f'#include "{target}"\n'}, "repository root")
        self.assertEqual(findings_with({"server/c.cc": '#include "absl/status/status.h"\n'}), [])

    def test_impure_engine(self):
        for header in house_rules.IMPURE_HEADERS:
            self.refuses({"engine/types/c.cc": f"#include <{header}>\n"}, f"<{header}>")
        for call in ["getenv(x)", "std::rand()", "::printf(x)", "time(nullptr)",
                     "std::time( 0 )", "std::chrono::system_clock::now()"]:
            self.refuses({"engine/types/c.cc": f"int x = {call};\n"}, "has no place in the engine")
        for fine in ['fail("getenv(x)")', "// getenv(x)", "snprintf(b, 1, f)", "x.time(row)",
                     "expand()"]:
            self.assertEqual(findings_with({"engine/types/c.cc": fine + "\n"}), [])

    def test_headers(self):
        self.refuses({"server/h.h": "// For this.\n"}, "#pragma once")
        self.refuses({"server/h.h": "#pragma once\n"}, "starts with a comment")

    def test_file_length(self):
        limit = house_rules.LINES_MAX
        self.assertEqual(findings_with({"server/c.cc": "\n" * limit}), [])
        self.refuses({"server/c.cc": "\n" * (limit + 1)}, f"server/c.cc:{limit + 1}")

    def test_line_length(self):
        self.assertEqual(findings_with({"server/c.cc": "é" * 100 + "\n"}), [])
        for path in ["server/c.cc", "tests/x.py", "CMakeLists.txt", "scripts/lib/x.sh"]:
            self.refuses({path: "# " + "x" * 99 + "\n"}, f"{path}:1", "101 columns")
        self.refuses({".ci/run": SOUND[".ci/run"] + "# " + "x" * 99 + "\n"}, ".ci/run:3", "101")

    def test_text(self):
        self.refuses({"docs/x.md": "a\tb\n"}, "docs/x.md:1", "tab")
        self.refuses({"docs/x.md": "a\r\n"}, "carriage return")
        self.refuses({"docs/x.md": "a"}, "newline")
        for word in ["TO" + "DO", "FIX" + "ME"]:
            self.refuses({"server/c.cc": f"// {word}: later\n"}, "server/c.cc:1", "later")

    def test_engine_folders_are_described(self):
        self.refuses({"engine/plan/README.md": None}, "engine/plan", "README.md")
        self.refuses({"engine/README.md": None}, "engine/types")

    def test_top_level(self):
        self.refuses({"lib/x.txt": "x\n"}, "lib:1", "top level")
        self.refuses({"notes.md": "x\n"}, "notes.md:1")

    def test_scripts(self):
        self.refuses({"scripts/not_executable": SOUND["scripts/build"]}, "not executable")
        self.refuses({"scripts/build": "#!/usr/bin/env bash\n"}, "pipefail")
        self.refuses({"scripts/build": SOUND["scripts/build"] + "if true\n"}, "bash -n")
        self.refuses({"scripts/lib/common.sh": "f() {\n"}, "bash -n")

    def test_every_rule_is_shown_to_fail(self):
        """A rule that is added without a test above makes this one fail."""
        shown = {
            "check_include_direction": "test_upward_includes",
            "check_engine_is_pure": "test_impure_engine",
            "check_header_guards": "test_headers",
            "check_file_length": "test_file_length",
            "check_line_length": "test_line_length",
            "check_text": "test_text",
            "check_engine_folders": "test_engine_folders_are_described",
            "check_top_level": "test_top_level",
            "check_scripts": "test_scripts",
        }
        self.assertEqual({check.__name__ for check in house_rules.CHECKS}, set(shown))
        self.assertTrue(all(hasattr(self, test) for test in shown.values()))

    def test_files_that_git_ignores_are_left_out(self):
        with tempfile.TemporaryDirectory() as root:
            subprocess.run(["git", "init", "-q", root], check=True)
            for path, text in [(".gitignore", "/out/\n"), ("out/x.txt", "x\n"),
                               ("notes.md", "x\n")]:
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            self.assertEqual(house_rules.findings(root),
                             ["notes.md:1: has no place at the top level"])

    def test_exit_code(self):
        with tempfile.TemporaryDirectory() as root:
            run = [sys.executable, house_rules.__file__, root]
            self.assertEqual(subprocess.run(run, capture_output=True).returncode, 1)
            with open(os.path.join(root, "README.md"), "w", encoding="utf-8") as file:
                file.write("x\n")
            self.assertEqual(subprocess.run(run, capture_output=True).returncode, 0)
            with open(os.path.join(root, "notes.md"), "w", encoding="utf-8") as file:
                file.write("x\n")
            self.assertEqual(subprocess.run(run, capture_output=True).returncode, 1)


if __name__ == "__main__":
    unittest.main()
