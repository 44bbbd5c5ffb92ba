#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Prepare this machine: packages, DPDK's driver headers, hugepages and, for the guest tests and the
# demo, a QEMU that has vfio-user-pci, the guest images, and Open vSwitch. Quick when nothing is missing.
#
#   tools/setup.sh           everything
#   tools/setup.sh build     only what compiling needs
#
# What does not come as an installed package lives in a cache folder outside the sources:
# $VMXNET3X_CACHE, else /var/cache/vmxnet3x (root) or ~/.cache/vmxnet3x.
set -eu

PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/setup/common.sh"
. "$here/setup/dpdk-headers.sh"
. "$here/setup/qemu.sh"
. "$here/setup/guest-images.sh"
. "$here/setup/openvswitch.sh"
. "$here/setup/guest-dpdk.sh"

# Words of tools/packages.txt that dpkg does not have installed.
missing_packages() {
	local wanted
	mapfile -t wanted < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$here/packages.txt")
	comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
			sed -n 's/^installed //p' | sort -u)
}

apt_install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
		-o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 9>&-
}

install_packages() {
	local missing
	command -v dpkg-query >/dev/null ||
		die "this set-up knows Debian's packages only; install by hand what tools/packages.txt lists"
	mapfile -t missing < <(missing_packages)
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		die "packages are missing and installing them takes root. As root, run:" \
			"apt-get install --no-install-recommends ${missing[*]}"
	fi
	say "installing ${#missing[@]} packages: ${missing[*]}"
	# Known lists are good enough most of the time; fetch new ones only when they are not.
	apt_install "${missing[@]}" || {
		say "fetching apt's package lists"
		apt-get update -q >>"$log" 2>&1 || die "apt-get update failed, see $log"
		apt_install "${missing[@]}" || die "apt-get install failed, see $log"
	}
}

# Hugepages are a gift, never a need. No file system is mounted for them: the daemon and QEMU take
# theirs as anonymous files, which need none, and so nothing stays behind on the machine's mount table.
reserve_hugepages() {
	local pool=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	local have want available got
	if [ ! -e "$pool" ]; then
		say "hugepages: this kernel has no 2 MiB pages; running on plain pages"
		return
	fi
	have=$(cat "$pool")
	available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	want=$((available / 16 < 512 ? available / 16 : 512))
	if [ "$have" -gt 0 ]; then
		say "hugepages: $have of 2 MiB are reserved already; left as they are"
	elif [ "$want" -lt 128 ]; then
		say "hugepages: only $available MiB of memory available; running on plain pages"
	elif [ ! -w "$pool" ] || ! echo "$want" 2>/dev/null >"$pool"; then
		say "hugepages: not allowed to reserve any; running on plain pages"
	else
		got=$(cat "$pool")
		say "hugepages: reserved $got of 2 MiB (asked for $want); give back: echo 0 > $pool"
	fi
}

what=${1:-all}
case $what in
all | build) ;;
*) die "unknown argument '$what'; allowed: all, build" ;;
esac
mkdir -p "$cache" || die "cannot make the cache folder $cache; set VMXNET3X_CACHE to one that can be written"
log=$cache/setup.log
exec 9>"$cache/lock"
flock -n 9 || { say "another set-up is running, waiting for it" && flock 9; }
trap 'rm -rf "$cache"/tmp.*' EXIT
: >"$log"

install_packages
dpdk_headers
if [ "$what" = all ]; then
	reserve_hugepages
	qemu
	guest_images
	open_vswitch
fi
