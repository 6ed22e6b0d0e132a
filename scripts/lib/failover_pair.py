"""Two polluxd that are a pair; for scripts/failover.

Everything is kept in one folder.
"""
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

from free_ports import free_ports

SECONDS_MAX = 60
POLL_SECONDS = 0.002


class FailoverFailed(Exception):
    pass


def wait_for(condition, what, seconds=SECONDS_MAX):
    """What the condition gives once it is neither None nor False."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found is not None and found is not False:
            return found
        time.sleep(POLL_SECONDS)
    raise FailoverFailed(f"{what} did not come within {seconds} s")


def get_json(url, data=None, method="GET"):
    """None: no answer, or not this one."""
    try:
        request = urllib.request.Request(url, data, method=method)
        with urllib.request.urlopen(request, timeout=2) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None


class Member:
    def __init__(self, binaries, folder, network, number, ports, members, settings):
        self.name = "ab"[number]
        self.number = number
        http, grpc, membership, event_sync = ports
        address = network.address(number)
        self.http = f"{address}:{http}"
        self.url = f"http://{self.http}"
        self._command = network.command(number)
        self._binaries = binaries
        self.program = os.path.join(binaries, "polluxd")
        self.arguments = []
        self._log = os.path.join(folder, f"{self.name}.log")
        self.data = os.path.join(folder, self.name)
        settings = {
            "HTTP__PORT": http, "GRPC__PORT": grpc, "NODE__NAME": self.name,
            "HTTP__BIND_ADDRESS": address, "GRPC__BIND_ADDRESS": address,
            "DATA_DIR": self.data, "PAIR__ENABLED": "true", "PAIR__BIND_ADDRESS": address,
            "PAIR__ADVERTISED_HOST": address,
            "PAIR__MEMBERS": members, "PAIR__MEMBERSHIP_PORT": membership,
            "PAIR__EVENT_SYNC_PORT": event_sync, "PAIR__SNAPSHOT_PORT": 0,
            "PERSISTENCE__PERSISTENCE_INTERVAL": "3 s", **settings}
        self.environment = {**os.environ,
                             **{f"POLLUX__{key}": str(value) for key, value in settings.items()}}
        self._process = None

    def start(self):
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen([*self._command, self.program, *self.arguments],
                                             env=self.environment, stderr=log)

    def signal(self, number):
        self._process.send_signal(number)

    def is_alive(self):
        return self._process is not None and self._process.poll() is None

    def kill(self):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._process is not None:
            self._process.wait()

    def stop(self):
        self.signal(signal.SIGTERM)
        if self._process.wait(SECONDS_MAX) != 0:
            raise FailoverFailed(f"{self.name} ended with {self._process.returncode}")

    def node(self):
        return get_json(self.url + "/v1/node")

    def pair(self):
        """What it says of the pair; waits for an answer."""
        until = time.monotonic() + SECONDS_MAX
        while time.monotonic() < until:
            if node := self.node():
                return node["pair"]
            time.sleep(POLL_SECONDS)
        raise FailoverFailed(f"{self.name} does not answer:\n{self.log()[-3000:]}")

    def role(self):
        node = self.node()
        return node["role"] if node else ""

    def log(self):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def pollux(self, *words, **options):
        """Runs the command line; it must end with 0."""
        return subprocess.run([os.path.join(self._binaries, "pollux"), *words], check=True,
                              **options)


class Pair:
    def __init__(self, binaries, folder, network, settings):
        ports = free_ports(8)
        own = [ports[:4], ports[4:]]
        members = ",".join(f"{network.address(number)}:{each[2]}"
                           for number, each in enumerate(own))
        self.members = [Member(binaries, folder, network, number, each, members, settings)
                        for number, each in enumerate(own)]

    def start(self):
        for member in self.members:
            member.start()
        return self.wait_until_whole()

    def other(self, member):
        return self.members[1] if member is self.members[0] else self.members[0]

    def wait_until_whole(self):
        """One leads, the other holds all that is committed. Who leads."""
        until = time.monotonic() + SECONDS_MAX
        while time.monotonic() < until:
            for member in self.members:
                if not member.is_alive():
                    raise FailoverFailed(f"{member.name} has ended:\n{member.log()[-3000:]}")
            roles = [member.role() for member in self.members]
            for each in (0, 1):
                if roles[each] == "active-paired" and roles[1 - each] == "passive":
                    return self.members[each]
            time.sleep(POLL_SECONDS)
        raise FailoverFailed("the pair does not get whole:\n" +
                             "\n".join(member.log()[-3000:] for member in self.members))

    def wait_until_leads(self, member):
        until = time.monotonic() + SECONDS_MAX
        while not member.role().startswith("active"):
            if time.monotonic() > until:
                raise FailoverFailed(f"{member.name} does not lead:\n{member.log()[-3000:]}")
            time.sleep(POLL_SECONDS)

    def stop(self):
        """Both cleanly, the one that leads first. Returns the other, which has all there is."""
        active = self.wait_until_whole()
        last = self.other(active)
        active.stop()
        self.wait_until_leads(last)
        last.stop()
        return last

    def kill_all(self):
        for member in self.members:
            if member.is_alive():
                member.signal(signal.SIGCONT)
            member.kill()


def deploy(member, plan):
    request = urllib.request.Request(member.url + "/v1/plans", plan.encode(),
                                     {"Content-Type": "text/plain"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_MAX):
            pass
    except urllib.error.HTTPError as error:
        raise FailoverFailed(error.read().decode()) from error
