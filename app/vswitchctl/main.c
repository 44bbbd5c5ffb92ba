/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "cmd.h"
#include "complete.h"
#include "help.h"

static enum cmd_status
show_help(const struct cmd_call *call)
{
	if (call->cmd)
		help_command(call->cmd);
	else if (call->noun)
		help_noun(call->noun);
	else
		help_overview();
	return CMD_OK;
}

int
main(int argc, char **argv)
{
	struct cmd_call call = {.socket = CLIENT_SOCKET_DEFAULT};
	bool help = false, version = false;
	enum cmd_status status;

	if (argc > 1 && strcmp(argv[1], "--complete") == 0)
		return (int)complete_words(argc - 2, argv + 2);
	if (argc == 1) {
		help_overview();
		return CMD_USAGE;
	}
	status = cmd_parse(argc - 1, argv + 1, &call, &help, &version);
	if (status != CMD_OK)
		return (int)status;
	if (version)
		puts("vswitchctl " VMXNET3X_VERSION);
	else if (help)
		status = show_help(&call);
	else
		status = call.cmd->run(&call);
	if (fflush(stdout) != 0 || ferror(stdout))
		return (int)cmd_error(CMD_REFUSED, "cannot write the output: %m");
	return (int)status;
}
