#!/bin/sh
# Runs the table of cases and random operations through one face of MagicFS:
#
#	run.sh rv64|rv32|9p|local [--only PART]         the cases [whose name has PART]
#	run.sh FACE --stress                            and then random operations
#	run.sh FACE --no-table --stress                 those alone
#
# rv64 and rv32 are bare guests that speak to slot 4, 9p is a Linux guest, local the host's own file system, which shows
# that the table is right. conform.c tells what the environment may have; BISCUIT_RUN is the command, MAGICFS_TESTS the
# folder with what was built here. Exit status 77: it cannot run here.
set -u
face=$1
shift
tables=
if [ "${1:-}" = --no-table ]; then
	shift
else
	tables='cases/*.cases'
fi
here=$(cd "$(dirname "$0")" && pwd)
built=${MAGICFS_TESTS:-$here}
biscuit=${BISCUIT_RUN:-biscuit-run}
cache=${BISCUIT_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/biscuit}

# A relative command and relative tables: everything runs where the tables are.
case $biscuit in
/*) ;;
*/*) biscuit=$PWD/$biscuit ;;
esac
case $built in
/*) ;;
*) built=$PWD/$built ;;
esac
cd "$here" || exit 1

need() { # FILE WHAT
	[ -s "$1" ] || { echo "skipped: there is no $2" >&2; exit 77; }
}

# $tables is a list.
# shellcheck disable=SC2086
case $face in
local)
	exec "$built/conform" --face local --host "$built/face-host" "$@" $tables -- "$built/face-host" '{work}'
	;;
rv64 | rv32)
	need "$built/native-$face.elf" "RISC-V cross compiler (riscv64-unknown-elf-gcc)"
	exec "$built/conform" --face native --host "$built/face-host" "$@" $tables -- \
		"$biscuit" --isa "${face}gc" --harts 4 --memory 64M '{shares}' "$built/native-$face.elf"
	;;
9p)
	need "$built/face-linux" "RISC-V cross compiler (riscv64-unknown-elf-gcc)"
	need "$cache/linux/debian/stamp" "Debian guest: run tools/debian-guest fetch"
	bin=$(mktemp -d "${TMPDIR:-/tmp}/biscuit-bin.XXXXXX")
	trap 'rm -rf "$bin"' EXIT
	install -m 755 "$built/face-linux" "$bin/face"
	"$built/conform" --face 9p --host "$built/face-host" --cached cache=mmap "$@" \
		--login '/ # ' 'mkdir -p /mnt/bin && mount -t 9p -o trans=virtio,version=9p2000.L bin /mnt/bin && exec /mnt/bin/face' \
		$tables -- \
		"$biscuit" --linux debian --harts 2 --append 'console=ttyS0 quiet loglevel=1' '{shares}' \
		--share "$bin,ro,name=bin"
	;;
*)
	echo "run.sh: '$face', expected rv64, rv32, 9p or local" >&2
	exit 2
	;;
esac
