# SPDX-License-Identifier: BSD-3-Clause
# What a guest needs to run Debian's own dpdk-testpmd: an archive that the tests put behind the initramfs
# of a guest. It is larger than that, so the other guests do without.

dpdk_guest_plugins="bus_pci bus_vdev mempool_ring net_null net_vmxnet3"

guest_dpdk() {
	local dir plugins plugin soname library stamp
	stamp=$(dpkg-query -W -f '${Package} ${Version}\n' dpdk libdpdk-dev libc6
		cat "$here/setup/guest-dpdk.sh")
	stamp=$(echo "$stamp" | sha256sum)
	[ "$(cat "$cache/guest/dpdk.stamp" 2>/dev/null)" != "$stamp" ] || return 0
	say "guests: making the archive of DPDK"
	plugins=$(dpdk_plugin_dir) || die "cannot find DPDK's plugins"
	dir=$(mktemp -d "$cache/tmp.XXXXXX")
	mkdir -p "$dir/usr/local/bin" "$dir/etc" "$dir/var" "$dir$plugins"
	ln -s /run "$dir/var/run"
	guest_copy_program "$dir" "$(command -v dpdk-testpmd)" usr/local/bin/dpdk-testpmd
	for plugin in $dpdk_guest_plugins; do
		# One file under both names, or what testpmd is linked with would be loaded a second time.
		soname=$(readlink "$plugins/librte_$plugin.so") || die "no plugin $plugins/librte_$plugin.so"
		guest_copy_program "$dir" "$plugins/$soname" "$plugins/$soname"
		ln -s "$soname" "$dir$plugins/librte_$plugin.so"
	done
	# glibc loads this one by itself when a thread is cancelled.
	library=$(ldconfig -p | sed -n 's/^.*libgcc_s.so.1 (libc6,x86-64) => //p' | head -n 1)
	install -m 755 -D "$library" "$dir/lib/x86_64-linux-gnu/libgcc_s.so.1"
	# testpmd is linked with some of the plugins, whose folder is not among those that are always searched.
	echo "$plugins" >"$dir/etc/ld.so.conf"
	ldconfig -X -r "$dir" 2>>"$log"
	(cd "$dir" && find . | cpio -o -H newc --quiet -R 0:0) >"$cache/guest/.dpdk.initrd"
	mv "$cache/guest/.dpdk.initrd" "$cache/guest/dpdk.initrd"
	echo "$stamp" >"$cache/guest/dpdk.stamp"
	rm -rf "$dir"
}

# The folder whose plugins EAL loads by itself.
dpdk_plugin_dir() {
	local library
	library=$(pkg-config --variable=libdir libdpdk) || return
	library=$(ls -d "$library"/dpdk/pmds-*/) || return
	echo "${library%/}"
}
