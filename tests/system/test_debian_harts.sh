#!/bin/bash
# Debian's kernel with four harts: the same session; then biscuit-run is killed while the guest writes. What was synced
# is on the disk, and a file system check mends the rest.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/debian.sh"
need_command e2fsck e2fsprogs
need_command debugfs e2fsprogs

{
	session_orders 4 "grep -q '^isa.*: rv64imafdc.*_zba_zbb.*_zbs' /proc/cpuinfo"
	cat <<-END
		check 30 a file is synced: dd if=/dev/urandom of=/mnt/synced bs=64k count=32 && sync && sha256sum </mnt/synced && sync
		send for i in 1 2 3 4; do (while dd if=/dev/urandom of=/mnt/\$i bs=4k count=200 2>/dev/null; do rm -f /mnt/old\$i; mv /mnt/\$i /mnt/old\$i; echo wrote \$i; done) & done
		expect 60 wrote 1
		expect 60 wrote 4
		expect 60 wrote 2
		kill
	END
} >"$work/orders"
talk four-harts --linux debian --isa rv64gc_zba_zbb_zbs --harts 4 --drive "file=$work/disk.img" --net user <"$work/orders"
[ $status = 0 ] || exit $status

# shellcheck disable=SC2317 # the functions are called through check
check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/said" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/#   /' "$work/said"
		status=1
	fi
}

# shellcheck disable=SC2317
# e2fsck's status: 0 clean, 1 mended.
mends() {
	e2fsck -fy "$work/disk.img"
	[ $? -le 1 ] && e2fsck -fn "$work/disk.img"
}

# shellcheck disable=SC2317
synced_data_is_there() {
	debugfs -R "dump /synced $work/synced" "$work/disk.img"
	[ -s "$work/synced" ] &&
		grep -q "^$(sha256sum <"$work/synced" | cut -d' ' -f1) " <(tr -d '\r' <"$work/four-harts.log")
}
check 'a killed guest leaves a file system that a check mends' mends
check 'what was synced is there' synced_data_is_there
exit $status
