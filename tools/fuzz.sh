#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Build the libFuzzer targets with clang and run each for a while, four at a time:
#   tools/fuzz.sh [seconds]
# What they find lies in build-fuzz/found/. One line per target: "pass NAME" or "FAIL NAME".
set -u

cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-3600}
build=build-fuzz
found=$build/found

CC=clang tools/configure.sh $build -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
	-Dwerror=true -Doptimization=1 >$build.log 2>&1 && ninja -C $build fuzzers >>$build.log 2>&1 || {
	cat $build.log
	rm -f $build.log
	echo "FAIL building the fuzz targets"
	exit 1
}
rm -f $build.log
mkdir -p $found

# New inputs go to a folder of the build; the seeds are only read.
fuzz_one() {
	local target=$1 name
	name=$(basename "$target")
	mkdir -p "$build/corpus/$name"
	local seeds=tests/fuzz/corpus/${name#fuzz_}
	[ -n "$(ls "$seeds")" ] || {
		echo "FAIL $name: no seeds in $seeds"
		return 1
	}
	# clang 14's sanitizers do not know address spaces as random as today's kernels make them.
	if UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		timeout -k 10 $((seconds + 120)) setarch -R "$target" -max_total_time="$seconds" -timeout=25 \
		-rss_limit_mb=4096 -artifact_prefix="$found/$name-" -print_final_stats=1 \
		"$build/corpus/$name" $seeds >"$found/$name.log" 2>&1 </dev/null; then
		echo "pass $name: $(sed -n 's/^stat::number_of_executed_units: */executed /p' "$found/$name.log") times"
	else
		tail -n 60 "$found/$name.log"
		echo "FAIL $name, see $found/$name.log"
		return 1
	fi
}
export -f fuzz_one
export build found seconds

mapfile -t targets < <(find $build/tests/fuzz -maxdepth 1 -type f -executable -name 'fuzz_*' 2>/dev/null | sort)
if [ ${#targets[@]} -lt 2 ]; then
	echo "FAIL: two fuzz targets are expected in tests/fuzz, found ${#targets[@]}"
	exit 1
fi
printf '%s\n' "${targets[@]}" | xargs -n 1 -P 4 bash -c 'fuzz_one "$1"' fuzz
