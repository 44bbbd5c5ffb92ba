/* SPDX-License-Identifier: BSD-3-Clause */
/* port qemu-args */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "handlers.h"
#include "table.h"

#define MEMORY_DEFAULT "2G"

/*
 * A size with its unit: QEMU takes a bare number as MiB behind -m, but as bytes behind size=. Returns false
 * if the text is no size.
 */
static bool
memory_size(const char *text, char *buf, size_t size)
{
	const size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	uint64_t number;

	if (digits == 0 || digits > 12 || (unit[0] != '\0' && unit[1] != '\0'))
		return false;
	number = strtoull(text, NULL, 10);
	if (number == 0 || (unit[0] != '\0' && !strchr("kKmMgGtT", unit[0])))
		return false;
	snprintf(buf, size, "%" PRIu64 "%c", number, unit[0] ? toupper((unsigned char)unit[0]) : 'M');
	return true;
}

static bool
is_qemu_id(const char *id)
{
	if (!isalpha((unsigned char)id[0]))
		return false;
	for (; *id; id++)
		if (!isalnum((unsigned char)*id) && !strchr("-._", *id))
			return false;
	return true;
}

/* The value of -device. Free it. */
static char *
device_json(const char *socket, const char *id)
{
	json_t *device = json_pack("{s:s}", "driver", "vfio-user-pci");
	char *text;

	if (id)
		json_object_set_new(device, "id", json_string(id));
	json_object_set_new(device, "socket", json_pack("{s:s, s:s}", "type", "unix", "path", socket));
	text = json_dumps(device, JSON_COMPACT);
	json_decref(device);
	return text;
}

/* In single quotes for a shell. */
static void
print_shell(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			printf("'\\''");
		else
			putchar(*text);
	}
	putchar('\'');
}

static void
print_xml(const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			printf("&amp;");
			break;
		case '<':
			printf("&lt;");
			break;
		case '\'':
			printf("&apos;");
			break;
		default:
			putchar(*text);
		}
	}
}

static void
print_plain(const char *memory, const char *device)
{
	printf("-m %s \\\n"
	       "-object memory-backend-memfd,id=mem0,size=%s,share=on \\\n"
	       "-machine memory-backend=mem0 \\\n"
	       "-device ", memory, memory);
	print_shell(device);
	printf("\n");
}

static void
print_libvirt(const char *device)
{
	printf("<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
	       "  <memoryBacking>\n"
	       "    <source type='memfd'/>\n"
	       "    <access mode='shared'/>\n"
	       "  </memoryBacking>\n"
	       "  <qemu:commandline>\n"
	       "    <qemu:arg value='-device'/>\n"
	       "    <qemu:arg value='");
	print_xml(device);
	printf("'/>\n"
	       "  </qemu:commandline>\n"
	       "</domain>\n");
}

static void
print_proxmox(const char *memory, const char *device)
{
	printf("args: -object memory-backend-memfd,id=mem0,size=%s,share=on -machine memory-backend=mem0 "
	       "-device ", memory);
	print_shell(device);
	printf("\n");
}

static enum cmd_status
print_arguments(const struct cmd_call *call, const char *memory, const char *device)
{
	if (call->json)
		return print_json(json_pack("{s:[s, s, s, s+, s, s, s, s]}", "args", "-m", memory, "-object",
			"memory-backend-memfd,id=mem0,share=on,size=", memory, "-machine",
			"memory-backend=mem0", "-device", device));
	if (cmd_option(call, "libvirt"))
		print_libvirt(device);
	else if (cmd_option(call, "proxmox"))
		print_proxmox(memory, device);
	else
		print_plain(memory, device);
	return CMD_OK;
}

enum cmd_status
port_qemu_args(const struct cmd_call *call)
{
	const char *memory = cmd_option(call, "memory"), *id = cmd_option(call, "id");
	char size[32];
	json_t *port;
	char *device;
	enum cmd_status status;

	if (!memory_size(memory ? memory : MEMORY_DEFAULT, size, sizeof(size)))
		return cmd_error(CMD_USAGE, "--memory '%s' is no size: a number and K, M, G or T", memory);
	if (id && !is_qemu_id(id))
		return cmd_error(CMD_USAGE, "--id '%s': QEMU allows letters, digits, '-', '.' and '_', a letter "
			"first", id);
	if (cmd_option(call, "libvirt") && cmd_option(call, "proxmox"))
		return cmd_error(CMD_USAGE, "--libvirt or --proxmox, not both");
	status = call_method(call, "port.show", json_pack("{s:s}", "name", cmd_arg(call, 0)), &port);
	if (status != CMD_OK)
		return status;
	if (strcmp(member_text(port, "type"), "device") != 0) {
		status = cmd_error(CMD_REFUSED, "port '%s' is of type %s: only a device is a card for QEMU",
			cmd_arg(call, 0), member_text(port, "type"));
	} else {
		device = device_json(member_text(json_object_get(port, "conf"), "socket"), id);
		status = print_arguments(call, size, device);
		free(device);
		if (!memory && !call->json && !cmd_option(call, "libvirt"))
			fprintf(stderr, "vswitchctl: memory of %s assumed; it has to be that of the machine "
				"(--memory SIZE)\n", size);
	}
	json_decref(port);
	return status;
}
