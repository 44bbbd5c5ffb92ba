/* SPDX-License-Identifier: BSD-3-Clause */
/* config show, config save */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "handlers.h"
#include "table.h"

static enum cmd_status
write_failed(const char *path)
{
	return cmd_error(CMD_REFUSED, "cannot write %s: %s", path, strerror(errno));
}

static bool
write_text(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Not a file that can be replaced, such as /dev/stdout. */
static enum cmd_status
write_special(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	enum cmd_status status = CMD_OK;

	if (fd < 0)
		return write_failed(path);
	if (!write_text(fd, text))
		status = write_failed(path);
	if (close(fd) < 0 && status == CMD_OK)
		status = write_failed(path);
	return status;
}

/* A file appears under its name with all of its content, or stays what it was. */
static enum cmd_status
replace_file(const char *path, mode_t mode, const char *text)
{
	char *temporary = NULL;
	bool written;
	int fd;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return write_failed(path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		free(temporary);
		return write_failed(path);
	}
	written = fchmod(fd, mode) == 0 && write_text(fd, text) && fsync(fd) == 0;
	written = close(fd) == 0 && written && rename(temporary, path) == 0;
	if (!written) {
		enum cmd_status status = write_failed(path);

		unlink(temporary);
		free(temporary);
		return status;
	}
	free(temporary);
	return CMD_OK;
}

static enum cmd_status
save_to(const char *path, const char *text)
{
	enum cmd_status status;
	struct stat st;
	char *real;

	if (stat(path, &st) < 0)
		return replace_file(path, 0644, text);
	if (!S_ISREG(st.st_mode))
		return write_special(path, text);
	/* The file that a symbolic link stands for is replaced, not the link. */
	real = realpath(path, NULL);
	if (!real)
		return write_failed(path);
	status = replace_file(real, st.st_mode & 07777, text);
	free(real);
	return status;
}

/* The file that the daemon was started with. */
static enum cmd_status
daemon_file(const struct cmd_call *call, char **path)
{
	enum cmd_status status;
	json_t *info;

	status = call_method(call, "system.info", NULL, &info);
	if (status != CMD_OK)
		return status;
	*path = strdup(member_text(info, "config_file"));
	json_decref(info);
	if (*path && (*path)[0] == '/')
		return CMD_OK;
	/* Its working directory is not ours. */
	if (*path && (*path)[0] != '\0')
		status = cmd_error(CMD_USAGE, "vswitchd was started with a relative file name, '%s': say to which "
			"FILE", *path);
	else
		status = cmd_error(CMD_USAGE, "vswitchd was started without a configuration file: say to which "
			"FILE");
	free(*path);
	*path = NULL;
	return status;
}

enum cmd_status
config_show(const struct cmd_call *call)
{
	json_t *result;
	enum cmd_status status = call_method(call, "config.get", NULL, &result);

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(result);
	printf("%s", member_text(result, "yaml"));
	json_decref(result);
	return CMD_OK;
}

enum cmd_status
config_save(const struct cmd_call *call)
{
	const char *file = cmd_arg(call, 0);
	char *path = NULL;
	enum cmd_status status = CMD_OK;
	json_t *result;

	if (file && strcmp(file, "-") == 0)
		return config_show(call);
	if (!file)
		status = daemon_file(call, &path);
	if (status == CMD_OK)
		status = call_method(call, "config.get", NULL, &result);
	else
		return status;
	if (status == CMD_OK) {
		status = save_to(file ? file : path, member_text(result, "yaml"));
		json_decref(result);
	}
	if (status == CMD_OK && call->json)
		print_json(json_pack("{s:s}", "file", file ? file : path));
	else if (status == CMD_OK)
		printf("saved to %s\n", file ? file : path);
	free(path);
	return status;
}
