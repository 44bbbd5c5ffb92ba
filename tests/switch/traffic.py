# SPDX-License-Identifier: BSD-3-Clause
"""ping and iperf3 between stations, in bounded amounts."""
import json
import re
import subprocess
import time


def ping(station, address, size=56, count=3, dont_fragment=True, attempts=3):
    """How many answers came, at best: a ping that is kept off the CPU loses large ones in its socket's buffer."""
    options = ["-M", "do"] if dont_fragment else []
    best = 0
    while best < count and attempts > 0:
        said = station.run(["ping", "-n", "-c", count, "-i", "0.2", "-W", "5", "-s", size, *options, address],
                           check=False)
        found = re.search(r"(\d+) received", said)
        best = max(best, int(found.group(1)) if found else 0)
        attempts -= 1
    return best


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

    def run(self, client, *options, seconds=1):
        """What iperf3 says in the end. The server may need a moment after its last client."""
        for _ in range(20):
            process = self.start(client, *options, seconds=seconds)
            said, _ = process.communicate(timeout=60)
            answer = json.loads(said)
            if "busy" not in answer.get("error", ""):
                break
            time.sleep(0.5)
        assert "error" not in answer, answer["error"]
        return answer["end"]

    def tcp(self, client, *options, seconds=1):
        """Mbit/s that arrived."""
        return self.run(client, *options, seconds=seconds)["sum_received"]["bits_per_second"] / 1e6

    def udp(self, client, *options, rate="20M", seconds=1):
        """(packets sent, packets that arrived)"""
        end = self.run(client, "-u", "-b", rate, *options, seconds=seconds)["sum"]
        return end["packets"], end["packets"] - end["lost_packets"]
