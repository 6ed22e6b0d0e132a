"""Installs the engine into an empty folder, builds the program of docs/embedding.md against it as a
project of its own, and compares what it prints with what the page says.

usage: embedding_test.py ROOT BUILD COMPILER SANITIZERS
"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../house"))
import markdown  # noqa: E402


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main():
    root, build, compiler, sanitizers = sys.argv[1:]
    with open(os.path.join(root, "docs/embedding.md"), encoding="utf-8") as file:
        blocks = markdown.blocks(file.read())
    files = {block.info.split("file=")[1]: block.text for block in blocks if "file=" in block.info}
    expected = [block.text for block in blocks if block.info == "text output"]
    if set(files) != {"CMakeLists.txt", "main.cc"} or len(expected) != 1:
        sys.exit(f"docs/embedding.md: files {sorted(files)}, {len(expected)} outputs")

    with tempfile.TemporaryDirectory() as folder:
        prefix, project = os.path.join(folder, "prefix"), os.path.join(folder, "project")
        run("cmake", "--install", build, "--prefix", prefix, "--component", "engine")
        os.mkdir(project)
        for name, text in files.items():
            with open(os.path.join(project, name), "w", encoding="utf-8") as file:
                file.write(text)
        flags = f"-fsanitize={sanitizers}" if sanitizers else ""
        run("cmake", "-S", project, "-B", project + "/build", "-G", "Ninja",
            f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={flags}",
            f"-DCMAKE_PREFIX_PATH={prefix}")
        run("cmake", "--build", project + "/build")
        printed = run(project + "/build/guesses")
    if not markdown.matches(expected[0], printed):
        sys.exit(f"docs/embedding.md shows\n{expected[0]}but the program printed\n{printed}")
    print(f"installed, built and ran: {len(printed.splitlines())} lines as the page shows")


if __name__ == "__main__":
    main()
