# SPDX-License-Identifier: GPL-2.0-only
# Sourced by fetch.sh and secure-world.sh. A private apt: its state, cache and sources live in the build directory; the
# system's are read, never changed. The mirror is the one the system's apt already uses.
# shellcheck shell=bash

APT=$CACHE/apt
DEBS=$CACHE/debs
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

apt_sources()
{
	local base line

	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main' | sort -u |
	while read -r line; do
		printf 'deb [signed-by=%s] %s main\n' "$KEYRING" "$line"
	done

	base=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main' 'Release: bookworm' |
		head -n 1)
	[ -n "$base" ] || die "apt knows no Debian mirror with bookworm: run 'apt-get update' first"
	for line in "$@"; do
		printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$base" "$line"
		[ -z "${APT_SOURCES:-}" ] ||
			printf 'deb-src [signed-by=%s] %s %s main\n' "$KEYRING" "$base" "$line"
	done
}

# apt_do get|cache ARGUMENT...: with the private state; this file is read last and so wins.
apt_do()
{
	"apt-$1" -c "$APT/apt.conf" "${@:2}"
}

# apt_setup SUITE...: adds these suites to the system's own ones, with APT_SOURCES=1 their sources too.
apt_setup()
{
	mkdir -p "$APT"/{state/lists/partial,cache/archives/partial} "$DEBS"
	: > "$APT/status"
	apt_sources "$@" | awk '!seen[$0]++' > "$APT/sources.list"
	cat > "$APT/apt.conf" <<-CONF
		Dir::State "$APT/state";
		Dir::State::status "$APT/status";
		Dir::Cache "$APT/cache";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Cache::srcpkgcache "srcpkgcache.bin";
		Dir::Etc::sourcelist "$APT/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Architecture "amd64";
		#clear APT::Architectures;
		APT::Architectures { "amd64"; "arm64"; };
		APT::Sandbox::User "root";
		APT::Install-Recommends "false";
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear APT::Update::Pre-Invoke;
		Acquire::Languages "none";
		Acquire::Retries "3";
	CONF
	say fetch "package lists: ${*}"
	apt_do get -qq update >&2
}

# apt_version PACKAGE:ARCH SUITE: the suite's current version. A plain release (no -backports)
# stands for its -security and -updates too.
apt_version()
{
	apt_do cache madison "$1" | awk -F' *[|] *' -v arch="${1##*:}" -v suite="$2" '
		{
			split($3, uri, " ")
			sub(/\/.*/, "", uri[2])
			if (uri[3] != arch)
				next
			if (uri[2] == suite || uri[2] == suite "-security" ||
			    uri[2] == suite "-updates") {
				print $2
				exit
			}
		}'
}

# apt_field PACKAGE:ARCH VERSION FIELD
apt_field()
{
	apt_do cache show "$1=$2" | sed -n "s/^$3: //p" | head -n 1
}

# apt_unpack DIR PACKAGE:ARCH=VERSION...: downloads (apt verifies) what the cache hasn't, unpacks all.
apt_unpack()
{
	local dir=$1 list wanted=() files=() uri name size sum file

	shift
	mapfile -t wanted < <(printf '%s\n' "$@" | sort -u)
	set -- "${wanted[@]}"
	wanted=()
	list=$(apt_do get -qq --print-uris download "$@")
	[ "$(wc -l <<<"$list")" -eq $# ] || die "apt doesn't know all of: $*"
	while read -r uri name size sum; do
		file=$DEBS/$name
		files+=("$file")
		[ "${sum%%:*}" = SHA256 ] || die "no SHA256 for $name"
		if [ -f "$file" ] && sha256sum -c --status <<<"${sum#*:}  $file"; then
			continue
		fi
		say fetch "${name%.deb}... $(awk -v s="$size" 'BEGIN { printf "%.1f", s / 1e6 }') MB"
		rm -f "$file"
		name=${name%%_*}:$(sed 's/.*_//; s/\.deb$//; s/^all$/amd64/' <<<"$name")
		wanted+=("$(printf '%s\n' "$@" | grep -F -m 1 -- "$name=")")
	done <<<"$list"

	if [ ${#wanted[@]} -gt 0 ]; then
		(cd "$DEBS" && apt_do get -qq download "${wanted[@]}" >&2)
	fi
	mkdir -p "$dir"
	for file in "${files[@]}"; do
		dpkg-deb -x "$file" "$dir"
	done
}

# apt_closure SUITE PACKAGE:ARCH: a package and all it depends on, as PACKAGE:ARCH=VERSION.
apt_closure()
{
	local ver

	ver=$(apt_version "$2" "$1")
	[ -n "$ver" ] || die "no $2 in $1"
	apt_do get -qq -s -t "$1" install "$2=$ver" |
		sed -nE 's/^Inst ([^ :]+)(:[a-z0-9]+)? \(([^ ]+) [^)]*\[([a-z0-9]+)\]\).*/\1:\4=\3/p' |
		sed 's/:all=/:amd64=/'
}

# apt_source DIR PACKAGE SUITE...: downloads (apt verifies) the source of the first suite that has it
# to give, and prints the name of its .dsc. Else fails, and prints why.
apt_source()
{
	local dir=$1 package=$2 suite dsc why="no suite"

	shift 2
	mkdir -p "$dir"
	for suite in "$@"; do
		dsc=$(apt_do get -qq --print-uris source --download-only "$package/$suite" |
			awk '$2 ~ /\.dsc$/ { print $2 }') || true
		say fetch "source of $package, $suite's ${dsc:-has none}"
		if [ -n "$dsc" ] && why=$(cd "$dir" &&
			apt_do get -qq source --download-only "$package/$suite" 2>&1); then
			printf '%s\n' "$dsc"
			return
		fi
		why=$(grep -m 1 '^E:' <<<"$why") || true
	done
	printf '%s\n' "${why:-none in $*}"
	return 1
}
