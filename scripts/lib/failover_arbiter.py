"""What decides who leads, started for one run; for scripts/failover."""
import os
import subprocess
import time
import urllib.error
import urllib.request

SECONDS_MAX = 30


class FileArbiter:
    def __init__(self, folder, _host, _free_ports):
        path = os.path.join(folder, "arbiter")
        os.makedirs(path)
        self.setting = f"file:{path}"

    def close(self):
        pass


class EtcdArbiter:
    def __init__(self, folder, host, free_ports):
        client, peer = free_ports(2)
        url = f"http://{host}:{client}"
        self.setting = f"etcd:{url}"
        with open(os.path.join(folder, "etcd.log"), "wb") as log:
            self._process = subprocess.Popen(
                ["etcd", "--data-dir", os.path.join(folder, "etcd"), "--listen-client-urls", url,
                 "--advertise-client-urls", url, "--listen-peer-urls", f"http://127.0.0.1:{peer}"],
                stdout=log, stderr=log)
        until = time.monotonic() + SECONDS_MAX
        while not self._answers(url):
            if time.monotonic() > until:
                self.close()
                raise TimeoutError("etcd does not answer")
            time.sleep(0.05)

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


ARBITERS = {"file": FileArbiter, "etcd": EtcdArbiter}
