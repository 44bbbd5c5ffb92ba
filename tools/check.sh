#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Everything that must hold, in stages, each with its time; failures are shown in full. The last line is
# the sum: "N passed, N failed".
#   tools/check.sh          what every change must pass
#   tools/check.sh --long   and what takes hours
set -u

cd "$(dirname "${BASH_SOURCE[0]}")/.."
long=
fuzz_seconds=60
case ${1:-} in
--long)
	long=--long
	fuzz_seconds=1800
	;;
'') ;;
*)
	echo "usage: tools/check.sh [--long]" >&2
	exit 2
	;;
esac

# Folders below tests/, and how many seconds each may take. One that is missing or holds no test fails. The first ones keep
# one CPU busy, or less: the fuzzers have what they leave.
light_stages="oracle:300 protocol:900 config:600 ctl:900"
heavy_stages="bench:300 switch:1200 pmd:1200 ovs:600 guest:2400"

# Unit tests that run under ThreadSanitizer as well.
thread_tests=(dev_many dev_threads)

passed=0
failed=0
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
trap 'echo "interrupted"; exit 130' INT TERM

# stage TITLE COMMAND...: returns the command's status.
stage() {
	local title=$1 start=$SECONDS status=0
	shift
	echo "=== $title"
	"$@" || status=$?
	echo "=== $title: $([ $status -eq 0 ] && echo ok || echo FAILED), $((SECONDS - start)) s"
	return $status
}

# quietly LOG COMMAND...: what the command says is shown only when it fails.
quietly() {
	local log=$results/$1
	shift
	"$@" >"$log" 2>&1 </dev/null || {
		cat "$log"
		return 1
	}
}

# count JUNIT STATUS: add a stage's tests to the sum; a stage that failed with no failed test counts as one.
count() {
	local p=0 f=0 s=0
	if [ -s "$1" ]; then
		read -r p f s < <(tools/junit.py "$1")
	fi
	if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then
		echo "no test ran"
		f=1
	elif [ "$2" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
	fi
	echo "$p passed, $f failed$([ "$s" -eq 0 ] || echo ", $s skipped")"
	passed=$((passed + p))
	failed=$((failed + f))
	[ "$f" -eq 0 ]
}

build() {
	quietly build tools/configure.sh "$@" && quietly build ninja -C "$1"
}

build_with_unit_tests() {
	build "$@" && quietly build ninja -C "$1" meson-test-prereq
}

# They run under sanitizers only; Meson 1.0 makes them part of "all" whatever they say themselves.
build_without_unit_tests() {
	quietly build tools/configure.sh "$@" && quietly build ninja -C "$1" $(ninja -C "$1" -t query all |
		sed -n '/outputs:/q; s/^    \([^| ]*\)$/\1/p' | grep -v -- '-prereq$')
}

# unit_tests DIR [NAME...]: those of a build folder, or all.
unit_tests() {
	local dir=$1 status=0
	shift
	rm -f "$dir/meson-logs/testlog.junit.xml"
	# The sanitizers of Debian 12 do not know address spaces as random as today's kernels make them.
	ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		quietly unit setarch -R meson test -C "$dir" --no-rebuild --print-errorlogs "$@" || status=1
	count "$dir/meson-logs/testlog.junit.xml" $status
}

# Only what thread_tests are made of. DPDK's own locks are in assembler, which ThreadSanitizer cannot see into; its fences
# it does not know, and gcc says so at each of them.
build_thread_tests() {
	quietly build tools/configure.sh build-tsan -Doptimization=1 -Db_sanitize=thread -Db_lundef=false -Dwerror=true \
		"-Dc_args=-DRTE_FORCE_INTRINSICS -Wno-tsan" &&
		quietly build ninja -C build-tsan "${thread_tests[@]/#/tests/unit/test_}"
}

fuzz() {
	local log=$results/fuzz status=0
	tools/fuzz.sh $fuzz_seconds >"$log" 2>&1 </dev/null || status=1
	cat "$log"
	passed=$((passed + $(grep -c '^pass ' "$log")))
	failed=$((failed + $(grep -c '^FAIL' "$log")))
	return $status
}

python_tests() {
	local name=$1 limit=$2 log=$results/$1 status=0
	[ -z "$long" ] || limit=$((limit * 6))
	if [ -d "tests/$name" ]; then
		timeout -k 30 "$limit" /usr/bin/python3 -m pytest -c tests/pytest.ini --rootdir tests $long -rfEs \
			--junit-xml="$results/$name.xml" "tests/$name" >"$log" 2>&1 </dev/null || status=$?
		[ $status -eq 0 ] && grep -E '^SKIPPED|Warning: ' "$log" || true
		[ $status -eq 0 ] || cat "$log"
		[ $status -ne 124 ] || echo "tests/$name did not end within $limit s"
	else
		echo "tests/$name is missing"
	fi
	count "$results/$name.xml" $status
}

# pytest_stages NAME:SECONDS...
pytest_stages() {
	local entry
	for entry; do
		stage "tests/${entry%:*}" python_tests "${entry%:*}" "${entry#*:}"
	done
}

# begin TITLE COMMAND...: a stage in the background that takes no CPU from others; join shows it and counts its tests.
begin() {
	(
		chrt --idle --pid 0 $BASHPID
		passed=0
		failed=0
		stage "$@"
		echo "$passed $failed" >"$results/beside.sum"
	) >"$results/beside" 2>&1 &
}

join() {
	local p=0 f=1
	wait
	cat "$results/beside"
	read -r p f <"$results/beside.sum"
	passed=$((passed + p))
	failed=$((failed + f))
}

finish() {
	echo "total: $SECONDS s"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}

must() {
	stage "$@" && return
	failed=$((failed + 1))
	finish
}

must "set-up" tools/setup.sh
must "release build" build_without_unit_tests build
must "sanitizer build" build_with_unit_tests build-san -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false -Dwerror=true
stage "unit tests under sanitizers" unit_tests build-san
must "ThreadSanitizer build" build_thread_tests
stage "threads under ThreadSanitizer" unit_tests build-tsan "${thread_tests[@]}"
begin "fuzz targets, $fuzz_seconds s each" fuzz
pytest_stages $light_stages
join
pytest_stages $heavy_stages
finish
