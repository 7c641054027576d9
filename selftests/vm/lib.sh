# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the scripts here share. Sourced, never run.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck disable=SC2034 # for those who source this
project=$(cd "$vm_dir/../.." && pwd -P)
cache=${SOCKTLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/socktls}

say() { echo "${0##*/}: $*" >&2; }

# The runner itself failed: distinct from COMMAND's own statuses, as timeout(1)
# and env(1) have it.
die() { say "$*"; exit 125; }

# need PROGRAM[:PACKAGE]...: installs the packages of programs not found.
need() {
	local pair missing=()

	for pair; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

install_packages() {
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get
		   -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0)

	command -v apt-get >/dev/null || die "please install: $*"
	[ "$(id -u)" = 0 ] || die "please run: sudo apt-get install $*"
	say "installing $*"
	"${apt[@]}" install -y --no-install-recommends "$@" >&2 </dev/null ||
		{ "${apt[@]}" update >&2 &&
		  "${apt[@]}" install -y --no-install-recommends "$@" \
			>&2 </dev/null; } ||
		die "cannot install $*"
}

# locked NAME COMMAND...: one process at a time prepares a thing in the cache.
locked() {
	local name=$1

	shift
	mkdir -p "$cache" || die "cannot make the cache $cache"
	(
		flock -w 2 9 || { say "waiting for another run to prepare $name"
				  flock 9; }
		"$@"
	) 9>"$cache/$name.lock"
}
