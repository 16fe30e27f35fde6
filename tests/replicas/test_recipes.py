"""The recipes for several servers are made of settings that there are, and that go together."""

import pathlib
import re
import subprocess

import pytest
import yaml

from hangar_fixtures import DEADLINE_SECONDS, clean_environment

PROJECT = pathlib.Path(__file__).resolve().parents[2]
COMPOSE = (PROJECT / "packaging/compose.yaml").read_text()
OPERATIONS = (PROJECT / "docs/operations.md").read_text()


def services():
    """What Compose makes of the file: its variables have their defaults, or a value that fits."""
    given = {"HANGAR_BUCKET": "s3://b/p?endpoint=http://127.0.0.1:1&region=r"}
    text = re.sub(r"\$\{(\w+):([-?])([^}]*)\}",
                  lambda found: given.get(found[1], found[3] if found[2] == "-" else "key"), COMPOSE)
    return yaml.safe_load(text)["services"]


@pytest.mark.parametrize("name", services())
def test_each_service_of_the_compose_file_can_start(hangar_binary, name):
    settings = services()[name]["environment"]
    done = subprocess.run([hangar_binary, "config", "show"], capture_output=True, text=True,
                          timeout=DEADLINE_SECONDS, env=clean_environment(settings))
    assert done.returncode == 0, done.stderr
    assert settings["HANGAR_ADVERTISE"] in settings["HANGAR_PEERS"].split(",")
    assert settings["HANGAR_ADVERTISE"].rsplit(":")[-1] == settings["HANGAR_LISTEN"].rsplit(":")[-1]


def test_services_share_no_port():
    ports = [services()[name]["environment"][setting].rsplit(":")[-1] for name in services()
             for setting in ("HANGAR_LISTEN", "HANGAR_METRICS")]
    assert len(set(ports)) == len(ports) == 6


def test_the_configuration_in_the_documents_is_right(hangar_binary, tmp_path):
    section = OPERATIONS.split("\n## Several servers\n")[1].split("\n## ")[0]
    file = tmp_path / "hangar.toml"
    file.write_text(re.search(r"```toml\n(.*?)```", section, re.DOTALL)[1])
    done = subprocess.run([hangar_binary, "config", "check", file], capture_output=True, text=True,
                          timeout=DEADLINE_SECONDS, env=clean_environment())
    assert done.returncode == 0, done.stdout + done.stderr
