# SPDX-License-Identifier: BSD-3-Clause
# A QEMU that has vfio-user-pci: the machine's own, else Debian's backport in a folder of the cache. That
# folder is no installation and needs no chroot: the program is started by its own dynamic linker.

qemu_ok() {
	"$1" -device help 2>/dev/null </dev/null | grep -q '"vfio-user-pci"'
}

qemu() {
	local own dir
	[ ! -x "$cache/bin/qemu-system-x86_64" ] || return 0
	mkdir -p "$cache/bin"
	if own=$(command -v qemu-system-x86_64) && qemu_ok "$own"; then
		say "QEMU: the machine's own has vfio-user-pci"
		ln -sf "$own" "$cache/bin/qemu-system-x86_64"
		return
	fi
	guest_apt
	dir=$(mktemp -d "$cache/tmp.XXXXXX")
	mkdir -p "$dir/debs/partial"
	say "QEMU: the machine's own has no vfio-user-pci; fetching Debian's backport"
	in_apt "$guest_apt_dir" apt-get install -q -y --download-only -t trixie-backports \
		-o Dir::Cache::archives="$dir/debs" qemu-system-x86 >>"$log" 2>&1 ||
		die "cannot fetch qemu-system-x86 from trixie-backports, see $log"
	say "QEMU: unpacking $(ls "$dir"/debs/*.deb | wc -l) packages"
	unpack_usr "$dir/qemu" "$dir"/debs/*.deb
	rm -rf "$cache/qemu"
	mv "$dir/qemu" "$cache/qemu"
	rm -rf "$dir"
	qemu_wrapper >"$cache/bin/.qemu"
	chmod +x "$cache/bin/.qemu"
	qemu_ok "$cache/bin/.qemu" || die "the QEMU in $cache/qemu does not run or has no vfio-user-pci"
	mv "$cache/bin/.qemu" "$cache/bin/qemu-system-x86_64"
}

# unpack_usr DIR DEB...: what the packages hold below /usr but for documentation. In trixie everything
# that a program needs is there.
unpack_usr() {
	local dest=$1 deb
	shift
	mkdir -p "$dest"
	for deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dest" --wildcards \
			--exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' \
			./usr 2>>"$log" || true # a package with nothing below /usr
	done
}

qemu_wrapper() {
	cat <<-'END'
		#!/bin/sh
		root=$(dirname "$(dirname "$(readlink -f "$0")")")/qemu
		lib=$root/usr/lib/x86_64-linux-gnu
		export QEMU_MODULE_DIR="$lib/qemu"
		exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$root/usr/bin/qemu-system-x86_64" \
			-L "$root/usr/share/qemu" -L "$root/usr/share/seabios" -L "$root/usr/lib/ipxe/qemu" "$@"
	END
}
