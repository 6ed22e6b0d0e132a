"""Runs the commands that the pages show: every block ```sh run, in order, page by page.

A page's blocks share an empty folder, in which conf/, docs/ and build/release/bin are those of the
repository and of the build under test; bin is on the PATH as well. A block fails when a command
does. A block ```text output right behind it must equal its stdout (`...`: any number of lines).

usage: docs_commands.py ROOT BIN [PAGE...]    pages default to README.md and docs/*.md
"""
import glob
import os
import subprocess
import sys
import tempfile

import markdown

BLOCK_SECONDS_MAX = 300


def run_page(root, bin_folder, path):
    """The findings on one page, and how many blocks were run."""
    with open(path, encoding="utf-8") as file:
        blocks = markdown.blocks(file.read())
    name = os.path.relpath(path, root)
    findings = []
    runs = [index for index, block in enumerate(blocks) if block.info == "sh run"]
    # A server that a block left behind because it failed still writes: the findings matter more.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for link in ("conf", "docs"):
            if os.path.isdir(os.path.join(root, link)):
                os.symlink(os.path.join(root, link), os.path.join(folder, link))
        os.makedirs(os.path.join(folder, "build/release"))
        os.symlink(bin_folder, os.path.join(folder, "build/release/bin"))
        environment = {**os.environ, "PATH": bin_folder + os.pathsep + os.environ["PATH"]}
        for index in runs:
            block = blocks[index]
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.text], cwd=folder,
                                  env=environment, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=BLOCK_SECONDS_MAX)
            if done.returncode != 0:
                findings.append(f"{name}:{block.line}: exit {done.returncode}\n{done.stderr}")
            after = blocks[index + 1] if index + 1 < len(blocks) else None
            if after and after.info == "text output" and \
                    not markdown.matches(after.text, done.stdout):
                findings.append(f"{name}:{after.line}: the output shown is not what came:\n"
                                f"{done.stdout}")
    return findings, len(runs)


def main():
    root, bin_folder = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
    pages = sys.argv[3:] or sorted(
        glob.glob(os.path.join(root, "README.md")) + glob.glob(os.path.join(root, "docs/**/*.md"),
                                                               recursive=True))
    findings, runs = [], 0
    for page in pages:
        found, ran = run_page(root, bin_folder, page)
        findings += found
        runs += ran
    print("\n".join(findings))
    print(f"{len(pages)} pages, {runs} blocks run, {len(findings)} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
