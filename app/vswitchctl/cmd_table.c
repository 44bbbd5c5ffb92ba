/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd.h"
#include "handlers.h"

#define ARGS(...) (const struct cmd_arg[]){__VA_ARGS__, {.name = NULL}}
#define OPTIONS(...) (const struct cmd_option[]){__VA_ARGS__, {.name = NULL}}
#define CHOICES(...) (const char *const[]){__VA_ARGS__, NULL}

#define PORT_NAME {.name = "NAME", .kind = CMD_PORT}
#define BRIDGE_NAME {.name = "NAME", .kind = CMD_BRIDGE}
#define BRIDGE_AND_PORT {.name = "BRIDGE", .kind = CMD_BRIDGE}, {.name = "PORT", .kind = CMD_PORT}

#define VLAN_MODES CHOICES("transparent", "access", "trunk", "tunnel")
#define QINQ_ETHTYPES CHOICES("802.1ad", "802.1q")

const struct cmd_option cmd_settings[] = {
	{"link", "up|down", CMD_CHOICE, CHOICES("up", "down"), NULL},
	{"mtu", "BYTES", CMD_NUMBER, NULL, NULL},
	{"affinity", "LIST", CMD_TEXT, NULL, NULL},
	{"vlan-mode", "MODE", CMD_CHOICE, VLAN_MODES, NULL},
	{"tag", "VLAN", CMD_NUMBER, NULL, NULL},
	{"trunks", "VLANS", CMD_TEXT, NULL, NULL},
	{"qinq-ethtype", "TYPE", CMD_CHOICE, QINQ_ETHTYPES, NULL},
	{.name = NULL},
};

const struct cmd cmd_table[] = {
	{
		"port", "list", true, NULL, NULL,
		"list the ports",
		NULL,
		port_list,
	},
	{
		"port", "show", false, ARGS(PORT_NAME), NULL,
		"show all about a port: its guest, its driver, its queues and their cost, its configuration",
		"CYCLES are those of its frames on their whole way to other ports, INTERRUPTS those of its own interrupts. Queues "
		"that no driver uses are left out.",
		port_show,
	},
	{
		"port", "add", false,
		ARGS({.name = "NAME"},
			{.name = "TYPE", .kind = CMD_CHOICE,
				.choices = CHOICES("device", "tap", "af_xdp", "ethdev")}),
		OPTIONS({"socket", "PATH", CMD_FILE, NULL, "device: where QEMU connects"},
			{"owner", "USER", CMD_TEXT, NULL, "device: owner of the socket"},
			{"group", "GROUP", CMD_TEXT, NULL, "device: group of the socket"},
			{"mode", "MODE", CMD_TEXT, NULL, "device: mode of the socket, octal"},
			{"mac", "ADDRESS", CMD_TEXT, NULL, "device: permanent address of the card"},
			{"max-queues", "N", CMD_TEXT, NULL, "device: most queues each way, constant over its life"},
			{"revisions", "MASK", CMD_TEXT, NULL, "device: revisions offered, such as 0x47"},
			{"link-speed", "MBIT", CMD_TEXT, NULL, "device: speed that the guest sees"},
			{"doorbell", "memory|message", CMD_CHOICE, CHOICES("memory", "message"),
				"device: how the guest rings: fast, or such that an idle one costs nothing"},
			{"interrupt-rate", "N", CMD_TEXT, NULL,
				"device: interrupts per second and vector at most, 0: no cap"},
			{"latency", "normal|low", CMD_CHOICE, CHOICES("normal", "low"),
				"device: interrupts moderated (default), or raised as soon as they are due"},
			{"local-checksum", "full|skip", CMD_CHOICE, CHOICES("full", "skip"),
				"device: checksums of frames from guests here: made (default), or not"},
			{"tunnel-tso", "cut|whole", CMD_CHOICE, CHOICES("cut", "whole"),
				"device: large frames inside of tunnels: cut (default), or whole with LRO"},
			{"interface", "NAME", CMD_TEXT, NULL, "tap, af_xdp: the network interface"},
			{"devargs", "TEXT", CMD_TEXT, NULL, "ethdev: device arguments as DPDK takes them"},
			{"queues", "N", CMD_TEXT, NULL, "tap, af_xdp, ethdev: number of queues"},
			{"mtu", "BYTES", CMD_TEXT, NULL, "largest packet; device: that the guest may choose"},
			{"affinity", "LIST", CMD_TEXT, NULL,
				"queues pinned to CPUs of polling cores, such as 0:1,2-3:2"},
			{"link", "up|down", CMD_CHOICE, CHOICES("up", "down"), "cable plugged in or not"},
			{"vlan-mode", "MODE", CMD_CHOICE, VLAN_MODES,
				"transparent (default), access, trunk or tunnel"},
			{"tag", "VLAN", CMD_TEXT, NULL,
				"VLAN of an access or tunnel port, native one of a trunk"},
			{"trunks", "VLANS", CMD_TEXT, NULL, "trunk: its VLANs, such as 10,20-29 (default: all)"},
			{"qinq-ethtype", "TYPE", CMD_CHOICE, QINQ_ETHTYPES,
				"tunnel: kind of its tag, 802.1ad (default) or 802.1q"}),
		"add a port",
		"The options are the keys of a port in vswitchd.yaml(5), with the same values and defaults. The "
		"new port is in no bridge: see bridge attach.",
		port_add,
	},
	{
		"port", "del", false, ARGS(PORT_NAME),
		OPTIONS({"force", NULL, CMD_TEXT, NULL, "also when a virtual machine uses the device"}),
		"delete a port",
		"Deleting a device that a virtual machine uses is refused without --force: the machine's card is "
		"gone until the machine restarts.",
		port_del,
	},
	{
		"port", "set", false,
		ARGS(PORT_NAME, {.name = "KEY VALUE", .kind = CMD_SETTING, .many = true}), NULL,
		"change a port: its link, mtu, affinity, vlan-mode, tag, trunks or qinq-ethtype",
		"KEY VALUE may be repeated. `link down` pulls the cable, `link up` plugs it in; the guest stays "
		"connected. A device's new MTU counts from the next start of the guest's driver on. `affinity 0:1,2-3:2` pins queue 0 to "
		"the polling core on CPU 1, queues 2 and 3 to that on CPU 2, `affinity none` lets all go. VLANs change at "
		"once; a new `vlan-mode` begins with the defaults of the other VLAN keys, so give those with it: "
		"`vlan-mode access tag 10`.",
		port_set,
	},
	{
		"port", "capture", false, ARGS(PORT_NAME, {.name = "FILE", .kind = CMD_FILE}),
		OPTIONS({"direction", "in|out|both", CMD_CHOICE, CHOICES("in", "out", "both"),
				"frames that enter the switch through the port (in), leave it (out), or both (default)"},
			{"filter", "BPF", CMD_TEXT, NULL, "only frames that match, see pcap-filter(7)"},
			{"snaplen", "BYTES", CMD_NUMBER, NULL,
				"keep so many bytes of each frame, 64 to 262144 (default: all)"},
			{"count", "N", CMD_NUMBER, NULL, "stop after N frames"}),
		"write the frames of a port to a pcapng file",
		"FILE may be - for standard output, for instance into `wireshark -k -i -`. Ends on SIGINT (Ctrl-C), "
		"SIGTERM, after --count frames, or when its reader goes away, and tells how many frames were "
		"captured and how many could not be kept because this side was too slow. Traffic is never held up."
		"\n\n"
		"Frames are seen as they travel inside the switch: large TCP segments whole, their checksums "
		"not yet filled in, VLAN tags in line. Write addresses, not host names, into the filter: "
		"vswitchd would have to ask a name server.",
		port_capture,
	},
	{
		"port", "qemu-args", false, ARGS(PORT_NAME),
		OPTIONS({"memory", "SIZE", CMD_TEXT, NULL, "memory of the machine, such as 2G (default; without unit: MiB)"},
			{"id", "ID", CMD_TEXT, NULL, "id of the device in QEMU"},
			{"libvirt", NULL, CMD_TEXT, NULL, "print XML for the libvirt domain instead"},
			{"proxmox", NULL, CMD_TEXT, NULL, "print the line for the Proxmox configuration instead"}),
		"print the arguments that give QEMU this card",
		"Quoted, so that they can be pasted behind qemu-system-x86_64 in a shell. A machine with several "
		"cards needs the memory arguments once and one -device for each card. QEMU must be 10.1 or newer, "
		"and vswitchd must be running when it starts.",
		port_qemu_args,
	},
	{
		"port", "stats", false, ARGS({.name = "NAME", .kind = CMD_PORT, .optional = true}), NULL,
		"show the counters and drops of a port, or of all",
		"rx is what enters the switch through the port, tx what leaves through it.",
		port_stats,
	},
	{
		"bridge", "list", true, NULL, NULL,
		"list the bridges",
		NULL,
		bridge_list,
	},
	{
		"bridge", "show", false, ARGS(BRIDGE_NAME), NULL,
		"show all about a bridge",
		NULL,
		bridge_show,
	},
	{
		"bridge", "add", false, ARGS({.name = "NAME"}),
		OPTIONS({"type", "switch|wire", CMD_CHOICE, CHOICES("switch", "wire"),
				"switch (default): learns addresses; wire: two ports, everything passes"},
			{"link-local", "forward|drop", CMD_CHOICE, CHOICES("forward", "drop"),
				"LACP, STP, LLDP: forward (default) as a cable does, or drop"},
			{"fdb-size", "N", CMD_TEXT, NULL, "most addresses that it learns"},
			{"fdb-ageing", "SECONDS", CMD_TEXT, NULL, "forget an address after this time, 0: never"},
			{"ports", "NAMES", CMD_PORT, NULL, "attach these ports, separated by commas"}),
		"add a bridge",
		NULL,
		bridge_add,
	},
	{
		"bridge", "del", false, ARGS(BRIDGE_NAME), NULL,
		"delete a bridge; its ports are detached, not deleted",
		NULL,
		bridge_del,
	},
	{
		"bridge", "attach", false, ARGS(BRIDGE_AND_PORT), NULL,
		"put a port into a bridge",
		NULL,
		bridge_attach,
	},
	{
		"bridge", "detach", false, ARGS(BRIDGE_AND_PORT), NULL,
		"take a port out of its bridge; its guest stays connected",
		NULL,
		bridge_detach,
	},
	{
		"fdb", "list", true, ARGS({.name = "BRIDGE", .kind = CMD_BRIDGE, .optional = true}),
		OPTIONS({"limit", "N", CMD_NUMBER, NULL, "show at most N addresses (default 10000)"}),
		"list the addresses that bridges have learnt, and where",
		NULL,
		fdb_list,
	},
	{
		"fdb", "flush", false, ARGS({.name = "BRIDGE", .kind = CMD_BRIDGE, .optional = true}),
		OPTIONS({"port", "NAME", CMD_PORT, NULL, "only addresses behind this port"}),
		"forget learnt addresses",
		NULL,
		fdb_flush,
	},
	{
		"worker", "list", true, NULL, NULL,
		"list the polling cores: how busy, how idle",
		"LOAD is what the queues of a core cost it lately, in percent of it. BUSY is the part of the time awake in "
		"which there was work, since the start; CYCLES/FRAME are cycles of that time. MOVES is how many queues came "
		"to it from another core. STEP is the step of the idle back-off: 0 is awake, each next one sleeps longer.",
		worker_list,
	},
	{
		"worker", "show", false, ARGS({.name = "ID", .kind = CMD_NUMBER}), NULL,
		"show a polling core: its time, what each port has cost it, its queues",
		"A port is charged with the cycles of its frames on their whole way to other ports, and with those of its own "
		"interrupts. SHARE is their part of the core's busy cycles; what is missing to 100 % went into looking for work. "
		"Queues that no driver uses are left out.",
		worker_show,
	},
	{
		"stats", NULL, true, NULL,
		OPTIONS({"interval", "SECONDS", CMD_NUMBER, NULL, "show rates every so many seconds until Ctrl-C"},
			{"count", "N", CMD_NUMBER, NULL, "with --interval: stop after N times"}),
		"show the traffic of all ports",
		"rx is what enters the switch through the port, tx what leaves through it. A large TCP segment "
		"counts as one frame. HELD is how often moderation postponed an interrupt.",
		stats_show,
	},
	{
		"drops", NULL, true, ARGS({.name = "PORT", .kind = CMD_PORT, .optional = true}),
		OPTIONS({"all", NULL, CMD_TEXT, NULL, "also reasons that have not occurred"}),
		"show why frames were dropped, and how many",
		NULL,
		drops_show,
	},
	{
		"log", "show", true, NULL, NULL,
		"show the log level of each component",
		NULL,
		log_show,
	},
	{
		"log", "set", false, ARGS({.name = "LEVEL", .kind = CMD_TEXT}), NULL,
		"change log levels: LEVEL for all, or COMPONENT=LEVEL,...",
		"Levels: err, warning, notice, info, debug.",
		log_set,
	},
	{
		"config", "show", true, NULL, NULL,
		"print the running configuration",
		NULL,
		config_show,
	},
	{
		"config", "save", false, ARGS({.name = "FILE", .kind = CMD_FILE, .optional = true}), NULL,
		"write the running configuration to a file",
		"Without FILE: to the one that vswitchd was started with. The file is replaced in one step, and "
		"comments in the old one are lost. - is standard output.",
		config_save,
	},
	{
		"info", NULL, true, NULL, NULL,
		"show version, process, memory and files of the daemon",
		NULL,
		info_show,
	},
	{
		"help", NULL, true,
		ARGS({.name = "NOUN", .kind = CMD_COMMAND, .optional = true},
			{.name = "VERB", .kind = CMD_COMMAND, .optional = true}),
		OPTIONS({"man", NULL, CMD_TEXT, NULL, "print all commands as roff, for the manual page"}),
		"explain the commands",
		NULL,
		help_show,
	},
	{
		"completion", "bash", false, NULL, NULL,
		"print the completion for bash: source <(vswitchctl completion bash)",
		NULL,
		completion_bash,
	},
	{.noun = NULL},
};
