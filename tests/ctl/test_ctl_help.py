# SPDX-License-Identifier: BSD-3-Clause
"""Help, manual page and completion know every command."""
import re
import subprocess

import pytest
from lib import paths

MANUAL = paths.REPO / "docs" / "man" / "vswitchctl.1"


def run(*words):
    return subprocess.run([paths.need(paths.VSWITCHCTL), *words], text=True, check=True, timeout=60,
                          stdout=subprocess.PIPE).stdout


def commands():
    """(noun, verb or None) of every command, from the overview."""
    lines = re.findall(r"^  ([a-z]+)(?: ([a-z-]+))? +\S", run("help"), re.M)
    return [(noun, verb or None) for noun, verb in lines]


def test_overview():
    known = commands()
    for noun, verb in [("port", "list"), ("port", "capture"), ("bridge", "attach"), ("fdb", "flush"), ("worker", "list"),
                       ("stats", None), ("drops", None), ("log", "set"), ("config", "save"), ("info", None)]:
        assert (noun, verb) in known
    assert len(known) == len(set(known))
    assert run("--help") == run("-h") == run("help")
    assert all(len(line) <= 100 for line in run("help").splitlines())


def test_no_words_show_help():
    done = subprocess.run([paths.need(paths.VSWITCHCTL)], text=True, stdout=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == run("help")


def test_version():
    assert re.fullmatch(r"vswitchctl \d+\.\d+\.\d+\n", run("--version"))
    assert run("-V") == run("port", "list", "--version")


def test_help_of_each_command():
    for noun, verb in commands():
        words = [noun, verb] if verb else [noun]
        text = run("help", *words)
        assert text.startswith(f"  vswitchctl {' '.join(words)}")
        assert run(*words, "--help") == run("-h", *words) == text
        assert text in run("help", noun)
        assert all(len(line) <= 100 for line in text.splitlines())


def test_manual_is_what_the_program_says():
    """To mend it: put the output of `vswitchctl help --man` between the two comments."""
    text = MANUAL.read_text()
    inside = re.search(r"^\.\\\" From here .*?\n(.*)^\.\\\" End of what", text, re.S | re.M).group(1)
    assert inside == run("help", "--man")


def test_manual_mentions_each_command():
    page = subprocess.run(["mandoc", "-T", "utf8", str(MANUAL)], text=True, check=True, stdout=subprocess.PIPE).stdout
    page = re.sub(".\x08", "", page)
    for noun, verb in commands():
        assert re.search(rf"^ +{noun} {verb}\b" if verb else rf"^ +{noun}\b", page, re.M), (noun, verb)


def test_manual_is_clean():
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(MANUAL)], text=True, check=False,
                          stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (0, "")


# ---- completion, as bash does it ----

BASH = r"""
compopt() { :; }
source <("$1" completion bash)
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_vswitchctl "$1" "${COMP_WORDS[COMP_CWORD]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


def complete(*words, cwd="/"):
    """What bash offers for the last word."""
    ctl = str(paths.need(paths.VSWITCHCTL))
    done = subprocess.run(["bash", "-c", BASH, "bash", ctl, ctl, *words], text=True, check=True, cwd=cwd, timeout=60,
                          stdout=subprocess.PIPE)
    return set(done.stdout.split())


def test_complete_commands():
    nouns = {noun for noun, _ in commands()}
    assert complete("") == complete("help", "") == nouns
    for noun in nouns:
        verbs = {verb for n, verb in commands() if n == noun and verb}
        if verbs:
            assert complete(noun, "") == complete("help", noun, "") == verbs
    assert complete("po") == {"port"}
    assert complete("port", "s") == {"show", "set", "stats"}


def test_complete_options():
    assert {"--force", "--json", "--help"} <= complete("port", "del", "x", "--")
    assert complete("port", "add", "x", "device", "--do") == {"--doorbell"}
    assert complete("port", "add", "x", "device", "--doorbell", "") == {"memory", "message"}
    assert complete("port", "add", "x", "") == {"device", "tap", "af_xdp", "ethdev"}


def test_complete_names(cli):
    socket = ["-s", cli.socket]
    assert complete(*socket, "port", "show", "") == {"vm1", "vm2", "lone"}
    assert complete(*socket, "port", "show", "vm") == {"vm1", "vm2"}
    assert complete(*socket, "bridge", "attach", "") == {"br0"}
    assert complete(*socket, "bridge", "attach", "br0", "l") == {"lone"}
    assert complete(*socket, "fdb", "flush", "--port", "l") == {"lone"}
    assert complete(*socket, "drops", "v") == {"vm1", "vm2"}
    keys = {"link", "mtu", "affinity", "vlan-mode", "tag", "trunks", "qinq-ethtype"}
    assert complete(*socket, "port", "set", "vm1", "") == keys
    assert complete(*socket, "port", "set", "vm1", "link", "") == {"up", "down"}
    assert complete(*socket, "port", "set", "vm1", "link", "up", "") == keys
    assert complete(*socket, "port", "set", "vm1", "tag", "3", "vlan-mode", "t") == {"transparent", "trunk", "tunnel"}


def test_complete_without_daemon(tmp_path):
    assert complete("-s", str(tmp_path / "none"), "port", "show", "") == set()


def test_complete_files(cli, tmp_path):
    (tmp_path / "a.pcapng").touch()
    assert complete("-s", cli.socket, "port", "capture", "vm1", "a", cwd=tmp_path) == {"a.pcapng"}
    assert complete("config", "save", "", cwd=tmp_path) == {"a.pcapng"}


def test_bash_knows_the_function():
    ctl = str(paths.need(paths.VSWITCHCTL))
    script = f"source <('{ctl}' completion bash) && complete -p vswitchctl"
    done = subprocess.run(["bash", "-c", script], text=True, check=True, stdout=subprocess.PIPE)
    assert done.stdout == "complete -F _vswitchctl vswitchctl\n"


@pytest.mark.parametrize("words", [["--complete"], ["--complete", "a", "b", "c", "--", "-s"], ["--complete", "port", "set"]])
def test_complete_survives(words):
    subprocess.run([paths.need(paths.VSWITCHCTL), *words], check=True, stdout=subprocess.DEVNULL, timeout=60)
