# What the tests of the machine as files have in common; sourced. The files are below $dir.
# shellcheck shell=bash
# shellcheck source=tests/system/lib.sh
. "${BASH_SOURCE%/*}/../lib.sh"
machine=${MOUNT_MACHINE:-tests/system/mount/machine}
hammer=${MOUNT_HAMMER:-tests/system/mount/hammer}
dir=$work/files
pid=

(exec 3<>/dev/fuse) 2>/dev/null || skip "this user cannot open /dev/fuse"
[ "$(id -u)" = 0 ] || need_command fusermount3 fuse3
mkdir "$dir"

# Starts a machine whose files are below $dir; returns when they are there, or fails with what it says in $work/said.
start() {
	exec 4<&- || true
	rm -f "$work/ready"
	mkfifo "$work/ready"
	"$machine" "$dir" "$@" >"$work/ready" 2>"$work/said" &
	pid=$!
	exec 4<"$work/ready"
	read -r -t 60 -u 4 line && [ "$line" = ready ] && return
	wait "$pid"
	pid=
	return 1
}

# The machine's exit status, when it ends by itself or is told to.
ended() {
	[ "$pid" ] || return 125
	timeout 60 tail -f /dev/null --pid "$pid" || { kill -9 "$pid"; fail "the machine does not end"; }
	wait "$pid"
	local result=$?
	pid=
	return $result
}

finish() {
	[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null
	ended
}

cleanup() {
	[ "$BASHPID" = $$ ] || return # a child that is killed before it is another program
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	umount -l "$dir" 2>/dev/null || fusermount3 -u -z "$dir" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

is_mounted() { grep -q " $dir fuse.biscuit " /proc/self/mounts; }
not() { ! "$@"; }
has() { grep -qe "$2" "$1"; }                           # FILE PATTERN
is() { [ "$(cat "$1")" = "$2" ]; }                      # FILE VALUE
put() { (echo "$2" >"$1") 2>"$work/why"; }              # FILE TEXT
refused() { not put "$1" "$2" && has "$work/why" "$3"; } # FILE TEXT WHY
