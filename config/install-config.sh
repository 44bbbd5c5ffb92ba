#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs the sample as the configuration, unless there is one: an administrator's file is never replaced.
set -eu
target=${DESTDIR:-}/etc/vswitchd/vswitchd.yaml
if [ -e "$target" ]; then
	echo "keeping $target"
else
	install -D -m 644 "$1" "$target"
	echo "installed $target"
fi
