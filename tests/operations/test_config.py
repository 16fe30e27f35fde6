"""hangar config: what is wrong with settings, what is in force, and the example with all of them."""

import pathlib
import re
import subprocess
import tomllib

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def lines_of(text):
    return [line for line in text.splitlines() if line]


def test_a_file_without_mistakes_is_said_to_be_so(hangar, tmp_path):
    (tmp_path / "h.toml").write_text('data = "d"\nmax_streams = 7\ninsecure = true\n')
    done = hangar("config", "check", "h.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing wrong" in done.stdout


def test_every_mistake_of_a_file_is_said_with_its_line(hangar, tmp_path):
    (tmp_path / "h.toml").write_text(
        'data = "d"\nlog_levle = "info"\ngrace = "soon"\n\nmax_streams = true\n[tls]\ncert = "c"\n')
    done = hangar("config", "check", "h.toml")
    assert (done.returncode, done.stdout) == (1, "")
    told = lines_of(done.stderr)
    assert [re.match(r"hangar: h\.toml:(\d+): ", line)[1] for line in told] == ["2", "3", "5", "6"]
    assert "'log_level'" in told[0] and "'soon'" in told[1] and "number" in told[2]


def test_what_does_not_go_together_is_said(hangar, tmp_path):
    (tmp_path / "h.toml").write_text('tls_cert = "c.pem"\njwks = "keys.json"\n')
    done = hangar("config", "check", "h.toml")
    assert done.returncode == 1
    assert [setting in done.stderr for setting in ("tls_key", "jwt_issuer", "jwt_audience")] == [
        True, True, True]


def test_a_file_that_is_no_toml_or_not_there_is_one_sentence(hangar, tmp_path):
    (tmp_path / "h.toml").write_text('data = "d"\nlisten = \n')
    done = hangar("config", "check", "h.toml")
    assert done.returncode == 1 and len(lines_of(done.stderr)) == 1
    assert done.stderr.startswith("hangar: h.toml:2: ")
    done = hangar("config", "check", "absent.toml")
    assert done.returncode == 1 and len(lines_of(done.stderr)) == 1
    assert hangar("config", "check").returncode == 2


def test_show_tells_each_value_and_where_it_is_from(hangar, tmp_path):
    (tmp_path / "h.toml").write_text('data = "file"\ngrace = "1s"\nkeepalive = "9s"\n')
    done = hangar("config", "show", "--config", "h.toml", "--keepalive", "3s", "--insecure",
                  "--advertise", "grpc://a:1", "--advertise", "grpc://b:2",
                  environment={"HANGAR_GRACE": "2s"})
    assert done.returncode == 0, done.stderr
    shown = tomllib.loads(done.stdout)
    assert (shown["data"], shown["grace"], shown["keepalive"]) == ("file", "2s", "3s")
    assert shown["insecure"] is True and shown["max_streams"] == 1024
    assert shown["advertise"] == ["grpc://a:1", "grpc://b:2"]
    assert 'data = "file"  # line 1 of h.toml\n' in done.stdout
    assert 'grace = "2s"  # HANGAR_GRACE\n' in done.stdout
    assert 'keepalive = "3s"  # --keepalive\n' in done.stdout
    assert 'log_level = "info"  # default\n' in done.stdout


def test_what_show_prints_is_a_file_with_the_same_meaning(hangar, tmp_path):
    first = hangar("config", "show", "--data", 'quo"te\\d', "--history-bytes", "5%")
    (tmp_path / "shown.toml").write_text(first.stdout)
    again = hangar("config", "show", "--config", "shown.toml")
    assert again.returncode == 0, again.stderr
    assert tomllib.loads(again.stdout) == tomllib.loads(first.stdout)


def test_a_file_named_by_the_environment_counts(hangar, tmp_path):
    (tmp_path / "h.toml").write_text('data = "from the file"\n')
    done = hangar("config", "show", environment={"HANGAR_CONFIG": "h.toml"})
    assert tomllib.loads(done.stdout)["data"] == "from the file"
    (tmp_path / "other.toml").write_text('data = "other"\n')
    done = hangar("config", "show", "--config", "other.toml",
                  environment={"HANGAR_CONFIG": "h.toml"})
    assert tomllib.loads(done.stdout)["data"] == "other"


def test_secrets_of_an_address_are_not_shown(hangar):
    done = hangar("config", "show", "--jwks", "https://bob:secret@id.example.org/keys?key=hidden",
                  "--jwt-issuer", "i", "--jwt-audience", "a", "--insecure")
    assert done.returncode == 0, done.stderr
    assert "id.example.org" in done.stdout
    assert "secret" not in done.stdout and "hidden" not in done.stdout


def test_the_example_holds_every_setting_with_its_default(hangar, tmp_path):
    example = hangar("config", "example").stdout
    assert tomllib.loads(example) == {}
    uncommented = re.sub(r"(?m)^#([a-z_]+ = )", r"\1", example)
    (tmp_path / "all.toml").write_text(uncommented)
    defaults = tomllib.loads(hangar("config", "show").stdout)
    assert tomllib.loads(uncommented) == defaults
    shown = hangar("config", "show", "--config", "all.toml")
    assert shown.returncode == 0, shown.stderr
    assert tomllib.loads(shown.stdout) == defaults
    flags = set(re.findall(r"--([a-z-]+)", hangar("serve", "--help").stdout))
    assert {name.replace("_", "-") for name in defaults} == flags - {"help", "config"}


def test_the_example_in_the_sources_is_the_programs_own(hangar):
    example = (PROJECT / "packaging/hangar.toml.example").read_text()
    assert example == hangar("config", "example").stdout


def test_an_example_with_settings_has_them_set(hangar, tmp_path):
    done = hangar("config", "example", "--data", "/srv/datasets", "--max-streams", "7")
    assert tomllib.loads(done.stdout) == {"data": "/srv/datasets", "max_streams": 7}


def test_a_server_with_several_mistakes_says_one_and_how_to_see_the_others(hangar, tmp_path):
    (tmp_path / "h.toml").write_text('grace = "soon"\nkeepalive = "later"\n')
    done = hangar("serve", "--config", "h.toml")
    assert done.returncode == 2 and len(lines_of(done.stderr)) == 1
    assert "line 1" in done.stderr and "1 more" in done.stderr


def test_the_pages_of_the_manual_are_without_fault(hangar):
    for page in ("hangar.1", "hangar.toml.5"):
        text = hangar("manual", page).stdout
        checked = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=text,
                                 capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stdout) == (0, ""), page
        rendered = subprocess.run(["mandoc", "-T", "utf8"], input=text, capture_output=True,
                                  text=True, check=True).stdout
        assert len(rendered.splitlines()) > 100


def test_the_manual_has_every_command_and_every_setting(hangar):
    def rendered(page):
        text = subprocess.run(["mandoc", "-T", "ascii"], input=hangar("manual", page).stdout,
                              capture_output=True, text=True, check=True).stdout
        return re.sub(r".\x08", "", text)

    commands = rendered("hangar.1")
    listed = re.findall(r"(?m)^  ([a-z]+) {2,}\S",
                        hangar("--help").stdout.split("\nServer:\n")[1].split("Example:")[0])
    assert len(listed) > 15
    assert [name for name in listed if not re.search(rf"hangar {name}\b", commands)] == []
    settings = rendered("hangar.toml.5")
    assert [name for name in tomllib.loads(hangar("config", "show").stdout)
            if not re.search(rf"(?m)^ +{name}( |$)", settings)] == []
