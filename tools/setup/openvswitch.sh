# SPDX-License-Identifier: BSD-3-Clause
# Debian's Open vSwitch with DPDK, for tests/ovs and `make bench`: unpacked into a folder of the cache, of the same
# release as the machine and with its libraries. Installed, it would start and enable a switch of its own.

ovs_packages="openvswitch-common openvswitch-switch openvswitch-switch-dpdk"

open_vswitch() {
	local dir
	ovs_ok "$cache/ovs" && return
	say "Open vSwitch: fetching Debian's, with DPDK"
	dir=$(mktemp -d "$cache/tmp.XXXXXX")
	ovs_download "$dir" || {
		[ "$(id -u)" -ne 0 ] || apt-get update -q >>"$log" 2>&1 || die "apt-get update failed, see $log"
		ovs_download "$dir" || die "cannot fetch $ovs_packages, see $log"
	}
	unpack_usr "$dir/ovs" "$dir"/*.deb
	ovs_ok "$dir/ovs" || die "Open vSwitch's ovs-vswitchd-dpdk does not run, see $log"
	rm -rf "$cache/ovs"
	mv "$dir/ovs" "$cache/ovs"
	rm -rf "$dir"
}

ovs_download() {
	# shellcheck disable=SC2086 # three words
	(cd "$1" && apt-get download -q -o APT::Sandbox::User=root $ovs_packages >>"$log" 2>&1)
}

ovs_ok() {
	[ -x "$1/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk" ] &&
		"$1/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk" --version >>"$log" 2>&1
}
