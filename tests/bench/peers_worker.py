"""A worker process of scripts/bench: one engine that answers commands with JSON lines."""

import json
import os
import selectors
import subprocess
import time

COMMAND_SECONDS_MAX = 300
STDERR_LINES_SHOWN = 20


class WorkerFailed(Exception):
    pass


class Worker:
    """Owned by one thread at a time. Leaving the `with` ends the process."""

    def __init__(self, engine, command, log_path):
        self.engine = engine
        self.log_path = log_path
        self.log = open(log_path, "wb")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
            self.process.wait(timeout=10)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()
        self.selector.close()
        self.process.stdout.close()
        self.log.close()

    def ask(self, *words):
        line = "\t".join(str(word) for word in words)
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self.failure(line, "it had ended") from None
        return json.loads(self.read_line(line))

    def read_line(self, command):
        answer = b""
        deadline = time.monotonic() + COMMAND_SECONDS_MAX
        while not answer.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not self.selector.select(left):
                self.process.kill()
                raise self.failure(command, f"no answer within {COMMAND_SECONDS_MAX} s")
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                self.process.wait()
                raise self.failure(command, f"it ended with {self.process.returncode}")
            answer += part
        return answer

    def failure(self, command, what):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            last = log.read().splitlines()[-STDERR_LINES_SHOWN:]
        said = "".join(f"\n  | {line}" for line in last)
        return WorkerFailed(f"{self.engine}: '{command}' failed: {what}{said}")
