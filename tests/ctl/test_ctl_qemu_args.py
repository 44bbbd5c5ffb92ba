# SPDX-License-Identifier: BSD-3-Clause
"""The arguments for QEMU: what a shell, an XML parser or Proxmox makes of them."""
import json
import shlex
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from .ctl_cli import Cli

QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"


def device(daemon, name, **more):
    return {"driver": "vfio-user-pci", **more, "socket": {"type": "unix", "path": daemon.socket(name)}}


def shell_words(text):
    """As a shell splits it."""
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {text}"], text=True, check=True, stdout=subprocess.PIPE)
    return done.stdout.split("\0")[:-1]


def test_plain(cli, daemon):
    words = shell_words(cli.ok("port", "qemu-args", "vm1", "--memory", "3G", "--id", "nic0"))
    assert words[:-1] == ["-m", "3G", "-object", "memory-backend-memfd,id=mem0,size=3G,share=on", "-machine",
                          "memory-backend=mem0", "-device"]
    assert json.loads(words[-1]) == device(daemon, "vm1", id="nic0")


def test_memory_is_assumed_and_said(cli):
    done = cli("port", "qemu-args", "vm1")
    assert done.returncode == 0
    assert "--memory" in done.stderr
    assert "size=2G," in done.stdout


@pytest.mark.parametrize("text, size", [("512", "512M"), ("512m", "512M"), ("1g", "1G"), ("2T", "2T")])
def test_memory_sizes(cli, text, size):
    """A bare number is MiB for -m but bytes for size=: it never stays bare."""
    words = shell_words(cli.ok("port", "qemu-args", "vm1", "--memory", text))
    assert words[1] == size
    assert f"size={size}," in words[3]


@pytest.mark.parametrize("text", ["", "0", "G", "1.5G", "2GB", "-1", "9999999999999999999"])
def test_wrong_memory(cli, text):
    assert "is no size" in cli.fails(2, "port", "qemu-args", "vm1", f"--memory={text}")


@pytest.mark.parametrize("text", ["", "1nic", "a b", "a,b"])
def test_wrong_id(cli, text):
    assert "--id" in cli.fails(2, "port", "qemu-args", "vm1", "--memory=1G", f"--id={text}")


def test_json(cli, daemon):
    args = json.loads(cli.ok("-j", "port", "qemu-args", "vm1", "--memory", "1G"))["args"]
    assert args[:2] == ["-m", "1G"]
    assert json.loads(args[args.index("-device") + 1]) == device(daemon, "vm1")


def test_libvirt(cli, daemon):
    domain = ElementTree.fromstring(cli.ok("port", "qemu-args", "vm1", "--libvirt"))
    assert domain.find("memoryBacking/source").get("type") == "memfd"
    assert domain.find("memoryBacking/access").get("mode") == "shared"
    values = [arg.get("value") for arg in domain.findall(f"{QEMU}commandline/{QEMU}arg")]
    assert values[0] == "-device"
    assert json.loads(values[1]) == device(daemon, "vm1")


def test_proxmox(cli, daemon):
    line = cli.ok("port", "qemu-args", "vm1", "--proxmox", "--memory", "2048")
    assert line.count("\n") == 1
    words = shlex.split(line)
    assert words[0] == "args:"
    assert "memory-backend-memfd,id=mem0,size=2048M,share=on" in words
    assert json.loads(words[-1]) == device(daemon, "vm1")


def test_one_form_at_a_time(cli):
    assert "not both" in cli.fails(2, "port", "qemu-args", "vm1", "--libvirt", "--proxmox")


def test_awkward_path(cli, daemon):
    """Quotes and brackets in the socket's path reach QEMU as they are."""
    path = str(daemon.dir / "it's <a> & \"b\".sock")
    cli.ok("port", "add", "odd", "device", "--socket", path)
    try:
        words = shell_words(cli.ok("port", "qemu-args", "odd", "--memory=1G"))
        assert json.loads(words[-1])["socket"]["path"] == path
        words = shlex.split(cli.ok("port", "qemu-args", "odd", "--memory=1G", "--proxmox"))
        assert json.loads(words[-1])["socket"]["path"] == path
        domain = ElementTree.fromstring(cli.ok("port", "qemu-args", "odd", "--libvirt"))
        value = domain.findall(f"{QEMU}commandline/{QEMU}arg")[1].get("value")
        assert json.loads(value)["socket"]["path"] == path
    finally:
        cli.ok("port", "del", "odd")


def test_only_devices_have_arguments(netns, vswitchd):
    daemon = vswitchd({"ports": [{"name": "t0", "type": "tap", "interface": "vxt0"}]}, netns=netns)
    assert "of type tap" in Cli(daemon.ctl.socket).fails(1, "port", "qemu-args", "t0")
