"""Builds a numbered producer of docs/examples/producers as its users would, and runs it against
polluxd, which is not there at first and is killed while events come; then once more.

The journal says what polluxd took: each line of the file once, in order. What docs/producers.md
shows of the program must stand in it.

usage: producers_test.py ROOT BUILD BIN LANGUAGE [COMPILER SANITIZERS]
exit 77: it cannot be run here
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

for folder in ("scripts/lib", "tests/house"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..", folder))
import markdown  # noqa: E402
from crash_server import CrashServer, CrashTestFailed  # noqa: E402

SKIPPED = 77
LINES = 100_000
LINES_A_BATCH = 100
BYTES_BEFORE_KILL = 200_000  # of more than 2 MB
SECONDS_MAX = 120
POLL_SECONDS = 0.002
NOBODY = "127.0.0.1:1"
PLAN = ("@app:name('Guess') define stream Logins (user string, success bool);"
        "from Logins[not success] select user insert into Failures;")
# Of Debian's grpc-java, which does not name what it needs.
JARS = ("grpc-api grpc-context grpc-core grpc-netty grpc-protobuf grpc-protobuf-lite grpc-stub "
        "geronimo-annotation-1.3-spec guava jctools-core netty-buffer netty-codec netty-codec-http "
        "netty-codec-http2 netty-common netty-handler netty-resolver netty-transport "
        "netty-transport-native-unix-common opencensus-api perfmark-api protobuf").split()


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(SKIPPED)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def generate(root, folder, plugin, *options):
    path = shutil.which(plugin)
    if path is None or shutil.which("protoc") is None:
        skip(f"no protoc or no {plugin} (Debian: protobuf-compiler protobuf-compiler-grpc "
             "protobuf-compiler-grpc-java-plugin)")
    run("protoc", "-I" + os.path.join(root, "server/grpc"), f"--plugin=protoc-gen-grpc={path}",
        *(f"--{option}={folder}" for option in options), "pollux.proto")


def python(root, folder):
    """The command that runs it; so do those below."""
    with_grpc = [python for python in ("/usr/bin/python3", sys.executable)
                 if os.path.exists(python) and subprocess.run(
                     [python, "-c", "import grpc, google.protobuf"],
                     capture_output=True).returncode == 0]
    if not with_grpc:
        skip("Python has no grpc (Debian: python3-grpcio python3-protobuf)")
    generate(root, folder, "grpc_python_plugin", "python_out", "grpc_out")
    shutil.copy(os.path.join(root, "docs/examples/producers/producer.py"), folder)
    return [with_grpc[0], "-B", os.path.join(folder, "producer.py")]


def java(root, folder):
    jars = [f"/usr/share/java/{jar}.jar" for jar in JARS]
    missing = [jar for jar in jars if not os.path.exists(jar)]
    if missing or shutil.which("javac") is None:
        skip(f"no javac, or no {missing} (Debian: openjdk-17-jdk-headless libgrpc-java "
             "libprotobuf-java libguava-java libnetty-java libperfmark-java "
             "libgeronimo-annotation-1.3-spec-java)")
    generate(root, folder, "grpc_java_plugin", "java_out", "grpc_out")
    classes, path = os.path.join(folder, "classes"), ":".join(jars)
    run("javac", "-nowarn", "-d", classes, "-cp", path,
        os.path.join(folder, "pollux/v1/PolluxOuterClass.java"),
        os.path.join(folder, "pollux/v1/PolluxGrpc.java"),
        os.path.join(root, "docs/examples/producers/Producer.java"))
    return ["java", "-cp", f"{classes}:{path}", "Producer"]


def cpp(root, folder, build, compiler, sanitizers=""):
    prefix, made = os.path.join(folder, "prefix"), os.path.join(folder, "build")
    for component in ("engine", "client"):
        run("cmake", "--install", build, "--prefix", prefix, "--component", component)
    flags = f"-fsanitize={sanitizers}" if sanitizers else ""
    run("cmake", "-S", os.path.join(root, "docs/examples/producers"), "-B", made, "-G", "Ninja",
        f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={flags}",
        f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", made)
    return [os.path.join(made, "producer")]


def check_page(root):
    """What docs/producers.md shows of the programs stands in them."""
    with open(os.path.join(root, "docs/producers.md"), encoding="utf-8") as file:
        shown = [block for block in markdown.blocks(file.read()) if " from=" in block.info]
    if not shown:
        sys.exit("docs/producers.md shows nothing of the programs")
    for block in shown:
        name = block.info.split(" from=")[1]
        with open(os.path.join(root, "docs/examples/producers", name), encoding="utf-8") as file:
            if block.text not in file.read():
                sys.exit(f"docs/producers.md:{block.line}: this does not stand in {name}")


class Failed(Exception):
    pass


class Gate:
    """A port that leads to polluxd wherever it is, and holds what is sent after some bytes."""

    def __init__(self, bytes_max):
        self.leads_to = NOBODY
        self.shut = threading.Event()
        self._left = bytes_max
        self._open = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self):
        self._open.set()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            host, port = self.leads_to.split(":")
            try:
                server = socket.create_connection((host, int(port)))
            except OSError:
                client.close()
                continue
            for ends in (client, server, True), (server, client, False):
                threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source, sink, held):
        try:
            while data := source.recv(16 * 1024):
                if held:
                    self._hold(len(data))
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _hold(self, count):
        self._left -= count
        if self._left < 0:
            self.shut.set()
            self._open.wait()


class RunningProducer:
    """Its messages go to a file: a full pipe would stop it."""

    def __init__(self, command, folder):
        self._messages = os.path.join(folder, "messages")
        with open(self._messages, "wb") as file:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file,
                                             text=True)

    def said(self):
        with open(self._messages, encoding="utf-8") as file:
            return file.read()

    def wait_until(self, what, condition):
        begun = time.monotonic()
        while not condition():
            if self._process.poll() is not None:
                raise Failed(f"it ended with {self._process.returncode} before {what}: "
                             f"{self.said()}")
            if time.monotonic() > begun + SECONDS_MAX:
                raise Failed(f"{what}: not within {SECONDS_MAX} s: {self.said()}")
            time.sleep(POLL_SECONDS)

    def finish(self):
        """What it printed; it must end with 0."""
        printed, _ = self._process.communicate(timeout=SECONDS_MAX)
        if self._process.returncode != 0:
            raise Failed(f"it ended with {self._process.returncode}: {self.said()}")
        return printed.strip()

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def ask(server, path):
    with urllib.request.urlopen(f"http://{server.address}{path}", timeout=30) as answer:
        return json.load(answer)


def expect(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what}: {found!r}, not {wanted!r}")


def check_journal(server, lines):
    """Each batch once, in order, and with its lines."""
    exported = server.pollux("journal", "export", server.data, capture_output=True, text=True)
    rows, number = [], 0
    for line in exported.stdout.splitlines():
        entry = json.loads(line)
        if entry["type"] == "events":
            number += 1
            expect("in the journal", (entry["producer"], entry["number"]), ("file-1", number))
            rows += [f"{user},{str(success).lower()}" for _, user, success in entry["rows"]]
    expect("rows in the journal", len(rows), len(lines))
    expect("the rows are the lines", rows == lines, True)


def start(server, gate):
    """Until it takes gRPC, which it does a moment after HTTP."""
    server.start()
    until = time.monotonic() + SECONDS_MAX
    while (port := ask(server, "/v1/node")["grpc_port"]) == 0:
        if time.monotonic() > until:
            raise Failed("polluxd does not take gRPC")
        time.sleep(POLL_SECONDS)
    gate.leads_to = f"127.0.0.1:{port}"


def send_twice(command, server, folder):
    lines = [f"us\u00e9r-{at % 1000},{str(at % 7 != 0).lower()}" for at in range(LINES)]
    path = os.path.join(folder, "logins.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    server.start()
    server.deploy(PLAN)
    server.kill()

    batches = LINES // LINES_A_BATCH
    gate = Gate(BYTES_BEFORE_KILL)
    command = command + ["file-1", path, NOBODY, gate.address]
    producer = RunningProducer(command, folder)
    try:
        producer.wait_until("it has tried in vain",
                            lambda: producer.said().count("127.0.0.1:") >= 2)
        start(server, gate)
        producer.wait_until("it has sent some", gate.shut.is_set)
        producer.wait_until("polluxd has taken some",
                            lambda: ask(server, "/v1/node")["counts"]["events"] > 0)
        said = len(producer.said())
        server.kill()
        producer.wait_until("it has noticed", lambda: len(producer.said()) > said)
        start(server, gate)
        gate.open()
        printed = producer.finish()
        known = int(printed.rsplit(", ")[1].split()[0])
        expect("printed", printed, f"{batches} batches acknowledged, {known} of them known already")

        again = RunningProducer(command, folder)
        try:
            expect("printed by the second run", again.finish(),
                   f"{batches} batches acknowledged, {batches} of them known already")
        finally:
            again.kill()
        server.stop()
        check_journal(server, lines)
    finally:
        producer.kill()


def main():
    root, build, binaries, language, *compiler_and_sanitizers = sys.argv[1:]
    check_page(root)
    with tempfile.TemporaryDirectory() as folder:
        if language == "cpp":
            command = cpp(root, folder, build, *compiler_and_sanitizers)
        else:
            command = {"python": python, "java": java}[language](root, folder)
        server = CrashServer(binaries, folder)
        server.settings["PERSISTENCE__PERSISTENCE_INTERVAL"] = "1 h"  # the journal stays whole
        try:
            send_twice(command, server, folder)
        except (Failed, CrashTestFailed) as failed:
            sys.exit(f"{language}: {failed}")
        finally:
            server.kill()
    print(f"{language}: {LINES} lines, each once")


if __name__ == "__main__":
    main()
