/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmxnet3_words.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

uint64_t
vmxnet3_now_ns(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t
fnv1a(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
	return hash;
}

void
vmxnet3_mac_from_name(const char *name, uint8_t mac[6])
{
	char id[33] = "";
	uint64_t hash;
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, id, sizeof(id) - 1) < 0)
			id[0] = '\0';
		close(fd);
	}
	hash = fnv1a(fnv1a(0xcbf29ce484222325, id), name);
	/* The low bits of this hash are its best. */
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)(hash >> (8 * i));
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}

static bool
parse_id(const char *text, unsigned long *id)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*id = strtoul(text, &end, 10);
	return *end == '\0' && errno == 0 && *id < UINT32_MAX;
}

int
vmxnet3_find_owner(const char *user, const char *group, uid_t *uid, gid_t *gid, char *errbuf,
	size_t errlen)
{
	unsigned long id;

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (user != NULL) {
		struct passwd *pw = getpwnam(user);

		if (pw == NULL && !parse_id(user, &id)) {
			snprintf(errbuf, errlen, "owner '%.60s': no such user on this machine", user);
			return -EINVAL;
		}
		*uid = pw != NULL ? pw->pw_uid : (uid_t)id;
	}
	if (group != NULL) {
		struct group *gr = getgrnam(group);

		if (gr == NULL && !parse_id(group, &id)) {
			snprintf(errbuf, errlen, "group '%.60s': no such group on this machine", group);
			return -EINVAL;
		}
		*gid = gr != NULL ? gr->gr_gid : (gid_t)id;
	}
	return 0;
}
