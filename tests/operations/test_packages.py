"""The systemd unit, and the Debian package: what is in it, and that it installs and runs."""

import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib

import pyarrow as pa
import pytest

from flight_steps import get, numbers, put
from hangar_fixtures import DEADLINE_SECONDS

PROJECT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
UNIT = PROJECT / "packaging/systemd/hangar.service"
BUILD = pathlib.Path(os.environ.get("HANGAR_BUILD", PROJECT / "build/release"))
# systemd's measure of what a service could still do, from 0 (nothing) to 100, ten times what it
# prints. docs/operations.md names it.
EXPOSURE_MAX = 15


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True,
                          text=True, **options).stdout


# ---- the service

class Manager:
    """The socket of a service manager."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(DEADLINE_SECONDS)

    def told(self):
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())

    def close(self):
        self._socket.close()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


def test_the_service_manager_hears_of_the_start_and_of_the_stop(start_server, manager, tmp_path):
    server = start_server(environment={"NOTIFY_SOCKET": str(tmp_path / "notify")})
    told = manager.told()
    assert told["READY"] == "1" and server.uri in told["STATUS"]
    assert server.stop() == 0
    assert manager.told()["STOPPING"] == "1"


def test_a_reload_is_told_from_its_begin_to_its_end(start_server, manager, tmp_path):
    config = tmp_path / "h.toml"
    config.write_text('log_level = "info"\n')
    server = start_server(environment={"NOTIFY_SOCKET": str(tmp_path / "notify")},
                          flags=["--config", str(config)])
    assert manager.told()["READY"] == "1"
    for text in ('log_level = "debug"\n', 'log_level = "wrong"\n'):
        config.write_text(text)
        server.process.send_signal(signal.SIGHUP)
        told = manager.told()
        assert told["RELOADING"] == "1" and int(told["MONOTONIC_USEC"]) > 0
        assert manager.told()["READY"] == "1"


def test_a_service_manager_that_is_gone_is_no_reason_to_stop(start_server, tmp_path):
    server = start_server(environment={"NOTIFY_SOCKET": str(tmp_path / "nowhere")})
    put(server.client(), "t.parquet", numbers(10))
    assert "service manager" in server.log()


def test_the_server_works_under_what_the_unit_forbids(start_server, tmp_path):
    wrapper = [sys.executable, str(HERE / "as_the_unit.py"), str(UNIT)]
    server = start_server(wrapper=wrapper, flags=["--http", "127.0.0.1:0"])
    table = pa.table({"a": list(range(100_000)), "b": [str(n) for n in range(100_000)]})
    put(server.client(), "t.parquet", table)
    put(server.client(), "t.parquet", table)
    assert get(server.client(), "t.parquet") == table
    list(server.client().do_action(("drop_dataset", b"t.parquet")))
    list(server.client().do_action(("undrop_dataset", b"t.parquet")))
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        assert re.search(r"(?m)^Seccomp:\s+2$", status.read())


def test_what_the_unit_forbids_is_really_forbidden(tmp_path):
    wrapper = [sys.executable, HERE / "as_the_unit.py", UNIT, sys.executable, "-c"]
    for what in ("import os; os.chroot('/')", "import socket; socket.socket(socket.AF_PACKET)",
                 "import mmap; mmap.mmap(-1, 4096, prot=7)"):
        done = subprocess.run([*map(str, wrapper), what], capture_output=True, text=True)
        assert done.returncode == 1 and "PermissionError" in done.stderr, what


def test_the_unit_leaves_little_to_do():
    done = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true",
         f"--threshold={EXPOSURE_MAX}", UNIT], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[1])
    document = (PROJECT / "docs/operations.md").read_text()
    assert f"{told} of 10" in document


# ---- the Debian package

@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder)
    (made,) = folder.glob("*.deb")
    return made


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "-x", package, folder)
    return folder


def test_its_fields_are_right(package):
    fields = {field: run("dpkg-deb", "-f", package, field).strip()
              for field in ("Package", "Version", "Architecture", "Depends", "Section",
                            "Maintainer", "Description")}
    version = re.search(r"project\(hangar VERSION ([\d.]+)",
                        (PROJECT / "CMakeLists.txt").read_text())[1]
    assert fields["Package"] == "hangar" and fields["Version"].startswith(version)
    assert fields["Architecture"] == run("dpkg", "--print-architecture").strip()
    for library in ("libc6", "libarrow-flight2500", "libparquet2500", "libstdc++6"):
        assert re.search(rf"\b{re.escape(library)}\b", fields["Depends"]), fields["Depends"]
    assert re.fullmatch(r".+ <\S+@\S+>", fields["Maintainer"])
    summary, *text = fields["Description"].splitlines()
    assert 0 < len(summary) <= 80 and not summary.endswith(".")
    assert text and all(re.match(r" \S", line) for line in text), fields["Description"]


def test_its_files_belong_to_root_and_nobody_else_may_change_them(package):
    listed = run("dpkg-deb", "-c", package).splitlines()
    assert len(listed) > 10
    for line in listed:
        mode, owner = line.split()[:2]
        assert owner == "root/root", line
        assert mode[5] == mode[8] == "-", line
        assert mode[:10] in ("drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"), line


def test_it_holds_what_a_service_needs_and_nothing_else(unpacked):
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert files == {
        "etc/hangar/hangar.toml",
        "usr/bin/hangar",
        "usr/lib/systemd/system/hangar.service",
        "usr/lib/sysusers.d/hangar.conf",
        "usr/lib/tmpfiles.d/hangar.conf",
        "usr/share/bash-completion/completions/hangar",
        "usr/share/doc/hangar/copyright",
        "usr/share/doc/hangar/examples/haproxy/hangar.cfg",
        "usr/share/doc/hangar/examples/nginx/hangar.conf",
        "usr/share/fish/vendor_completions.d/hangar.fish",
        "usr/share/man/man1/hangar.1.gz",
        "usr/share/man/man5/hangar.toml.5.gz",
        "usr/share/zsh/vendor-completions/_hangar",
    }


def test_its_settings_are_on_this_machine_alone_and_kept_over_upgrades(package, unpacked, hangar):
    file = unpacked / "etc/hangar/hangar.toml"
    assert hangar("config", "check", file).returncode == 0
    settings = tomllib.loads(file.read_text())
    assert settings == {"data": "/var/lib/hangar/datasets", "listen": "grpc://127.0.0.1:8815"}
    assert run("dpkg-deb", "--ctrl-tarfile", package, encoding="latin1")
    assert "/etc/hangar/hangar.toml" in run("dpkg-deb", "-I", package, "conffiles")


def test_its_pages_and_completions_are_well_formed(unpacked):
    for page in unpacked.glob("usr/share/man/man*/*.gz"):
        text = gzip.decompress(page.read_bytes())
        run("mandoc", "-T", "lint", "-W", "warning", input=text.decode())
    run("bash", "-n", unpacked / "usr/share/bash-completion/completions/hangar")
    assert (unpacked / "usr/share/zsh/vendor-completions/_hangar").read_text().startswith(
        "#compdef hangar")


def test_its_scripts_are_sound(package, tmp_path):
    for script in ("postinst", "prerm", "postrm"):
        (tmp_path / script).write_text(run("dpkg-deb", "-I", package, script))
        run("shellcheck", tmp_path / script)


def test_its_unit_is_one(unpacked, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(unpacked, root)
    # The one program that the unit runs besides; it is another package's.
    (root / "bin").mkdir()
    (root / "bin/kill").symlink_to("../usr/bin/hangar")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={root}",
         "hangar.service"], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


# ---- in a fresh Debian

IN_A_FRESH_ROOT = """
set -e
say() { echo "$1: $2"; }
dpkg -i /hangar.deb >/dev/null
say user "$(id -un hangar)"
say home "$(stat -c '%a %U' /var/lib/hangar)"
say enabled "$(ls /etc/systemd/system/multi-user.target.wants 2>/dev/null | grep -c hangar)" || true
cd /
mkfifo /said
setpriv --reuid hangar --regid hangar --clear-groups --pdeathsig KILL \
  hangar serve --config /etc/hangar/hangar.toml --listen grpc://127.0.0.1:0 >/said 2>/log &
server=$!
read -r _ _ address </said
say address "$address"
printf 'a,b\\n1,x\\n' >/t.csv
hangar put -q --server "$address" t.parquet /t.csv
say listed "$(hangar ls -q --server "$address")"
setpriv --reuid hangar --regid hangar --clear-groups \
  hangar doctor --config /etc/hangar/hangar.toml >/doctor || { cat /doctor; exit 1; }
kill "$server"
wait "$server"
say file "$(stat -c '%a %U' /var/lib/hangar/datasets/t.parquet)"
echo '# mine' >>/etc/hangar/hangar.toml
dpkg -i /hangar.deb >/dev/null </dev/null
say kept "$(tail -1 /etc/hangar/hangar.toml)"
dpkg -r hangar >/dev/null
say removed "$(ls /usr/bin/hangar 2>&1 | wc -l) $(ls /etc/hangar/hangar.toml)"
dpkg -P hangar >/dev/null 2>&1
say purged "$(ls /etc/hangar 2>&1 | tail -1)"
say data "$(ls /var/lib/hangar/datasets | tr '\\n' ' ')"
"""


def fresh_root_works(folder):
    return subprocess.run([sys.executable, HERE / "fresh_root.py", folder],
                          capture_output=True).returncode == 0


def test_it_is_installed_runs_and_is_removed_and_the_data_stays(package, tmp_path):
    if os.geteuid() != 0 or not fresh_root_works(tmp_path):
        pytest.skip("needs root and overlayfs")
    (tmp_path / "changes/hangar.deb").write_bytes(package.read_bytes())
    # The fixtures' settings must not reach it.
    done = subprocess.run(
        [sys.executable, str(HERE / "fresh_root.py"), str(tmp_path), "sh", "-c", IN_A_FRESH_ROOT],
        capture_output=True, text=True, timeout=300, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert said["user"] == "hangar"
    assert said["home"] == "750 hangar"
    assert said["enabled"] == "0"
    assert re.fullmatch(r"grpc://127\.0\.0\.1:\d+", said["address"])
    assert said["listed"] == "t.parquet"
    assert said["file"].endswith(" hangar")
    assert said["kept"] == "# mine"
    assert said["removed"] == "1 /etc/hangar/hangar.toml"
    assert "No such file" in said["purged"]
    assert "t.parquet" in said["data"]


def first_start():
    """The commands of docs/operations.md that lead to a server with TLS and tokens."""
    section = (PROJECT / "docs/operations.md").read_text().split("## A first start")[1]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]


AS_DOCUMENTED = """
set -e
dpkg -i /hangar.deb >/dev/null
systemctl() { echo "systemctl $*"; }
cd /root
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=hangar -days 90 \
  -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null
(
%s
) >/said 2>&1 || { cat /said; exit 1; }
cat /said
token=$(grep -o '^hangar_[^ ]*' /said)
mkfifo /listens
setpriv --reuid hangar --regid hangar --clear-groups --pdeathsig KILL \
  hangar serve --config /etc/hangar/hangar.toml >/listens 2>/log &
server=$!
read -r _ _ address </listens || { cat /log; exit 1; }
echo "address: $address"
printf 'a,b\\n1,x\\n' >t.csv
hangar put -q --server "$(echo "$address" | sed 's,0[.]0[.]0[.]0,localhost,')" --ca cert.pem --token "$token" \
  t.parquet t.csv
kill "$server"
wait "$server"
echo "audit: $(grep -c '"put"' /var/log/hangar/audit.log)"
ls /var/lib/hangar/datasets
"""


def test_a_first_start_as_it_is_documented_works(package, tmp_path):
    if os.geteuid() != 0 or not fresh_root_works(tmp_path):
        pytest.skip("needs root and overlayfs")
    (tmp_path / "changes/hangar.deb").write_bytes(package.read_bytes())
    commands = first_start()
    for port in ("8815", "8816", "8817"):
        assert f":{port}" in commands
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            commands = commands.replace(f":{port}", f":{probe.getsockname()[1]}")
    done = subprocess.run(
        [sys.executable, str(HERE / "fresh_root.py"), str(tmp_path), "sh", "-c",
         AS_DOCUMENTED % commands],
        capture_output=True, text=True, timeout=300, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "systemctl enable --now hangar" in done.stdout
    assert re.search(r"(?m)^address: grpc\+tls://0\.0\.0\.0:", done.stdout), done.stdout
    assert re.search(r"(?m)^audit: 1$", done.stdout), done.stdout
    assert re.search(r"(?m)^t\.parquet$", done.stdout)


# ---- the container

CONTAINERFILE = (PROJECT / "packaging/Containerfile").read_text()


def test_the_container_runs_as_nobody_special():
    final = CONTAINERFILE.split("\nFROM ")[-1]
    user = re.search(r"(?m)^USER (\d+):(\d+)$", final)
    assert user and "0" not in user.groups()
    assert re.search(r"(?m)^HEALTHCHECK ", final)


def test_what_the_container_copies_is_enough_to_configure(tmp_path):
    for line in re.findall(r"(?m)^COPY (?!--from)(.*)$", CONTAINERFILE):
        *sources, target = line.split()
        if target.startswith("/"):
            continue
        for source in sources:
            (tmp_path / source).symlink_to(PROJECT / source)
    run("cmake", "--preset", "release", "-B", tmp_path / "build", cwd=tmp_path)


def test_the_containers_health_check_tells_a_server_that_answers(start_server, tmp_path):
    command = json.loads(re.search(r"(?m)^HEALTHCHECK .* CMD (\[.*\])$", CONTAINERFILE)[1])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [word.replace("8817", str(port)) for word in command]
    assert subprocess.run(command, capture_output=True).returncode != 0
    server = start_server(environment={"HANGAR_METRICS": f"127.0.0.1:{port}"})
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert server.stop() == 0
    assert subprocess.run(command, capture_output=True).returncode != 0
