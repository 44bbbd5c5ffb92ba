#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Make a build folder ready for ninja:  tools/configure.sh DIR [meson options...]
# A folder that was set up with other options, or half, is set up anew; one that somebody set up by hand
# stays as it is. Changes of the meson.build files are ninja's affair.
set -eu

dir=$1
shift
wanted="CC=${CC:-} $*"
if [ -e "$dir/build.ninja" ]; then
	[ -e "$dir/.options" ] || exit 0
	[ "$(cat "$dir/.options")" != "$wanted" ] || exit 0
fi
rm -rf "$dir"
meson setup "$dir" "$@"
echo "$wanted" >"$dir/.options"
