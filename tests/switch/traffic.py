# SPDX-License-Identifier: BSD-3-Clause
"""ping and iperf3 between stations, in bounded amounts."""
import json
import re
import subprocess
import time


def ping(station, address, size=56, count=3, dont_fragment=True):
    """How many answers came."""
    options = ["-M", "do"] if dont_fragment else []
    said = station.run(["ping", "-n", "-c", count, "-i", "0.2", "-W", "5", "-s", size, *options, address], check=False)
    found = re.search(r"(\d+) received", said)
    return int(found.group(1)) if found else 0


class Iperf:
    """An iperf3 server on a station, and clients that talk to it from others."""

    def __init__(self, station, address):
        self.address = address
        self.server = station.spawn(["iperf3", "-s"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            if ":5201 " in station.run("ss -Hltn"):
                return
            time.sleep(0.1)
        raise TimeoutError("iperf3 -s does not listen")

    def start(self, client, *options, seconds=1):
        """Begin; result() ends it."""
        return client.spawn(["iperf3", "-J", "-c", self.address, "-t", str(seconds), *options],
                            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    @staticmethod
    def result(process, timeout=60):
        """What iperf3 has to say."""
        said, _ = process.communicate(timeout=timeout)
        answer = json.loads(said)
        assert "error" not in answer, answer["error"]
        return answer

    def tcp(self, client, *options, seconds=1):
        """Mbit/s that arrived."""
        end = self.result(self.start(client, *options, seconds=seconds))["end"]
        return end["sum_received"]["bits_per_second"] / 1e6

    def udp(self, client, *options, rate="20M", seconds=1):
        """(packets sent, packets that arrived)"""
        end = self.result(self.start(client, "-u", "-b", rate, *options, seconds=seconds))["end"]["sum"]
        return end["packets"], end["packets"] - end["lost_packets"]
