"""Scripts on machines that lack something: tools stand in for dpkg, apt-get, sudo, cmake, ctest."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))

# What each stand-in does; every call is logged to $LOG first.
TOOLS = {
    # dpkg-query -W -f FORMAT PACKAGE: installed unless its name is in $MISSING.
    "dpkg-query": 'case " $MISSING " in *" $4 "*) exit 1 ;; esac; printf installed',
    "id": 'echo "$FAKE_UID"',
    "sudo": '[ "$SUDO" = yes ] || exit 1; [ "$1" = -n ] && shift; exec "$@"',
    "apt-cache": '[ "$LISTS" = fresh ] || [ -e "$LOG.updated" ]',
    "apt-get": 'case " $* " in *" update "*) : > "$LOG.updated" ;; esac; exit "$APT_EXIT"',
    "cmake": "",
    "ctest": 'echo "100% tests passed, 0 tests failed out of 1"; exit "$CTEST_EXIT"',
}


class ScriptsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.log = os.path.join(self.folder.name, "log")
        # The scripts under test stand in a tree of their own, so that build/ is not ours.
        self.tree = os.path.join(self.folder.name, "tree")
        os.makedirs(os.path.join(self.tree, "build/release"))
        os.makedirs(os.path.join(self.tree, "build/asan-core"))
        subprocess.run(["cp", "-r", os.path.join(ROOT, "scripts"), self.tree], check=True)
        for name, body in TOOLS.items():
            path = os.path.join(self.folder.name, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\necho "{name} $*" >> "$LOG"\n{body}\n')
            os.chmod(path, 0o755)

    def run_script(self, *command, missing="", uid=1000, sudo="no", lists="fresh", apt_exit=0,
                   ctest_exit=0):
        environment = {
            **os.environ, "PATH": self.folder.name + os.pathsep + os.environ["PATH"],
            "LOG": self.log, "MISSING": missing, "FAKE_UID": str(uid), "SUDO": sudo,
            "LISTS": lists, "APT_EXIT": str(apt_exit), "CTEST_EXIT": str(ctest_exit)}
        return subprocess.run(["bash", os.path.join(self.tree, "scripts", command[0]),
                               *command[1:]], env=environment, capture_output=True, text=True)

    def calls(self, tool):
        with open(self.log, encoding="utf-8") as file:
            return [line.strip() for line in file if line.startswith(tool + " ")]

    def test_without_root_the_line_to_run_is_printed_and_nothing_is_done(self):
        for script in ["build", "test"]:
            done = self.run_script(script, missing="lld libxxhash-dev")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("\n  sudo apt-get update && sudo apt-get install -y "
                          "--no-install-recommends lld libxxhash-dev\n", done.stderr)
            self.assertEqual(self.calls("apt-get") + self.calls("cmake"), [])

    def test_nothing_is_installed_when_nothing_is_missing(self):
        done = self.run_script("build")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.calls("apt-get") + self.calls("sudo"), [])
        self.assertEqual(self.calls("cmake"), ["cmake --preset release --log-level=WARNING",
                                               "cmake --build --preset release"])

    def test_root_installs_only_what_is_missing(self):
        done = self.run_script("build", "asan", "pollux", missing="lld", uid=0)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.calls("apt-get"),
                         ["apt-get -q -y install --no-install-recommends lld"])
        self.assertEqual(self.calls("cmake")[-1], "cmake --build --preset asan --target pollux")

    def test_sudo_without_password_installs(self):
        done = self.run_script("build", missing="lld", sudo="yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.calls("apt-get")), 1)
        self.assertIn("sudo -n env", self.calls("sudo")[-1])

    def test_package_lists_are_fetched_only_when_they_do_not_know_the_package(self):
        done = self.run_script("build", missing="lld", uid=0, lists="stale")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.calls("apt-get"),
                         ["apt-get -q -y update",
                          "apt-get -q -y install --no-install-recommends lld"])

    def test_a_failed_installation_stops(self):
        done = self.run_script("build", missing="lld", uid=0, apt_exit=100)
        self.assertEqual(done.returncode, 1)
        self.assertIn("error:", done.stderr)
        self.assertFalse(os.path.exists(self.log) and self.calls("cmake"))

    def test_tests_run_in_release_and_asan_core_and_end_with_the_closing_lines(self):
        done = self.run_script("test", "-R", "Window")
        self.assertEqual(done.returncode, 0, done.stderr)
        calls = self.calls("ctest")
        self.assertEqual([call.split()[2] for call in calls], ["release", "asan-core"])
        self.assertTrue(all(call.endswith(" -R Window") for call in calls))
        self.assertIn("---- asan-core ----\n100% tests passed", done.stdout)

    def test_one_preset(self):
        self.run_script("test", "--preset", "release")
        self.assertEqual(len(self.calls("ctest")), 1)

    def test_a_failing_test_fails_the_script_and_the_other_preset_still_runs(self):
        done = self.run_script("test", ctest_exit=8)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(self.calls("ctest")), 2)

    def test_help_and_unknown_options(self):
        for script in ["build", "test", "lint"]:
            done = self.run_script(script, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout.startswith(f"usage: scripts/{script}"), done.stdout)
            self.assertFalse(os.path.exists(self.log))
        for script in ["build", "lint"]:
            self.assertEqual(self.run_script(script, "--no-such-option").returncode, 1)

    def test_packages_are_listed_once(self):
        with open(os.path.join(ROOT, "scripts/lib/packages.txt"), encoding="utf-8") as file:
            rows = [line.split() for line in file if not line.startswith("#")]
        self.assertTrue(rows and all(len(row) == 2 for row in rows), rows)
        names = [row[1] for row in rows]
        self.assertEqual(len(names), len(set(names)))

    def test_skipped_tests_are_listed_with_reasons(self):
        path = os.path.join(self.folder.name, "tests.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("""<testsuite>
<testcase name="Passes" status="run"><system-out>fine</system-out></testcase>
<testcase name="Google" status="notrun"><skipped message="MATCHED"/>
<system-out>[ RUN      ] A.B
/tree/a_test.cc:12: Skipped
needs the event file

[  SKIPPED ] A.B</system-out></testcase>
<testcase name="Script" status="notrun"><skipped message="SKIP_RETURN_CODE"/>
<system-out>SKIP: no compiler</system-out></testcase>
<testcase name="Mute" status="notrun"><skipped message="Disabled"/></testcase>
</testsuite>""")
        done = subprocess.run([sys.executable, os.path.join(ROOT, "scripts/lib/skipped_tests.py"),
                               path], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "SKIPPED, so not checked by this run: 3\n"
                         "  Google: needs the event file\n  Script: no compiler\n"
                         "  Mute: Disabled\n")


if __name__ == "__main__":
    unittest.main()
