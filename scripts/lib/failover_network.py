"""Where the nodes of a pair stand, and how one is cut off; for scripts/failover."""
import os
import subprocess


class Loopback:
    """Both on this machine's own address; nobody can be cut off."""

    host = "127.0.0.1"

    def address(self, _):
        return "127.0.0.1"

    def command(self, _):
        """What stands before a command that is to run there."""
        return []

    def close(self):
        pass


class Namespaces:
    """Each node in a network namespace of its own, on a bridge to this machine. Needs root."""

    def __init__(self):
        # Several runs may stand side by side; names of links are short.
        number = os.getpid() % 50_000
        self._prefix = f"plx{number}"
        self._net = f"10.{100 + number // 250}.{number % 250}"
        self.host = f"{self._net}.1"
        self._nodes = []
        self._ip("link", "add", self._prefix, "type", "bridge")
        self._ip("addr", "add", f"{self.host}/24", "dev", self._prefix)
        self._ip("link", "set", self._prefix, "up")
        for number in (0, 1):
            self._add(number)

    def _add(self, number):
        space, link = f"{self._prefix}n{number}", self._link(number)
        self._ip("netns", "add", space)
        self._nodes.append(space)
        self._ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
        self._ip("link", "set", link, "master", self._prefix)
        self._ip("link", "set", link, "up")
        self._ip("-n", space, "addr", "add", f"{self.address(number)}/24", "dev", "eth0")
        self._ip("-n", space, "link", "set", "eth0", "up")
        self._ip("-n", space, "link", "set", "lo", "up")

    def _link(self, number):
        return f"{self._prefix}v{number}"

    @staticmethod
    def _ip(*words):
        subprocess.run(["ip", *words], check=True)

    def address(self, number):
        return f"{self._net}.{number + 2}"

    def command(self, number):
        return ["ip", "netns", "exec", self._nodes[number]]

    def cut(self, number):
        """Nothing comes or goes any more, and nobody is told."""
        self._ip("link", "set", self._link(number), "down")

    def heal(self, number):
        self._ip("link", "set", self._link(number), "up")

    def close(self):
        for space in self._nodes:
            self._ip("netns", "del", space)
        self._ip("link", "del", self._prefix)
