"""hangar doctor says what keeps a server from working here, on set-ups that are really broken."""

import datetime
import json
import os
import re
import socket
import subprocess
import sys

import pytest

import private_mount


def examine(hangar, *flags, wrapper=()):
    """The findings by check: a list of (verdict, finding) of each; and the exit code."""
    done = hangar("doctor", "--json", *flags, wrapper=wrapper)
    assert done.stderr == ""
    findings = {}
    for line in done.stdout.splitlines():
        one = json.loads(line)
        assert set(one) == {"verdict", "check", "finding", "advice"}
        assert bool(one["advice"]) == (one["verdict"] != "ok"), one
        findings.setdefault(one["check"], []).append((one["verdict"], one["finding"]))
    return findings, done.returncode


def worst(findings, check):
    order = ["ok", "warning", "problem"]
    return max((verdict for verdict, _ in findings[check]), key=order.index)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def sound(tmp_path):
    """Flags that there is nothing to say against."""
    (tmp_path / "data").mkdir()
    return ["--data", tmp_path / "data", "--listen", f"grpc://127.0.0.1:{free_port()}"]


def certificate(folder, name, *, days, hosts="DNS:localhost,IP:127.0.0.1", begins=None):
    """Makes NAME.pem and NAME.key with openssl."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-subj", "/CN=hangar", "-keyout", folder / f"{name}.key", "-out",
               folder / f"{name}.pem"]
    if hosts:
        command += ["-addext", f"subjectAltName={hosts}"]
    if begins:
        end = begins + datetime.timedelta(days=days)
        command += ["-not_before", begins.strftime("%Y%m%d%H%M%SZ"),
                    "-not_after", end.strftime("%Y%m%d%H%M%SZ")]
    else:
        command += ["-days", str(days)]
    subprocess.run(command, check=True, capture_output=True)
    (folder / f"{name}.key").chmod(0o600)
    return ["--tls-cert", folder / f"{name}.pem", "--tls-key", folder / f"{name}.key"]


def test_where_all_is_well_there_is_no_problem(hangar, sound, tmp_path):
    findings, code = examine(hangar, *sound)
    assert code == 0
    assert all(worst(findings, check) != "problem" for check in findings)
    assert {"settings", "listen", "exposure", "data", "file_system", "space", "clock", "memory",
            "open_files"} <= set(findings)
    assert os.listdir(tmp_path / "data") == []


def test_people_get_a_line_for_each_check_and_what_to_do(hangar, sound):
    done = hangar("doctor", *sound, "--tls-cert", "absent.pem")
    assert done.returncode == 1
    assert re.search(r"(?m)^problem  settings +tls_cert needs tls_key", done.stdout)
    assert re.search(r"(?m)^ +-> \S", done.stdout)
    assert re.search(r"(?m)^ok       listen ", done.stdout)


def test_every_wrong_setting_is_a_problem(hangar, sound, tmp_path):
    (tmp_path / "h.toml").write_text('grace = "soon"\nkeepalive = "later"\n')
    findings, code = examine(hangar, *sound, "--config", "h.toml")
    assert code == 1
    assert [verdict for verdict, _ in findings["settings"]] == ["problem", "problem"]


def test_a_port_that_is_taken_is_said_with_who_holds_it(hangar, sound):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        findings, code = examine(hangar, *sound, "--http", f"127.0.0.1:{port}")
    assert code == 1
    (verdict, text), = findings["http"]
    assert verdict == "problem" and f"process {os.getpid()}" in text


def test_a_running_server_is_no_problem(hangar, server):
    findings, code = examine(hangar, "--data", server.data, "--listen", server.uri)
    assert code == 0
    (verdict, text), = findings["listen"]
    assert verdict == "warning" and f"process {server.process.pid}" in text


def test_a_running_server_on_a_socket_goes_on(hangar, start_server, tmp_path):
    server = start_server(listen=f"grpc+unix://{tmp_path}/s.sock")
    findings, _ = examine(hangar, "--data", server.data, "--listen", server.uri)
    assert worst(findings, "listen") == "warning"
    assert list(server.client().list_flights()) == []


@pytest.mark.parametrize("listen,words", [
    ("grpc://192.0.2.1:8815", "no address of this machine"),
    ("grpc://no.such.host.invalid:8815", "not known"),
    ("grpc+unix:///nowhere/at/all/s.sock", "No such file"),
    ("grpc+unix:///" + "x" * 120, "at most"),
    ("grpc+unix:///etc/passwd", "no socket"),
    ("http://127.0.0.1", "not an address"),
])
def test_an_address_that_cannot_be_listened_on_is_a_problem(hangar, sound, listen, words):
    findings, code = examine(hangar, *sound, "--listen", listen)
    assert code == 1
    (verdict, text), = findings["listen"]
    assert verdict == "problem" and words in text


def test_a_server_that_is_open_to_everybody_is_warned_of(hangar, sound, tmp_path):
    port = free_port()
    findings, code = examine(hangar, *sound, "--listen", f"grpc://0.0.0.0:{port}")
    assert code == 0 and worst(findings, "exposure") == "warning"
    findings, _ = examine(hangar, *sound, "--http", f"0.0.0.0:{free_port()}")
    assert worst(findings, "exposure") == "warning"


def test_a_good_certificate_is_said_with_its_end_and_its_hosts(hangar, sound, tmp_path):
    findings, code = examine(hangar, *sound, *certificate(tmp_path, "good", days=90))
    assert code == 0
    said = " ".join(text for _, text in findings["tls_cert"])
    assert worst(findings, "tls_cert") == "ok"
    assert "until 20" in said and "localhost, 127.0.0.1" in said


def test_a_certificate_that_ends_soon_is_a_warning(hangar, sound, tmp_path):
    findings, code = examine(hangar, *sound, *certificate(tmp_path, "late", days=12))
    assert code == 0 and worst(findings, "tls_cert") == "warning"
    assert re.search(r"expires in 1[12] days", findings["tls_cert"][0][1])


def test_a_certificate_that_ended_is_a_problem(hangar, sound, tmp_path):
    begins = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=40)
    findings, code = examine(
        hangar, *sound, *certificate(tmp_path, "old", days=30, begins=begins))
    assert code == 1
    assert any("expired on 20" in text for _, text in findings["tls_cert"])


def test_a_certificate_without_hosts_is_a_warning(hangar, sound, tmp_path):
    findings, _ = examine(hangar, *sound, *certificate(tmp_path, "c", days=90, hosts=None))
    assert any("names no host" in text for _, text in findings["tls_cert"])


def test_a_key_of_another_certificate_is_a_problem(hangar, sound, tmp_path):
    first = certificate(tmp_path, "one", days=90)
    second = certificate(tmp_path, "two", days=90)
    findings, code = examine(hangar, *sound, *first[:2], *second[2:])
    assert code == 1 and worst(findings, "tls_cert") == "problem"


def test_files_that_are_no_certificates_are_problems(hangar, sound, tmp_path):
    good = certificate(tmp_path, "good", days=90)
    (tmp_path / "text.pem").write_text("hello")
    for flags in (["--tls-cert", "text.pem", *good[2:]], [*good[:2], "--tls-key", "text.pem"],
                  ["--tls-cert", "absent.pem", *good[2:]], [*good, "--client-ca", "text.pem"]):
        findings, code = examine(hangar, *sound, *flags)
        assert code == 1 and worst(findings, "tls_cert") == "problem", flags


def test_a_key_that_others_may_read_is_a_problem(hangar, sound, tmp_path):
    flags = certificate(tmp_path, "good", days=90)
    (tmp_path / "good.key").chmod(0o640)
    findings, _ = examine(hangar, *sound, *flags)
    assert "tls_key" not in findings
    (tmp_path / "good.key").chmod(0o644)
    findings, code = examine(hangar, *sound, *flags)
    assert code == 1 and worst(findings, "tls_key") == "problem"


def test_a_policy_is_tried(hangar, sound, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text('[roles.reader]\nmembers = ["everyone"]\nread = ["**"]\n')
    findings, code = examine(hangar, *sound, "--policy", policy)
    assert code == 0 and worst(findings, "policy") == "ok"
    policy.chmod(0o666)
    findings, code = examine(hangar, *sound, "--policy", policy)
    assert code == 1
    policy.chmod(0o644)
    policy.write_text('[roles.reader]\nmembres = ["everyone"]\n')
    findings, code = examine(hangar, *sound, "--policy", policy)
    assert code == 1 and worst(findings, "policy") == "problem"


@pytest.mark.parametrize("setting", ["token_file", "user_file", "policy", "jwks"])
def test_a_file_of_who_may_do_what_that_is_wrong_or_not_there_is_a_problem(
        hangar, sound, tmp_path, setting):
    flag = "--" + setting.replace("_", "-")
    more = ["--jwt-issuer", "i", "--jwt-audience", "a"] if setting == "jwks" else []
    findings, code = examine(hangar, *sound, flag, "absent", *more)
    assert code == 1 and worst(findings, setting) == "problem"
    (tmp_path / "wrong").write_text("\x00 = nonsense [")
    (tmp_path / "wrong").chmod(0o600)
    findings, code = examine(hangar, *sound, flag, "wrong", *more)
    assert code == 1 and worst(findings, setting) == "problem"


def test_an_audit_log_that_cannot_be_written_is_a_problem(hangar, sound, tmp_path):
    findings, code = examine(hangar, *sound, "--audit-log", tmp_path / "audit.log")
    assert code == 0 and worst(findings, "audit_log") == "ok"
    assert not (tmp_path / "audit.log").exists()
    findings, code = examine(hangar, *sound, "--audit-log", "/nowhere/at/all/audit.log")
    assert code == 1 and worst(findings, "audit_log") == "problem"


def test_a_data_folder_that_is_not_there_yet_is_made_by_the_server(hangar, sound, tmp_path):
    findings, code = examine(hangar, *sound, "--data", tmp_path / "a/b")
    assert code == 0 and worst(findings, "data") == "ok"
    assert not (tmp_path / "a").exists()


def test_a_data_folder_that_is_a_file_is_a_problem(hangar, sound, tmp_path):
    (tmp_path / "file").write_text("precious")
    findings, code = examine(hangar, *sound, "--data", tmp_path / "file")
    assert code == 1 and worst(findings, "data") == "problem"


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_data_folder_of_somebody_else_is_a_problem(hangar, sound, tmp_path):
    somebody = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    for folder in [tmp_path, *tmp_path.parents][:4]:
        folder.chmod(folder.stat().st_mode | 0o055)
    findings, code = examine(hangar, *sound, wrapper=somebody)
    assert code == 1 and worst(findings, "data") == "problem"
    os.chown(tmp_path / "data", 12345, 12345)
    findings, code = examine(hangar, *sound, wrapper=somebody)
    assert code == 0 and worst(findings, "data") == "ok"
    # Root may do more than that user, so root is told that it proves little.
    findings, code = examine(hangar, *sound)
    assert code == 0 and any("belongs to user 12345" in text for _, text in findings["data"])


def test_a_data_folder_that_everybody_may_change_is_a_warning(hangar, sound, tmp_path):
    (tmp_path / "data").chmod(0o777)
    findings, _ = examine(hangar, *sound)
    assert ("warning", f"everybody on this machine may change '{tmp_path}/data'") in findings["data"]


def test_a_server_that_runs_on_the_folder_is_not_disturbed(hangar, server):
    findings, code = examine(hangar, "--data", server.data, "--listen", server.uri)
    assert code == 0 and worst(findings, "data") == "ok"
    assert server.staged() == []


def private_mounts(*arguments):
    """A command that makes a mount for the command after it alone."""
    command = [sys.executable, private_mount.__file__]
    if subprocess.run([*command, "probe"], capture_output=True).returncode != 0:
        pytest.skip("this system lets this user mount nothing")
    return [*command, *map(str, arguments)]


def test_a_file_system_in_memory_a_full_one_and_one_without_inodes(hangar, sound, tmp_path):
    def with_tmpfs(options):
        return private_mounts("tmpfs", tmp_path / "data", options)

    findings, code = examine(hangar, *sound, wrapper=with_tmpfs("size=1g"))
    assert code == 0
    assert any("tmpfs" in text for _, text in findings["file_system"])
    findings, code = examine(hangar, *sound, wrapper=with_tmpfs("size=16m"))
    assert code == 1 and worst(findings, "space") == "problem"
    findings, code = examine(hangar, *sound, wrapper=with_tmpfs("size=1g,nr_inodes=100"))
    assert any("more files can be made" in text for _, text in findings["space"])


def test_a_file_system_that_is_read_only_is_a_problem(hangar, sound, tmp_path):
    findings, code = examine(hangar, *sound,
                             wrapper=private_mounts("read-only", tmp_path / "data"))
    assert code == 1 and worst(findings, "data") == "problem"


def test_limits_of_the_process_are_seen(hangar, sound):
    limited = ["prlimit", "--nofile=100:100"]
    findings, code = examine(hangar, *sound, wrapper=limited)
    assert code == 0 and worst(findings, "open_files") == "warning"
    findings, _ = examine(hangar, *sound, "--max-streams", "2", wrapper=["prlimit", "--nofile=300:300"])
    assert worst(findings, "open_files") == "ok"
    findings, _ = examine(hangar, *sound, wrapper=["prlimit", "--fsize=1000000000"])
    assert worst(findings, "file_size") == "warning"


def test_more_memory_than_there_is_is_a_problem(hangar, sound):
    findings, code = examine(hangar, *sound, "--memory-limit", "512TiB")
    assert code == 1 and worst(findings, "memory") == "problem"
    findings, code = examine(hangar, *sound, "--memory-limit", "90%")
    assert code == 0 and worst(findings, "memory") == "warning"
