"""What decides who leads, started for one run; for scripts/failover.

Databases and etcd stand on this machine, with their data in the run's folder or one of their own,
and take connections at `host`, where both nodes can reach them.
"""
import functools
import os
import subprocess
import urllib.error
import urllib.request

from databases import DATABASES, PASSWORD, wait_until


class FileArbiter:
    def __init__(self, folder, _host, _free_ports):
        path = os.path.join(folder, "arbiter")
        os.makedirs(path)
        self.settings = {"PAIR__ARBITER": f"file:{path}"}

    def close(self):
        pass


class EtcdArbiter:
    def __init__(self, folder, host, free_ports):
        client, peer = free_ports(2)
        url = f"http://{host}:{client}"
        self.settings = {"PAIR__ARBITER": f"etcd:{url}"}
        with open(os.path.join(folder, "arbiter.log"), "wb") as log:
            self._process = subprocess.Popen(
                ["etcd", "--data-dir", os.path.join(folder, "etcd"), "--listen-client-urls", url,
                 "--advertise-client-urls", url, "--listen-peer-urls", f"http://127.0.0.1:{peer}"],
                stdout=log, stderr=log)
        try:
            wait_until(lambda: self._answers(url), "etcd", self._process)
        except TimeoutError:
            self.close()
            raise

    @staticmethod
    def _answers(url):
        try:
            with urllib.request.urlopen(url + "/health", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def close(self):
        self._process.kill()
        self._process.wait()


class DatabaseArbiter:
    def __init__(self, scheme, folder, host, free_ports):
        port, = free_ports(1)
        self._database = DATABASES[scheme](folder, host, port)
        self.settings = {"PAIR__ARBITER": self._database.url, "PAIR__ARBITER_PASSWORD": PASSWORD}

    def close(self):
        self._database.close()


ARBITERS = {"file": FileArbiter, "etcd": EtcdArbiter,
            **{scheme: functools.partial(DatabaseArbiter, scheme) for scheme in DATABASES}}
