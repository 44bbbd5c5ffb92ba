# SPDX-License-Identifier: BSD-3-Clause
# The test guests: Debian's own kernels as they are, each with an initramfs made of Debian's programs.
# Debian's cloud flavour has the same vmxnet3 driver as the usual one, and is a third in size.

guest_kernels="6.1:bookworm 6.12:trixie"
guest_modules="vmxnet3 8021q bonding bridge dummy geneve ip_gre macvlan pktgen sctp tun veth vfio-pci vfio_iommu_type1 vxlan"
guest_programs="ip bridge tc ss ethtool iperf3 ping tcpdump kmod flock setsid timeout xargs"
guest_apt_dir=

guest_images() {
	local kernel release stamp
	mkdir -p "$cache/guest"
	for kernel in $guest_kernels; do
		guest_kernel "${kernel%:*}" "${kernel#*:}"
		guest_unpack_kernel "$cache/guest/${kernel%:*}"
	done
	stamp=$(cat "$here/setup/guest-init" "$here/setup/guest-images.sh" | sha256sum)
	guest_dpdk
	for kernel in $guest_kernels; do
		release=${kernel%:*}
		[ "$(cat "$cache/guest/$release/stamp" 2>/dev/null)" != "$stamp" ] || continue
		guest_initrd "$release"
		echo "$stamp" >"$cache/guest/$release/stamp"
	done
}

# The private apt root that knows the suites of the guests and of QEMU; made when first needed.
guest_apt() {
	local mirror suite
	[ -z "$guest_apt_dir" ] || return 0
	mirror=$(debian_mirror)
	guest_apt_dir=$(mktemp -d "$cache/tmp.XXXXXX")
	say "fetching the package lists of trixie, its backports and bookworm"
	for suite in trixie trixie-backports bookworm; do
		echo "deb $mirror $suite main"
	done | private_apt "$guest_apt_dir"
}

# guest_kernel RELEASE SUITE: kernel and modules into the cache.
guest_kernel() {
	local release=$1 suite=$2 dir package version
	[ "$(cat "$cache/guest/$release/wanted" 2>/dev/null)" != "$guest_modules" ] || return 0
	guest_apt
	package=$(in_apt "$guest_apt_dir" apt-cache show "linux-image-cloud-amd64/$suite" 2>>"$log" |
		sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\).*/\1/p' | head -n 1)
	case $package in
	linux-image-"$release".*) ;;
	*) die "$suite has no linux-image-cloud-amd64 of Linux $release (found '$package')" ;;
	esac
	say "guest kernel $release: fetching $package"
	dir=$(mktemp -d "$cache/tmp.XXXXXX")
	(cd "$dir" && in_apt "$guest_apt_dir" apt-get download -q "$package/$suite" >>"$log" 2>&1) ||
		die "cannot fetch $package, see $log"
	version=${package#linux-image-}
	mkdir "$dir/root" "$dir/out"
	dpkg-deb -x "$dir"/*.deb "$dir/root"
	[ -d "$dir/root/lib" ] || ln -s usr/lib "$dir/root/lib"
	mv "$dir/root/boot/vmlinuz-$version" "$dir/out/vmlinuz"
	guest_pick_modules "$dir/root" "$dir/out/modules" "$version"
	echo "$version" >"$dir/out/version"
	echo "$guest_modules" >"$dir/out/wanted"
	rm -rf "$cache/guest/$release"
	mv "$dir/out" "$cache/guest/$release"
	rm -rf "$dir"
}

# guest_unpack_kernel FOLDER: vmlinux, the kernel that is packed in vmlinuz: unpacking it would take an emulated CPU as long
# as all the rest until the first line on its console. The offsets are those of Linux' boot protocol, 2.08 and later; behind
# what is packed are four bytes with its length.
guest_unpack_kernel() {
	local image=$1/vmlinuz sectors offset length magic unpack
	[ ! -e "$1/vmlinux" ] || return 0
	read -r sectors < <(od -An -tu1 -j 497 -N 1 "$image")
	read -r offset length < <(od -An -tu4 -j 584 -N 8 "$image")
	offset=$(((sectors + 1) * 512 + offset))
	read -r magic < <(od -An -tx4 -j $offset -N 4 "$image")
	case $magic in
	fd2fb528) unpack=zstd ;;
	184c2102) unpack=lz4 ;;
	*) die "$image is packed in a way that is not known here ($magic)" ;;
	esac
	tail -c +$((offset + 1)) "$image" | head -c $((length - 4)) | $unpack -dc >"$1/.vmlinux" || die "cannot unpack $image"
	mv "$1/.vmlinux" "$1/vmlinux"
}

# guest_pick_modules ROOT DEST VERSION: the modules we name, what they need, and their index.
guest_pick_modules() {
	local root=$1 dest=$2/lib/modules/$3 file
	depmod -b "$root" "$3"
	mkdir -p "$dest"
	cp "$root/lib/modules/$3"/modules.builtin* "$root/lib/modules/$3/modules.order" "$dest"
	modprobe -d "$root" -S "$3" -a --show-depends $guest_modules 2>>"$log" |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
		install -D -m 644 "$file" "$dest/${file#*/lib/modules/"$3"/}"
	done
	[ -n "$(find "$dest" -name 'vmxnet3.ko*')" ] || die "the kernel package $3 has no vmxnet3 driver"
	find "$dest" -name '*.ko.xz' -exec xz -d {} +
	depmod -b "$2" "$3"
}

# guest_initrd RELEASE: put the initramfs together. It is not compressed: unpacking costs an emulated
# CPU more than reading.
guest_initrd() {
	local release=$1 dir program path
	say "guest $release: making the initramfs"
	dir=$(mktemp -d "$cache/tmp.XXXXXX")
	mkdir -p "$dir"/{bin,dev,etc,proc,run,sbin,sys,tmp,usr/bin,usr/local/bin,lib64,root,var}
	install -m 755 "$here/setup/guest-init" "$dir/init"
	install -m 755 "$(command -v busybox)" "$dir/bin/busybox"
	"$dir/bin/busybox" --list | while read -r program; do
		[ "$program" = busybox ] || ln -s busybox "$dir/bin/$program"
	done
	# Not busybox's shell: that one prefers its own ip and ping to those in PATH.
	rm "$dir/bin/sh"
	guest_copy_program "$dir" "$(command -v dash)" bin/sh
	for program in $guest_programs; do
		path=$(command -v "$program") || die "no program '$program' for the guests"
		guest_copy_program "$dir" "$path" "usr/local/bin/$program"
	done
	for program in modprobe insmod rmmod lsmod modinfo; do
		ln -s kmod "$dir/usr/local/bin/$program"
	done
	ln -s /usr/local/bin/modprobe "$dir/sbin/modprobe" # the kernel's own calls
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$dir/etc/hosts"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$dir/etc/passwd"
	printf 'root:x:0:\n' >"$dir/etc/group"
	cp -r "$cache/guest/$release/modules/lib" "$dir/"
	(cd "$dir" && find . | cpio -o -H newc --quiet -R 0:0) >"$cache/guest/$release/.initrd"
	mv "$cache/guest/$release/.initrd" "$cache/guest/$release/initrd"
	rm -rf "$dir"
}

# guest_copy_program ROOT FILE PLACE: a program and the libraries it is linked with.
guest_copy_program() {
	local root=$1 library
	cp -L "$2" "$root/$3"
	# The linker's list: "name => path (address)", or "path (address)" for the linker itself.
	ldd "$2" 2>/dev/null | sed -n 's/^.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
		while read -r library; do
			[ -e "$root$library" ] || install -D -m 755 "$library" "$root$library"
		done
}
