# SPDX-License-Identifier: BSD-3-Clause
"""What a person reads who made a mistake in vswitchd.yaml: file, line, what is wrong, what is allowed."""
import os
import re
import subprocess

import pytest

from lib import paths

PORTS = "ports:\n- {name: a, type: device}\n- {name: b, type: device}\n- {name: c, type: device}\n"

CPUS = os.sched_getaffinity(0)
CPU = min(CPUS)

# name: (text of the file, line, words of the message)
WRONG = {
    "unknown-type": ("ports:\n  - name: vm1\n    type: devise\n", 3,
                     "port 'vm1': unknown type 'devise'; allowed: device, ethdev, tap, af_xdp"),
    "unknown-top-key": ("\nprots: []\n", 2, "unknown key 'prots' (did you mean 'ports'?); allowed: run-dir, log, control"),
    "unknown-port-key": ("ports:\n- name: x\n  type: device\n  queue: 3\n", 4, "port 'x': unknown key 'queue'"),
    "unknown-section-key": ("dpdk:\n    memori: 3\n", 2, "dpdk: unknown key 'memori' (did you mean 'memory'?); allowed: memory, hugepages, drivers"),
    "key-of-other-type": ("ports:\n- name: x\n  type: tap\n  interface: t0\n  mac: 52:54:00:00:00:01\n", 5,
                          "port 'x': key 'mac' is not for ports of type tap; allowed: name, type, interface, queues, mtu, affinity, link, vlan-mode, tag, "
                          "trunks, qinq-ethtype"),
    "missing-name": ("ports:\n- type: device\n", 2, "port 1: key 'name' is missing"),
    "missing-type": ("ports:\n- name: x\n", 2, "port 'x': key 'type' is missing"),
    "missing-interface": ("ports:\n\n- {name: x, type: tap}\n", 3, "key 'interface' is missing; a port of type tap needs it"),
    "missing-devargs": ("ports:\n- {name: x, type: ethdev}\n", 2, "key 'devargs' is missing"),
    "key-twice": ("ports:\n- name: x\n  type: device\n  name: y\n", 4, "key 'name' is there twice, first on line 2"),
    "not-a-list": ("ports: 5\n", 1, "ports must be a list"),
    "not-a-mapping": ("control: x\n", 1, "control must be keys with values"),
    "entry-not-a-mapping": ("ports:\n- name: x\n  type: device\n- y\n", 4, "port 2: this must be keys with values"),
    "top-is-a-list": ("- x\n", 1, "must be keys with values"),
    "value-is-a-list": ("ports:\n- type: device\n  name: [x]\n", 3, "name must be a single value"),
    "empty-value": ("run-dir:\n", 1, "run-dir is empty"),
    "number-low": ("dpdk:\n  memory: 63\n", 2, "dpdk: memory '63' is out of range; allowed: 64 to 1048576"),
    "number-high": ("ports:\n- name: x\n  type: device\n  mtu: 9191\n", 4, "port 'x': mtu '9191' is out of range; allowed: 68 to 9190"),
    "number-huge": ("dpdk: {memory: 99999999999999999999999}\n", 1, "is not a number"),
    "number-negative": ("dpdk: {memory: -64}\n", 1, "memory '-64' is not a number; allowed: 64 to 1048576"),
    "number-unit": ("dpdk: {memory: 64M}\n", 1, "memory '64M' is not a number"),
    "queues-high": ("ports:\n- name: x\n  type: device\n  max-queues: 33\n", 4, "max-queues '33' is out of range; allowed: 1 to 32"),
    "revisions": ("ports:\n- name: x\n  type: device\n  revisions: 0x200\n", 4, "revisions '0x200' is no mask; allowed: any bits of 0x"),
    "revisions-none": ("ports:\n- name: x\n  type: device\n  revisions: 0\n", 4, "at least one"),
    "mode": ("ports:\n- name: x\n  type: device\n  mode: 0889\n", 4, "mode '0889' is no mode; allowed: permissions in octal"),
    "mac-form": ("ports:\n- name: x\n  type: device\n  mac: 52:54:00:00:00\n", 4, "is no MAC address"),
    "mac-group": ("ports:\n- name: x\n  type: device\n  mac: 01:00:5e:00:00:01\n", 4, "is a group address"),
    "mac-zero": ("ports:\n- name: x\n  type: device\n  mac: 00:00:00:00:00:00\n", 4, "is the zero address"),
    "name-path": ("ports:\n- {name: ../x, type: device}\n", 2, "has other characters than"),
    "name-dot": ("ports:\n- {name: .x, type: device}\n", 2, "must begin with"),
    "name-long": ("ports:\n- {name: " + 32 * "x" + ", type: device}\n", 2, "is too long; at most 31"),
    "interface-long": ("ports:\n- {name: x, type: tap, interface: abcdefghijklmnop}\n", 2, "at most 15 characters"),
    "group": ("control:\n  group: no-such-group\n", 2, "control: group 'no-such-group' is unknown on this machine"),
    "owner": ("ports:\n- name: x\n  type: device\n  owner: no-such-user\n", 4, "an existing user, by name or number"),
    "hugepages": ("dpdk:\n  hugepages: maybe\n", 2, "unknown hugepages 'maybe'; allowed: auto, yes, no"),
    "log-component": ("log: devise=debug\n", 1, "unknown log component 'devise'; allowed: main, config,"),
    "log-level": ("log: device=loud\n", 1, "unknown log level 'loud'; allowed: err, warning, notice, info, debug"),
    "cores-form": ("workers:\n  cores: 3-1\n", 2, "cores '3-1' is no list of CPUs; allowed: auto, or"),
    "no-such-cpu": ("workers:\n  count: 1\n  cores: 1023\n", 3, "no such CPU 1023"),
    "rebalance-range": ("workers:\n  rebalance: 3601\n", 2, "rebalance '3601' is out of range; allowed: 0 to 3600"),
    "affinity-form": ("ports:\n- name: x\n  type: device\n  affinity: 0=1\n", 4,
                      "affinity '0=1' is no list of QUEUE:CPU; allowed: none, or each queue once, such as 0:1,2-3:2"),
    "affinity-twice": ("ports:\n- name: x\n  type: device\n  affinity: \"0-1:1,1:2\"\n", 4, "is no list of QUEUE:CPU"),
    "affinity-queue": ("ports:\n- name: x\n  type: device\n  max-queues: 2\n  affinity: \"0-2:1\"\n", 5,
                       "affinity '0-2:1' names queue 2; the port has queues 0 to 1"),
    "affinity-no-core": (f"workers:\n  cores: {CPU}\nports:\n- name: x\n  type: device\n- name: y\n  type: device\n  affinity: \"0:{CPU},1-2:1023\"\n", 8,
                         f"port 'y': affinity names CPU 1023, on which no core polls; pin to {CPU}, or add it to workers: cores"),
    "affinity-no-auto-core": ("workers: {count: 1}\nports:\n- name: x\n  type: device\n  affinity: 7:1022\n", 5,
                              f"port 'x': affinity names CPU 1022, on which no core polls; pin to {max(CPUS)}, or add it to workers: cores"),
    "steps-order": ("workers:\n  idle:\n    steps:\n    - {after-us: 9, sleep-us: 1}\n    - {after-us: 9, sleep-us: 1}\n", 5,
                    "after-us must be more than that of the step before (9)"),
    "steps-many": ("workers: {idle: {steps: [" + 4 * "{after-us: 1, sleep-us: 1}," + "]}}\n", 1, "steps has 4 entries; allowed: at most 3"),
    "step-incomplete": ("workers:\n  idle:\n    steps:\n    - {after-us: 9}\n", 4, "step 1: key 'sleep-us' is missing"),
    "port-twice": ("ports:\n- {name: a, type: device}\n- {name: a, type: device}\n", 3, "port 'a' is there twice, first on line 2"),
    "socket-twice": ("ports:\n- {name: a, type: device, socket: /x}\n- {name: b, type: device, socket: /x}\n", 3,
                     "port 'b': socket '/x' is already that of port 'a' on line 2"),
    "control-socket": ("control: {socket: /x}\nports:\n- {name: a, type: device, socket: /x}\n", 3, "is the control socket"),
    "socket-long": ("ports:\n- {name: a, type: device, socket: /" + 108 * "x" + "}\n", 2, "is too long; at most 107"),
    "interface-twice": ("ports:\n- {name: a, type: tap, interface: t}\n- {name: b, type: tap, interface: t}\n", 3, "interface 't' is already"),
    "bridge-twice": ("bridges:\n- name: a\n- name: a\n", 3, "bridge 'a' is there twice, first on line 2"),
    "bridge-unknown-port": (PORTS + "bridges:\n- name: br\n  ports:\n  - a\n  - x\n", 9, "bridge 'br': there is no port 'x'"),
    "port-in-two": (PORTS + "bridges:\n- name: br\n  ports: [a]\n- name: br2\n  ports: [b, a]\n", 9,
                    "bridge 'br2': port 'a' is already in bridge 'br'"),
    "port-twice-in-one": (PORTS + "bridges:\n- name: br\n  ports: [a, a]\n", 7, "already in bridge 'br'"),
    "wire-1": (PORTS + "bridges:\n- name: w\n  type: wire\n  ports: [a]\n", 8, "list exactly 2 ports, not 1"),
    "wire-3": (PORTS + "bridges:\n- name: w\n  type: wire\n  ports: [a, b, c]\n", 8, "list exactly 2 ports, not 3"),
    "wire-vlans": ("ports:\n- {name: a, type: device, vlan-mode: access, tag: 3}\n- {name: b, type: device}\nbridges:\n- name: w\n  type: wire\n"
                   "  ports: [b, a]\n", 7, "bridge 'w': a wire passes the frames of all VLANs; port 'a' has to have vlan-mode transparent there"),
    "vlan-mode": ("ports:\n- name: x\n  type: device\n  vlan-mode: hybrid\n", 4,
                  "port 'x': unknown vlan-mode 'hybrid'; allowed: transparent, access, trunk, tunnel"),
    "tag-missing": ("ports:\n- name: x\n  type: device\n  vlan-mode: access\n", 2,
                    "port 'x': key 'tag' is missing; vlan-mode access needs a VLAN, 1 to 4094"),
    "tag-high": ("ports:\n- name: x\n  type: device\n  vlan-mode: access\n  tag: 4095\n", 5, "tag '4095' is out of range; allowed: 0 to 4094"),
    "tag-alone": ("ports:\n- name: x\n  type: device\n  tag: 5\n", 4, "port 'x': key 'tag' has no meaning without vlan-mode access, trunk or tunnel"),
    "trunks-form": ("ports:\n- name: x\n  type: device\n  vlan-mode: trunk\n  trunks: 10;20\n", 5,
                    "trunks '10;20' is no list of VLANs; allowed: numbers from 1 to 4094 and ranges, such as 10,20-29"),
    "trunks-of-access": ("ports:\n- name: x\n  type: device\n  vlan-mode: access\n  tag: 5\n  trunks: 5\n", 6,
                         "key 'trunks' has no meaning without vlan-mode trunk"),
    "ethtype-of-trunk": ("ports:\n- name: x\n  type: device\n  vlan-mode: trunk\n  qinq-ethtype: 802.1q\n", 5,
                         "key 'qinq-ethtype' has no meaning without vlan-mode tunnel"),
    "ethtype": ("ports:\n- name: x\n  type: device\n  vlan-mode: tunnel\n  tag: 1\n  qinq-ethtype: 0x9100\n", 6,
                "unknown qinq-ethtype '0x9100'; allowed: 802.1ad, 802.1q"),
    "bridge-type": ("bridges:\n- name: w\n  type: hub\n", 3, "bridge 'w': unknown type 'hub'; allowed: switch, wire"),
    "fdb-size": ("bridges:\n- name: w\n  fdb-size: 1\n", 3, "fdb-size '1' is out of range; allowed: 16 to 1048576"),
    "yaml-tab": ("ports:\n\t- x\n", 2, "this is not YAML"),
    "yaml-quote": ("log: \"info\n\n", 3, "this is not YAML"),
    "yaml-alias": ("run-dir: &d /x\ncontrol: {group: *d}\n", 1, "anchors and aliases"),
    "yaml-two-documents": ("log: info\n---\nlog: info\n", 3, "a second document begins"),
    "not-utf-8": (b"log: \xff\xfe\n", 1, "this is not YAML"),
    "zero-byte": ('log: "in\\0fo"\n', 1, "log holds a zero byte"),
    "control-character": ('run-dir: "a\\eb"\n', 1, "run-dir holds a control character"),
    "deep": ("[" * 20000, 2, "this is not YAML"),
}


def check(path):
    """vswitchd --check."""
    return subprocess.run([paths.need(paths.VSWITCHD), "--check", "-c", path], text=True, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case, tmp_path):
    text, line, words = WRONG[case]
    path = tmp_path / "vswitchd.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = check(path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, "one sentence"
    assert done.stderr.startswith(f"vswitchd: {path}:{line}: ")
    assert words in done.stderr


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "ports:\nbridges:\ncontrol:\nworkers: {idle: }\n", "ports: []\nbridges: []\n"],
                         ids=["empty", "comment", "document", "empty-sections", "empty-lists"])
def test_nothing_is_a_configuration(text, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    done = check(path)
    assert done.stderr == ""
    assert done.returncode == 0
    assert "valid; ports: 0, bridges: 0" in done.stdout


def test_every_key(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("""
run-dir: /run/x
control: {socket: /run/x/ctl, group: 0}
dpdk: {memory: 64, hugepages: no, drivers: /x.so}
log: info,device=debug
workers:
    cores: 0
    count: 1
    rebalance: 3600
    idle: {sleep: no, steps: [{after-us: 1, sleep-us: 1}, {after-us: 2, sleep-us: 2}]}
ports:
    - {name: vm1, type: device, socket: /run/x/s, owner: root, group: 0, mode: 0600, mac: "52:54:00:00:00:01", max-queues: 32,
       revisions: 7, mtu: 9190, link-speed: 1, doorbell: message, interrupt-rate: 0, latency: low, local-checksum: skip, tunnel-tso: whole, link: down,
       affinity: "0:0,1-31:0"}
    - {name: up0, type: tap, interface: t0, queues: 2, mtu: 68}
    - {name: up1, type: af_xdp, interface: t1}
    - {name: cap, type: ethdev, devargs: "net_null0", vlan-mode: access, tag: 4094}
    - {name: tr, type: device, vlan-mode: trunk, tag: 1, trunks: "10,20-29"}
    - {name: qq, type: device, vlan-mode: tunnel, tag: 100, qinq-ethtype: 802.1q}
bridges:
    - {name: br0, type: switch, link-local: drop, fdb-size: 16, fdb-ageing: 0, ports: [vm1]}
    - {name: w, type: wire, ports: [up0, up1]}
""")
    done = check(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ports: 6, bridges: 2" in done.stdout


def test_the_sample_is_valid():
    done = check(paths.REPO / "config/vswitchd.yaml")
    assert (done.returncode, done.stderr) == (0, "")


def test_file_that_cannot_be_read(tmp_path):
    missing = check(tmp_path / "missing.yaml")
    assert missing.returncode == 1
    assert "missing.yaml: No such file or directory; name the configuration file with -c FILE" in missing.stderr
    folder = check(tmp_path)
    assert folder.returncode == 1
    assert "this is a directory" in folder.stderr
    endless = check("/dev/zero")
    assert endless.returncode == 1
    assert "File too large" in endless.stderr


def test_no_permission(workdir):
    path = workdir / "x.yaml"
    path.write_text("log: info\n")
    path.chmod(0o600)
    workdir.chmod(0o755)
    done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", paths.VSWITCHD, "--check", "-c", path],
                          text=True, timeout=30, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert f"{path}: Permission denied" in done.stderr


def test_command_line():
    def run(*args):
        return subprocess.run([paths.need(paths.VSWITCHD), *args], text=True, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    assert run("--version").stdout.startswith("vswitchd ")
    assert "Usage: vswitchd" in run("--help").stdout
    for args, words in ((["--foo"], "unrecognized option '--foo'"), (["x"], "unexpected argument 'x'"), (["-c"], "requires an argument"),
                        (["-c", "/dev/null", "--check", "-l", "x"], "--log: log: unknown log level 'x'; allowed: err,"),
                        (["-c", "/dev/null", "--check", "--hugepages", "x"], "allowed: auto, yes, no")):
        done = run(*args)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Try 'vswitchd --help'." in done.stderr


# Where an unknown key makes the daemon list the known ones.
SECTIONS = {"top": "x: 1", "control": "control: {x: 1}", "dpdk": "dpdk: {x: 1}", "workers": "workers: {x: 1}", "idle": "workers: {idle: {x: 1}}",
            "steps": "workers: {idle: {steps: [{x: 1}]}}", "port": "ports: [{name: a, type: device, x: 1}]", "bridge": "bridges: [{name: a, x: 1}]"}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_manual_has_every_key(section, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(SECTIONS[section])
    keys = check(path).stderr.strip().split("allowed: ")[1].split(", ")
    assert len(keys) >= 2
    manual = (paths.REPO / "docs/man/vswitchd.yaml.5").read_text().replace("\\-", "-")
    tags = [line for line in manual.splitlines() if line.startswith((".B", ".SS"))]
    for key in keys:
        assert any(re.search(rf"(^|[ \"{{]){key}($|[ \":,])", tag) for tag in tags), key


@pytest.mark.parametrize("page", ["vswitchd.8", "vswitchd.yaml.5"])
def test_the_manual_pages_are_well_formed(page):
    done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", paths.REPO / "docs/man" / page], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert (done.returncode, done.stdout) == (0, "")
