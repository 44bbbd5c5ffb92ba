# SPDX-License-Identifier: BSD-3-Clause
# What the parts of tools/setup.sh share: messages, the cache folder, and a private apt that reads and
# writes nothing of the system's own apt but its mirror and its keys.

cache=$("$here/cache-dir.sh")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() {
	printf 'setup: [%3ds] %s\n' "$SECONDS" "$*"
}

die() {
	printf 'setup: error: %s\n' "$*" >&2
	exit 1
}

# The mirror that apt's own configuration names for Debian's main archive.
debian_mirror() {
	local mirror=${VMXNET3X_MIRROR:-}
	[ -n "$mirror" ] || mirror=$(apt_targets '$(LABEL) $(REPO_URI)' | sed -n 's/^Debian //p' | head -n 1)
	if [ -z "$mirror" ] && [ "$(id -u)" -eq 0 ]; then
		# Labels come from the lists; there may be none yet.
		apt-get update -q >>"$log" 2>&1 || die "apt-get update failed, see $log"
		mirror=$(apt_targets '$(LABEL) $(REPO_URI)' | sed -n 's/^Debian //p' | head -n 1)
	fi
	[ -n "$mirror" ] || die "apt's configuration names no Debian mirror (or apt-get update never ran);" \
		"name one in VMXNET3X_MIRROR"
	echo "${mirror%/}"
}

apt_targets() {
	apt-get indextargets --format "$1" 'Identifier: Packages' 'Origin: Debian' 2>/dev/null | sort -u
}

# private_apt DIR: make DIR an apt root of its own; sources.list entries come on standard input.
# With it, `in_apt DIR command...` runs apt programs.
private_apt() {
	local dir=$1 signed=
	[ ! -e $keyring ] || signed="[signed-by=$keyring] "
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	sed "s|^\(deb[^ ]*\) |\1 $signed|" >"$dir/sources.list"
	: >"$dir/status"
	cat >"$dir/apt.conf" <<-END
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Acquire::Languages "none";
		Acquire::Retries "3";
		APT::Sandbox::User "root";
		APT::Install-Recommends "0";
		APT::Update::Post-Invoke-Success "";
	END
	in_apt "$dir" apt-get update -q >>"$log" 2>&1 || die "apt-get update failed, see $log"
	# A source that cannot be reached is only a warning to apt.
	[ -n "$(find "$dir/lists" -name '*_Packages*' -o -name '*_Sources*')" ] ||
		die "apt could not fetch the package lists, see $log"
}

in_apt() {
	local dir=$1
	shift
	APT_CONFIG=$dir/apt.conf "$@"
}
