"""The rules of the house, as checks over a source tree.

Each check takes a Tree and yields findings, "path:line: what is wrong". house_rules_test.py shows
for every check a tree that it must refuse.

usage: house_rules.py ROOT        exit 1 when a rule is broken
"""
import os
import re
import subprocess
import sys

# Layer -> what it may include. Arrows point downwards only; tests may include anything.
LAYERS = {
    "engine": {"engine"},
    "persistence": {"persistence", "engine"},
    "storage": {"storage", "engine"},
    "ha": {"ha", "persistence", "storage", "engine"},
    "server": {"server", "ha", "persistence", "storage", "engine"},
    "tests": {"tests", "server", "ha", "persistence", "storage", "engine"},
}
TOP_LEVEL = set(
    "CMakeLists.txt server engine ha persistence storage conf scripts tests docker README.md "
    "docs LICENSE ARCHITECTURE.md CMakePresets.json".split())
# The engine is a pure function of its entries: nothing that asks the world.
IMPURE_HEADERS = set(
    "barrier chrono condition_variable ctime filesystem fstream future iostream latch mutex random "
    "semaphore shared_mutex stop_token sys/time.h syncstream thread time.h unistd.h".split())
IMPURE_CALLS = re.compile(
    r"\b(getenv|secure_getenv|rand|srand|clock_gettime|gettimeofday|fopen|printf|system_clock|"
    r"steady_clock|random_device|setlocale)\b\s*[({:]|\b(?:std::)?time\s*\(\s*(?:nullptr|NULL|0)")
COLUMNS_MAX = 100
LINES_WARN = 700
LINES_MAX = 900
CPP = (".h", ".cc")
CODE = CPP + (".py", ".sh", ".cmake", "CMakeLists.txt")
TEXT = CODE + (".md", ".txt", ".json", ".siddhi", ".java", ".xml")
LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


class Tree:
    """The files of a source tree: those that git knows or would add, else all but build output."""

    def __init__(self, root):
        self.root = root
        self.files = sorted(_files_by_git(root) or _files_by_walk(root))
        self.file_set = set(self.files)
        self._lines = {}

    def having(self, endings, under=""):
        return [path for path in self.files if path.endswith(endings) and path.startswith(under)]

    def lines(self, path):
        if path not in self._lines:
            full = os.path.join(self.root, path)
            with open(full, encoding="utf-8", newline="") as file:
                self._lines[path] = file.read().split("\n")
        return self._lines[path]

    def scripts(self):
        """Files under scripts/ and .ci/ that start with a bash line or are meant to be sourced."""
        for path in self.files:
            if path.startswith(("scripts/", ".ci/")) and not path.endswith((".py", ".cmake")):
                with open(os.path.join(self.root, path), "rb") as file:
                    first = file.readline()
                if path.endswith(".sh") or first.startswith(b"#!"):
                    yield path, first.decode()


def _files_by_git(root):
    git = ["git", "-C", root]
    try:
        top = subprocess.run(git + ["rev-parse", "--show-toplevel"], capture_output=True, text=True)
        if top.returncode != 0 or os.path.realpath(top.stdout.strip()) != os.path.realpath(root):
            return []
        listed = subprocess.run(git + ["ls-files", "-z", "-c", "-o", "--exclude-standard"],
                                capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        return []
    return [path for path in listed.split("\0")
            if path and os.path.isfile(os.path.join(root, path))]


def _files_by_walk(root):
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders
                      if name not in (".git", "target", "__pycache__")
                      and not (folder == root and name == "build")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return found


def without_comments(lines):
    """The lines with // and /* */ comments and string literals blanked; line numbers stay."""
    text = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"',
                  lambda found: re.sub(r"[^\n]", " ", found.group()), "\n".join(lines), flags=re.S)
    return text.split("\n")


def _is_own_but_not_from_the_root(tree, path, included):
    """Libraries' headers may stand in quotes too; our own are named from the root only."""
    if included.split("/")[0] in LAYERS:
        return False
    roots = [os.path.dirname(path)] + list(LAYERS)
    return ".." in included or any(f"{root}/{included}" in tree.file_set for root in roots)


def check_include_direction(tree):
    for path in tree.having(CPP):
        layer = path.split("/")[0]
        if layer not in LAYERS:
            continue
        for number, line in enumerate(tree.lines(path), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            target = found.group(2).split("/")[0]
            if found.group(1) == '"' and _is_own_but_not_from_the_root(tree, path, found.group(2)):
                yield f'{path}:{number}: "{found.group(2)}" does not start at the repository root'
            elif target in LAYERS and target not in LAYERS[layer]:
                yield f"{path}:{number}: {layer}/ must not include {target}/"


def check_engine_is_pure(tree):
    for path in tree.having(CPP, "engine/"):
        for number, line in enumerate(tree.lines(path), 1):
            found = INCLUDE.match(line)
            if found and found.group(2) in IMPURE_HEADERS:
                yield f"{path}:{number}: <{found.group(2)}> has no place in the engine"
        for number, line in enumerate(without_comments(tree.lines(path)), 1):
            found = IMPURE_CALLS.search(line)
            if found:
                yield f"{path}:{number}: '{found.group().strip()}' has no place in the engine"


def check_header_guards(tree):
    for path in tree.having((".h",)):
        if "#pragma once" not in tree.lines(path):
            yield f"{path}:1: no #pragma once"
        if not tree.lines(path)[0].startswith("//"):
            yield f"{path}:1: a header starts with a comment that says what it is for"


def check_file_length(tree):
    for path in tree.having(CPP):
        lines = len(tree.lines(path)) - 1
        if lines > LINES_MAX:
            yield f"{path}:{lines}: more than {LINES_MAX} lines: two ideas in one file"


def long_files(tree):
    """Not broken yet: files that should be split soon."""
    for path in tree.having(CPP):
        lines = len(tree.lines(path)) - 1
        if LINES_WARN < lines <= LINES_MAX:
            yield f"{path}: {lines} lines"


def check_line_length(tree):
    paths = tree.having(CODE) + [path for path, _ in tree.scripts() if not path.endswith(".sh")]
    for path in paths:
        for number, line in enumerate(tree.lines(path), 1):
            if len(line) > COLUMNS_MAX:
                yield f"{path}:{number}: {len(line)} columns"


def check_text(tree):
    paths = tree.having(TEXT) + [path for path, _ in tree.scripts() if not path.endswith(".sh")]
    for path in paths:
        if path == "LICENSE":
            continue
        lines = tree.lines(path)
        for number, line in enumerate(lines, 1):
            if "\t" in line:
                yield f"{path}:{number}: a tab"
            if "\r" in line:
                yield f"{path}:{number}: a carriage return"
            if LATER.search(line):
                yield f"{path}:{number}: work left for later belongs in an issue"
        if lines[-1] != "" and lines != [""]:
            yield f"{path}:{len(lines)}: no newline at the end"


def check_engine_folders(tree):
    page = ""
    if "engine/README.md" in tree.files:
        page = "\n".join(tree.lines("engine/README.md"))
    folders = sorted({"/".join(path.split("/")[:2]) for path in tree.having(CPP, "engine/")
                      if path.count("/") > 1})
    for folder in folders:
        name = folder.split("/")[1]
        if f"{folder}/README.md" not in tree.files and f"`{name}/`" not in page:
            yield f"{folder}:1: no README.md, and engine/README.md does not speak of `{name}/`"


def check_top_level(tree):
    for name in sorted({path.split("/")[0] for path in tree.files}):
        if name not in TOP_LEVEL and not name.startswith("."):
            yield f"{name}:1: has no place at the top level"


def check_scripts(tree):
    for path, first in tree.scripts():
        full = os.path.join(tree.root, path)
        sourced = path.startswith("scripts/lib/")
        if not sourced and not os.access(full, os.X_OK):
            yield f"{path}:1: not executable"
        if not sourced and "bash" in first and "set -euo pipefail" not in tree.lines(path):
            yield f"{path}:1: no `set -euo pipefail`"
        if "bash" in first or path.endswith(".sh"):
            parsed = subprocess.run(["bash", "-n", full], capture_output=True, text=True)
            if parsed.returncode != 0:
                yield f"{path}:1: bash -n: {parsed.stderr.strip()}"


CHECKS = [check_include_direction, check_engine_is_pure, check_header_guards, check_file_length,
          check_line_length, check_text, check_engine_folders, check_top_level, check_scripts]


def findings(root):
    tree = Tree(root)
    return [finding for check in CHECKS for finding in check(tree)]


def main():
    tree = Tree(sys.argv[1])
    if not tree.files:
        sys.exit(f"no files under {sys.argv[1]}")
    broken = findings(sys.argv[1])
    for finding in broken:
        print(finding)
    for path in long_files(tree):
        print(f"soon too long: {path}")
    print(f"{len(tree.files)} files, {len(CHECKS)} rules, {len(broken)} findings")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
