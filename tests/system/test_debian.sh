#!/bin/bash
# Debian's kernel with one hart: a session on its console that uses every standard device, a reboot, the end.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/debian.sh"

{
	session_orders 1 "grep -q '^isa.*: rv64imafdc' /proc/cpuinfo && ! grep -q _zb /proc/cpuinfo"
	cat <<-END
		send poweroff
		end 60 0
	END
} >"$work/orders"
talk one-hart --linux debian --isa rv64gc --harts 1 --drive "file=$work/disk.img" --net user <"$work/orders"
exit $status
