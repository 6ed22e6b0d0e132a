"""Database servers of Debian's packages, each with its data in a folder of its own, where a user
`pollux` owns a database of that name; for scripts.

Both refuse to run as root: so they get the user of their package, and a folder that it can reach.
"""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

SECONDS_MAX = 60
POSTGRES = "/usr/lib/postgresql/15/bin"
PASSWORD = "of-a-run"


def wait_until(condition, what, process):
    until = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > until or process.poll() is not None:
            raise TimeoutError(f"{what} does not answer")
        time.sleep(0.05)


class Database:
    def __init__(self, folder, host, port, settings=()):
        """`folder`: of the log. `settings`: of the server, each a word of its command line."""
        self.host, self.port = host, port
        self.url = f"{self.scheme}://pollux@{host}:{port}/pollux"
        self._log = os.path.join(folder, f"{self.scheme}.log")
        self._settings = list(settings)
        self._process = None
        self.folder = tempfile.mkdtemp(prefix=f"pollux-{self.scheme}-")
        self._as_user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self._as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self.data = os.path.join(self.folder, "data")
        try:
            self.prepare()
            self.start()
            self.make_database()
        except BaseException:
            self.close()
            raise

    def start(self):
        """Until it answers; behind kill(), over the same data and port."""
        self._process = self._run([*self.command(), *self._settings])
        wait_until(self.answers, self.scheme, self._process)

    def kill(self):
        self._process.send_signal(self.kill_signal)
        self._process.wait()

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def ask(self, sql):
        """The rows of the answer, each a list of texts, as the user `pollux`."""
        done = subprocess.run(self.client(), input=sql, capture_output=True, text=True, cwd="/",
                              check=False, env={**os.environ, **self.client_environment})
        if done.returncode != 0:
            raise OSError(f"{sql}: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def close(self):
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)

    def _run(self, words):
        with open(self._log, "ab") as log:
            return subprocess.Popen(words, stdout=log, stderr=log, cwd="/", **self._as_user)

    def does(self, *words):
        """True when it ends with 0."""
        return self._run(words).wait() == 0

    def must(self, *words):
        if not self.does(*words):
            with open(self._log, encoding="utf-8", errors="replace") as log:
                raise OSError(f"{words[0]} failed:\n{log.read()[-3000:]}")


class Postgres(Database):
    scheme = "postgresql"
    user = "postgres"
    kill_signal = signal.SIGQUIT  # killed, it would leave its shared memory
    client_environment = {"PGPASSWORD": PASSWORD}

    def prepare(self):
        self.must(f"{POSTGRES}/initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E",
                  "UTF8", "--locale=C", "--no-sync")
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.write("local all all trust\nhost all all samenet scram-sha-256\n")

    def command(self):
        return [f"{POSTGRES}/postgres", "-D", self.data, "-p", str(self.port), "-k", self.folder,
                "-c", f"listen_addresses={self.host}", "-c", "dynamic_shared_memory_type=mmap"]

    def answers(self):
        return self.does(f"{POSTGRES}/pg_isready", "-q", "-h", self.folder, "-p", str(self.port))

    def client(self):
        return [f"{POSTGRES}/psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                "-h", self.host, "-p", str(self.port), "-U", "pollux", "pollux"]

    def make_database(self):
        for statement in (f"CREATE USER pollux PASSWORD '{PASSWORD}'",
                          "CREATE DATABASE pollux OWNER pollux"):
            self.must(f"{POSTGRES}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                      "-p", str(self.port), "-U", "postgres", "-c", statement)


class Mysql(Database):
    scheme = "mysql"
    user = "mysql"
    kill_signal = signal.SIGKILL
    client_environment = {"MYSQL_PWD": PASSWORD}

    @property
    def _socket(self):
        return os.path.join(self.folder, "m.sock")

    def prepare(self):
        self.must("/usr/bin/mariadb-install-db", "--no-defaults", f"--datadir={self.data}",
                  "--skip-test-db", "--auth-root-authentication-method=normal",
                  "--skip-name-resolve")

    def command(self):
        return ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.data}",
                f"--socket={self._socket}", f"--port={self.port}", f"--bind-address={self.host}",
                f"--pid-file={self.folder}/m.pid", "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=1"]

    def answers(self):
        return self.does("/usr/bin/mariadb-admin", "--no-defaults", "-u", "root", "-S",
                         self._socket, "ping")

    def client(self):
        return ["/usr/bin/mariadb", "--no-defaults", "-N", "-B", "-h", self.host, "-P",
                str(self.port), "-u", "pollux", "pollux"]

    def make_database(self):
        for statement in ("CREATE DATABASE pollux",
                          f"CREATE USER pollux@'%' IDENTIFIED BY '{PASSWORD}'",
                          "GRANT ALL ON pollux.* TO pollux@'%'"):
            self.must("/usr/bin/mariadb", "--no-defaults", "-u", "root", "-S", self._socket, "-e",
                      statement)


DATABASES = {"postgresql": Postgres, "mysql": Mysql}
