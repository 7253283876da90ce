# What the tests of the whole have in common; sourced. Leaves in $work, which goes when the test ends.
# shellcheck shell=bash disable=SC2034
set -u
PATH=$PATH:/usr/sbin:/sbin
run=${BISCUIT_RUN:-./biscuit-run}
console=${CONSOLE:-./console}
cache=${BISCUIT_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/biscuit}
work=$(mktemp -d "${TMPDIR:-/tmp}/biscuit-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
status=0

skip() {
	echo "1..0 # SKIP $*"
	echo "skipped: $*" >&2
	exit 77
}

fail() {
	echo "FAIL: $*"
	status=1
}

ok() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@"; then echo "ok: $what"; else fail "$what"; fi
}

need_debian() {
	[ -e "$cache/linux/debian/stamp" ] || skip "there is no Debian guest: run tools/debian-guest fetch"
}

need_file() { # FILE PACKAGE
	[ -e "$1" ] || skip "there is no $1 (Debian: $2)"
}

need_command() { # COMMAND PACKAGE
	command -v "$1" >/dev/null || skip "there is no $1 (Debian: $2)"
}

# Whoever looks at a guest's screen and types there: the module "screen" (screen.c), in $SCREEN_MODULE. "$look ORDER..."
# gives it an order and prints the answer, which says whether all is well.
need_screen() {
	need_file "${SCREEN_MODULE:=tests/system/.libs/screen.so}" "it is built with shared libraries"
	mkfifo "$work/screen-orders" "$work/screen-answers" || exit 1
	look=$work/look
	cat >"$look" <<-END
		#!/bin/bash
		echo "\$*" >"$work/screen-orders"
		read -r -t 60 answer <"$work/screen-answers"
		echo "\$answer"
		[[ \$answer == ok* ]]
	END
	chmod 755 "$look"
}

# A VNC display whose port nobody has: its number in $display, the port as /proc/net/tcp has it in $port.
find_vnc_display() {
	for display in $(seq $((30 + $$ % 50)) 99) none; do
		[ "$display" != none ] || skip "no port is free"
		port=$(printf '%04X' $((5900 + display)))
		grep -q ":$port " /proc/net/tcp || break
	done
}

# talk NAME ARGUMENTS...: a session of biscuit-run with these arguments, whose orders are standard input.
# It is at a terminal where $at_terminal is not empty.
talk() {
	local name=$1
	shift
	echo "# $name: biscuit-run $*"
	cat >"$work/$name.orders"
	"$console" ${at_terminal:+-t} "$work/$name.log" "$work/$name.orders" "$run" "$@" || status=1
	[ -z "${KEEP_LOGS:-}" ] || cp "$work/$name.log" "$KEEP_LOGS/"
}
