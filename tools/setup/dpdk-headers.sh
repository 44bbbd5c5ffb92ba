# SPDX-License-Identifier: BSD-3-Clause
# Debian's DPDK comes without the headers that drivers are written against (its "driver SDK"). They
# are taken from Debian's source package of the version that is installed.

dpdk_headers() {
	local include version dest dir suites
	include=$(pkg-config --variable=includedir libdpdk) || die "pkg-config does not know libdpdk"
	if [ -e "$include/ethdev_driver.h" ] || [ -e "$include/dpdk/ethdev_driver.h" ]; then
		return 0
	fi
	version=$(dpkg-query -W -f '${source:Version}' libdpdk-dev 2>/dev/null) ||
		die "DPDK $(pkg-config --modversion libdpdk) is not Debian's and has no driver headers;" \
			"build it with -Denable_driver_sdk=true"
	dest=$cache/dpdk-driver-headers
	[ "$(cat "$dest/version" 2>/dev/null)" != "$version" ] || return 0

	say "fetching the driver headers of DPDK $version"
	dir=$(mktemp -d "$cache/tmp.XXXXXX")
	suites=$(apt_targets 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)')
	[ -n "$suites" ] || suites="deb-src $(debian_mirror) $(. /etc/os-release; echo "$VERSION_CODENAME") main"
	private_apt "$dir" <<<"$suites"
	(cd "$dir" && in_apt "$dir" apt-get source -q --download-only "dpdk=$version" >>"$log" 2>&1) ||
		die "apt has no source of DPDK $version (see $log); if a newer DPDK is out, apt-get upgrade first"
	dpkg-source -q --no-check -x "$dir"/dpdk_*.dsc "$dir/src" >>"$log" 2>&1 ||
		die "cannot unpack the DPDK source, see $log"
	mkdir "$dir/out"
	driver_sdk_headers "$dir/src" | xargs -r cp -t "$dir/out"
	[ -e "$dir/out/ethdev_driver.h" ] || die "the DPDK source has no ethdev_driver.h"
	echo "$version" >"$dir/out/version"
	rm -rf "$dest"
	mv "$dir/out" "$dest"
	rm -rf "$dir"
}

# The files that DPDK's own build would install for drivers: those its meson.build files name.
driver_sdk_headers() {
	local meson
	find "$1/lib" "$1/drivers/bus" -name meson.build | while read -r meson; do
		awk -v dir="$(dirname "$meson")" -v quote="'" '
			/driver_sdk_headers *\+?= *(files\(|\[)/ { inside = 1 }
			inside {
				count = split($0, part, quote)
				for (i = 2; i <= count; i += 2)
					print dir "/" part[i]
				if ($0 ~ /[])]/)
					inside = 0
			}' "$meson"
	done | while read -r header; do
		[ ! -e "$header" ] || echo "$header"
	done
}
