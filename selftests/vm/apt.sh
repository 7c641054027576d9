# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Packages of Debian from a release that the system itself may not use, unpacked
# into the cache. The system's apt is only asked which mirror it uses. Sourced
# after lib.sh.

apt_root=${cache:?}/apt
apt_suite=

# private_apt COMMAND ARG...: apt with lists and archives of its own: the system's
# sources and backports, or those of use_suite.
private_apt() {
	APT_CONFIG=$apt_root/apt.conf "$@"
}

# use_suite SUITE: from now on apt sees this release of Debian alone, and not what
# the system has installed.
use_suite() {
	apt_suite=$1
	apt_root=${cache:?}/apt-$1
}

# What the system's apt uses, from apt itself, whichever format it was written
# in. "$(...)" is apt's syntax, not the shell's.
# shellcheck disable=SC2016
system_sources() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sort -u
}

codename() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME:-}")
}

# A release that the system does not use comes from where its own does.
write_suite_source() {
	local codename uri release component

	codename=$(codename)
	while read -r uri release component; do
		[ "$release:$component" != "$codename:main" ] ||
			echo "deb $1$uri $apt_suite main"
	done < <(system_sources) | sort -u >"$apt_root/sources.list"
	[ -s "$apt_root/sources.list" ]
}

write_sources() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local codename options='' uri release component

	codename=$(codename)
	[ ! -r "$keyring" ] || options="[signed-by=$keyring] "
	if [ -n "$apt_suite" ]; then
		write_suite_source "$options"
		return
	fi
	while read -r uri release component; do
		echo "deb $options$uri $release $component"
		[ "$release:$component" != "$codename:main" ] ||
			echo "deb $options$uri $codename-backports main"
	done < <(system_sources) | sort -u >"$apt_root/sources.list"
	grep -q -- '-backports main' "$apt_root/sources.list"
}

setup_apt() {
	local status=/var/lib/dpkg/status

	[ -z "$apt_suite" ] || status=/dev/null
	mkdir -p "$apt_root"/{state/lists/partial,cache/archives/partial}
	cat >"$apt_root/apt.conf" <<-EOF
		Dir::State "$apt_root/state";
		Dir::State::status "$status";
		Dir::Cache "$apt_root/cache";
		Dir::Etc::sourcelist "$apt_root/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Sandbox::User "root";
		Debug::NoLocking "true";
	EOF
	if ! write_sources; then
		say "asking the system's apt for its sources"
		apt-get -qq update >&2
		write_sources || { say "apt has no source of Debian's main"
				   return 1; }
	fi
	say "reading the package lists"
	private_apt apt-get -qq update >&2
}

# unpack_packages DIRECTORY PACKAGE...: the packages' files, below DIRECTORY.
unpack_packages() {
	local dir=$1 debs=$1.debs

	shift
	rm -rf "$debs"
	mkdir -p "$debs"
	say "downloading $*"
	(cd "$debs" && private_apt apt-get -qq download "$@" >&2) &&
		unpack_debs "$dir" "$debs"/*.deb && rm -r "$debs"
}

# unpack_closure DIRECTORY PACKAGE...: with all that they depend on.
unpack_closure() {
	local dir=$1

	shift
	rm -f "$apt_root"/cache/archives/*.deb
	say "downloading $* and what they depend on"
	private_apt apt-get -qq -y --download-only --no-install-recommends \
		install "$@" >&2 || return
	unpack_debs "$dir" "$apt_root"/cache/archives/*.deb || return
	rm -f "$apt_root"/cache/archives/*.deb
}

unpack_debs() {
	local dir=$1 deb

	shift
	mkdir -p "$dir" || return
	for deb; do
		dpkg-deb -x "$deb" "$dir" || return
	done
}
