#!/bin/bash
# Runs both quickstart commands in a new Debian root, where nothing is installed. Needs root and debootstrap.
#   FRESH_ROOT=DIR    keep the bare root in DIR and use it again (by default it is made anew and removed)
#   FRESH_TREE=work   test the files as they are instead of the last commit
# Packages come from where this system gets its own.
set -eu
cd "$(dirname "$0")/.."
suite=bookworm

fail() {
	echo "check-fresh: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || fail "needs root"
command -v debootstrap >/dev/null || fail "needs debootstrap"

work=$(mktemp -d "${TMPDIR:-/tmp}/check-fresh.XXXXXX")
root=$work/root

clean_up() {
	local at
	for at in dev proc; do
		if mountpoint -q "$root/$at"; then
			umount -R "$root/$at" || umount -R -l "$root/$at"
		fi
	done
	# What is still mounted is not ours to delete through.
	if ! grep -q " $root/" /proc/self/mounts; then
		rm -rf --one-file-system "$work"
	fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The archive that this system's package lists name for the suite, first of all.
mirror() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
		awk -v suite="$suite" '$1 == suite { print $2; exit }'
}

# The bare root, in $1.
make_root() {
	local from
	from=$(mirror)
	[ -n "$from" ] || fail "this system has no package source for $suite"
	debootstrap --variant=minbase "$suite" "$1" "$from" >"$work/debootstrap.log" 2>&1 || {
		tail -n 20 "$work/debootstrap.log" >&2
		fail "debootstrap failed"
	}
	# The same package sources, keys and ways to reach them as here.
	rm -rf "$1/etc/apt/sources.list" "$1/etc/apt/sources.list.d"
	local name
	for name in sources.list sources.list.d trusted.gpg trusted.gpg.d keyrings; do
		[ ! -e "/etc/apt/$name" ] || cp -a "/etc/apt/$name" "$1/etc/apt/"
	done
	[ ! -d /usr/share/keyrings ] || cp -a /usr/share/keyrings/. "$1/usr/share/keyrings/"
	apt-config dump | grep -E '^Acquire::https?::' >"$1/etc/apt/apt.conf.d/10acquire" || true
}

get_root() {
	if [ -z "${FRESH_ROOT:-}" ]; then
		make_root "$root"
		return
	fi
	if [ ! -e "$FRESH_ROOT/etc/debian_version" ]; then
		make_root "$work/new"
		mkdir -p "$(dirname "$FRESH_ROOT")"
		mv "$work/new" "$FRESH_ROOT"
	fi
	cp -a "$FRESH_ROOT" "$root"
}

put_tree() {
	mkdir -p "$root/biscuit"
	if [ "${FRESH_TREE:-}" = work ]; then
		git ls-files -co --exclude-standard -z | tar -c --null --ignore-failed-read -T - | tar -x -C "$root/biscuit"
	else
		git archive HEAD | tar -x -C "$root/biscuit"
	fi
}

in_root() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		chroot "$root" /bin/bash -c "cd /biscuit && $1"
}

get_root
put_tree
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -L /etc/hosts "$root/etc/hosts" 2>/dev/null || true
mkdir -p "$root/proc" "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"

echo "== ./quickstart run"
output=$(echo help | in_root './quickstart run') || fail "./quickstart run ended with status $?"
echo "$output"
grep -q poweroff <<<"$output" || fail "crumb did not answer 'help'"

echo "== ./quickstart check"
in_root './quickstart check' || fail "./quickstart check ended with status $?"
echo "check-fresh: both commands work in a new $suite"
