"""Ports of 127.0.0.1 that nobody has, and that the kernel gives to nobody who asks for any: a
server that is away for a while finds its own again.
"""
import contextlib
import pathlib
import random
import socket

FIRST = 10_000
RANGE = "/proc/sys/net/ipv4/ip_local_port_range"


def free_ports(count):
    """All are held until all are known, so that none comes twice."""
    end = int(pathlib.Path(RANGE).read_text().split()[0])
    candidates = list(range(FIRST, end))
    random.shuffle(candidates)
    ports = []
    with contextlib.ExitStack() as stack:
        while len(ports) < count:
            each = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):  # somebody has it
                each.bind(("127.0.0.1", candidates[-1]))
                ports.append(candidates[-1])
            candidates.pop()
    return ports
