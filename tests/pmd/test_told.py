# SPDX-License-Identifier: BSD-3-Clause
"""What the plugins and their guides say of the drivers, against what testpmd and dpdk-pmdinfo.py see."""
import configparser
import json
import re
import subprocess

import pytest

from lib import paths
from lib.testpmd import Testpmd

from . import lab

GUIDES = paths.REPO / "docs/guides/nics"
PLUGINS = {"vmxnet3x": paths.PMD_VMXNET3X, "vmxnet3_host": paths.PMD_VMXNET3_HOST}

# Features of DPDK's matrix that stand for capabilities: those of receive, those of transmit.
BY_CAPABILITY = {
    "Fast mbuf free": ((), ("MBUF_FAST_FREE",)),
    "Scattered Rx": (("SCATTER",), ()),
    "LRO": (("TCP_LRO",), ()),
    "TSO": ((), ("TCP_TSO",)),
    "RSS hash": (("RSS_HASH",), ()),
    "VLAN filter": (("VLAN_FILTER",), ()),
    "VLAN offload": (("VLAN_STRIP",), ("VLAN_INSERT",)),
    "L3 checksum offload": (("IPV4_CKSUM",), ("IPV4_CKSUM",)),
    "L4 checksum offload": (("UDP_CKSUM", "TCP_CKSUM"), ("UDP_CKSUM", "TCP_CKSUM")),
    "Inner L3 checksum": ((), ("OUTER_IPV4_CKSUM",)),
    "QinQ offload": (("QINQ_STRIP",), ("QINQ_INSERT",)),
    "CRC offload": (("KEEP_CRC",), ()),
    "Timestamp offload": (("TIMESTAMP",), ()),
    "MACsec offload": (("MACSEC_STRIP",), ("MACSEC_INSERT",)),
    "Buffer split on Rx": (("BUFFER_SPLIT",), ()),
    "Lock-free Tx queue": ((), ("MT_LOCKFREE",)),
}


def features(driver):
    """The driver's matrix: {feature: "Y" or "P"}."""
    matrix = configparser.ConfigParser(delimiters="=", comment_prefixes=";")
    matrix.optionxform = str
    matrix.read(GUIDES / f"features/{driver}.ini")
    return dict(matrix["Features"])


def told_arguments(driver):
    """The device arguments in the guide's table."""
    table = (GUIDES / f"{driver}.rst").read_text().split("Device arguments\n---")[1].split("\nLimitations")[0]
    return {name for cell in re.findall(r"^``([^`]+)``", table, re.MULTILINE) for name in cell.split(", ")}


def pmdinfo(driver):
    """What dpdk-pmdinfo.py says of the plugin."""
    said = subprocess.run(["/usr/bin/python3", "/usr/bin/dpdk-pmdinfo.py", paths.need(PLUGINS[driver])],
                          capture_output=True, text=True, timeout=60, check=True)
    return json.loads(said.stdout)


@pytest.fixture(scope="module")
def testpmd(tmp_path_factory):
    """A front end (port 1) on a back end (port 0)."""
    socket = tmp_path_factory.mktemp("told") / "card.sock"
    with Testpmd([lab.back(0, socket), lab.front(0, socket)]) as pmd:
        yield pmd


@pytest.mark.parametrize("driver", PLUGINS)
def test_pmdinfo(driver):
    info = pmdinfo(driver)
    assert {one["name"] for one in info} == {f"net_{driver}"}
    words = " ".join(one.get("params", "") for one in info)
    assert set(re.findall(r"([\w-]+)=", words)) == told_arguments(driver)


def test_pmdinfo_pci():
    """Tools that bind devices to kernel drivers ask for these."""
    pci = [one for one in pmdinfo("vmxnet3x") if one.get("pci_ids")]
    assert [one["pci_ids"] for one in pci] == [[{"vendor": "15ad", "device": "07b0"}]]
    assert "vfio-pci" in pci[0]["kmod"]
    assert not any(one.get("pci_ids") for one in pmdinfo("vmxnet3_host"))


@pytest.mark.parametrize("driver, port", [("vmxnet3_host", 0), ("vmxnet3x", 1)])
def test_matrix(testpmd, driver, port):
    """No capability is claimed that the driver does not offer, and none offered that is not claimed."""
    receive, transmit = (set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", testpmd.cmd(f"show port {port} {way}_offload capabilities")))
                         for way in ("rx", "tx"))
    offered = {feature for feature, (rx, tx) in BY_CAPABILITY.items() if receive.issuperset(rx) and transmit.issuperset(tx)}
    assert offered == {feature for feature in features(driver) if feature in BY_CAPABILITY}
