/* SPDX-License-Identifier: BSD-3-Clause */
#include "drop.h"

static const struct {
	const char *name;
	const char *text;
} drops[SWITCH_DROP_MAX] = {
#define X(symbol, name, text) [SWITCH_DROP_##symbol] = {name, text},
	VMXNET3_DROPS(X)
	SWITCH_DROPS(X)
#undef X
};

const char *
drop_name(enum switch_drop reason)
{
	return (unsigned int)reason < SWITCH_DROP_MAX ? drops[reason].name : "unknown";
}

const char *
drop_text(enum switch_drop reason)
{
	return (unsigned int)reason < SWITCH_DROP_MAX ? drops[reason].text : "";
}
