# The session with Debian's kernel that runs with one hart and with several; sourced after lib.sh. A disk with a file
# system and a file to download are made, session_orders prints the orders for the first boot and the one after it.
# shellcheck shell=bash disable=SC2154
need_debian
need_command mke2fs e2fsprogs
truncate -s 64M "$work/disk.img" && mke2fs -q -F -t ext4 "$work/disk.img" || exit 1
head -c 4M /dev/urandom >"$work/download"
download_sum=$(sha256sum <"$work/download" | cut -d' ' -f1)

# Problems that the kernel has seen with what the machine tells about itself, or with running on it.
device_tree='OF: |fdt|dtb|device[ -]?tree|DT node|of_|missing.*(property|node)|invalid.*(property|node)|no .*(property|node)'
trouble='BUG:|WARNING:|Oops|rcu.*stall|soft lockup|hung task|Unable to handle|nobody cared|spurious'

# A clause for `check`: the kernel's messages have no warning or error with these words.
no_messages() { # LEVELS WORDS
	echo "! dmesg -r | grep -E '^<[$1]>' | grep -iE '$2'"
}

# Memory of the guest that is resident in the host, from the process's status: KiB.
resident="awk '/^RssShmem:/ { print \$2 }' /proc/\$GUEST_PID/status"

# shellcheck disable=SC2016
# What the shell is told first: to take lines as they are, since its line editor drops what is typed too early.
obey='stty -echo; while read -r order; do eval "$order"; done'

session_orders() { # HARTS ISA-CLAUSE
	cat <<END
serve $work/download
expect 240 init: begins
ok the kernel starts init
expect 120 / #
send $obey
check 20 as many harts as asked for: [ \$(nproc) = $1 ] && [ \$(grep -c ^processor /proc/cpuinfo) = $1 ]
check 10 /proc/cpuinfo says what --isa says: $2
check 10 the date is the host's: d=\$((\$(date +%s) - {now})); echo \$d; [ \$d -ge -5 ] && [ \$d -le 20 ]
check 20 no warning about the device tree: $(no_messages 0-4 "$device_tree")
check 10 random numbers from the host: [ \$(head -c 64 /dev/hwrng | wc -c) = 64 ]
check 30 a disk is written: mount -t ext4 /dev/vda /mnt && dd if=/dev/urandom of=/mnt/a bs=64k count=64 && sha256sum /mnt/a >/mnt/sum
check 30 and synced: sync && umount /mnt
check 30 a download from the host: wget -q -O /tmp/download http://10.0.2.2:{port}/ && echo '$download_sum  /tmp/download' | sha256sum -c
check 60 memory is used: dd if=/dev/zero of=/dev/shm/x bs=64k count=2048
host it is resident in the host: $resident >$work/peak && [ \$(cat $work/peak) -gt 131072 ]
check 10 memory is freed: rm /dev/shm/x && sync
host it goes back to the host: for i in \$(seq 300); do [ \$($resident) -lt \$((\$(cat $work/peak) - 98304)) ] && exit; sleep 0.1; done; exit 1
send echo 5 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
check 90 a parallel load: for i in \$(seq $(($1 * 2))); do (for j in \$(seq 20); do dd if=/dev/zero bs=64k count=8 2>/dev/null | sha256sum; done | sort -u >/tmp/load\$i) & done; wait; [ \$(sort -u /tmp/load* | wc -l) = 1 ]
check 10 no stall and no trouble: $(no_messages 0-6 "$trouble")
send reboot
expect 240 init: begins
ok the guest reboots
expect 120 / #
send $obey
check 30 what was written is there: mount -t ext4 /dev/vda /mnt && sha256sum -c /mnt/sum
END
}
