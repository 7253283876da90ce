#!/bin/sh
# bench-apps: Debian's programs as work for a guest. Runs inside Linux with busybox; the packages that
# `tools/debian-guest packages` unpacks are on the disk /dev/vda.
#
#   bench-apps prepare    mounts the packages in /mnt and writes the files that the programs work on
#   bench-apps NAME       has a program do its work once in small, so that it is in memory, and then in earnest.
#                         Prints "apps: begins" and "apps: ended N", where N is how much work was done, then "done".
#
# The same file of a few lines of C, or text, comes out each time: the work depends on the packages alone.
set -eu
packages=/mnt
work=$packages/tmp

inside() {
	chroot $packages /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOME=/tmp TMPDIR=/tmp PYTHONPYCACHEPREFIX=/tmp/compiled "$@"
}

# A C file of some functions, which differ by the number that is given: loops over arrays, structures, switches, calls.
write_c() { # NUMBER FUNCTIONS
	awk -v seed="$1" -v functions="$2" '
	function next_number(below) {
		seed = (seed * 1103 + 12345) % 65536
		return int(seed / 7) % below
	}
	BEGIN {
		print "#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>"
		print "struct item { uint32_t key; int64_t weight; char name[24]; struct item *next; };"
		for (f = 0; f < functions; f++) {
			printf "\nint64_t step_%d(struct item *items, size_t count, int64_t a)\n{\n", f
			printf "\tint64_t sum = %d, table[%d] = {0};\n", next_number(999), 8 + next_number(24)
			print "\tfor (size_t i = 0; i < count; i++) {"
			printf "\t\tstruct item *at = &items[i];\n\t\tswitch (at->key %% %d) {\n", 5 + next_number(9)
			for (c = 0; c < 5; c++) {
				printf "\t\tcase %d:\n\t\t\tsum += at->weight * %d + (a >> %d);\n", c, next_number(99), 1 + next_number(9)
				printf "\t\t\ttable[(sum ^ at->key) & 7] += a %s %d;\n", substr("+-*|^&", 1 + next_number(6), 1), 1 + next_number(50)
				printf "\t\t\tif (sum > %d && at->next)\n\t\t\t\tat = at->next;\n\t\t\tbreak;\n", next_number(30000)
			}
			print "\t\tdefault:\n\t\t\tsnprintf(at->name, sizeof(at->name), \"%lld\", (long long)sum);\n\t\t}"
			printf "\t\tfor (int j = 0; j < %d; j++)\n\t\t\ttable[j & 7] = table[j & 7] * %d + sum / (j + %d);\n", 8 + next_number(30), 3 + next_number(9), 1 + next_number(9)
			printf "\t\tat->weight = (int64_t)strlen(at->name) + table[%d];\n\t}\n", next_number(8)
			if (f > 0)
				printf "\tif (count > %d)\n\t\tsum += step_%d(items, count / 2, sum);\n", 2 + next_number(9), next_number(f)
			print "\treturn sum;\n}"
		}
	}'
}

prepare() {
	local n
	modprobe ext4
	mount -t ext4 -o ro /dev/vda $packages
	mount -t tmpfs tmpfs $work
	mount --bind /dev $packages/dev
	mount -t proc proc $packages/proc
	cat $packages/usr/lib/python3*/[a-t]*.py | head -c 4000000 >$work/some
	head -c 1000000 $work/some >$work/less
	head -c 5000 $work/some >$work/little
	for n in 1 2 3 4 5 6; do cat $work/some; done >$work/more
	for n in 1 2 3 4 5 6 7 8; do
		write_c $n 1 >$work/part$n.c
	done
	write_c 9 12 >$work/whole.c
	echo 'int x;' >$work/empty.c
	printf '%s\n' 'all: $(patsubst %.c,%.o,$(wildcard part*.c))' '%.o: %.c' '	gcc -O2 -c -o $@ $<' >$work/Makefile
}

begins() {
	echo 'apps: begins'
}

ended() { # AMOUNT
	echo "apps: ended $1 done"
}

main() {
	local loop='a = 1
d = {}
for i in range(400000):
    a = (a * 1103515245 + i) & 0x7fffffff
    d[a & 1023] = d.get(a & 1023, 0) + len(str(a))
print(sum(d.values()))' n
	case $1 in
	prepare) prepare && echo 'apps: prepared done' && return ;;
	xz) inside xz -9 -c /tmp/little >/dev/null && begins && inside xz -9 -c /tmp/less >$work/out ;;
	gzip) inside gzip -c /tmp/little >/dev/null && begins && inside gzip -c /tmp/more >$work/out ;;
	python_start)
		inside python3 -c 'pass'
		begins
		for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do inside python3 -c 'pass'; done
		;;
	python_loop) inside python3 -c 'pass' && begins && inside python3 -c "$loop" ;;
	openssl_sha256)
		inside openssl version >/dev/null
		begins
		inside openssl speed -elapsed -seconds 3 -bytes 16384 sha256 >$work/out 2>&1
		ended "$(awk '/ sha256 ops in / { print $(NF - 4) / 10000 }' $work/out)"
		return
		;;
	gcc) inside gcc -O2 -c -o /tmp/empty.o /tmp/empty.c && begins && inside gcc -O2 -c -o /tmp/whole.o /tmp/whole.c ;;
	make4)
		rm -f $work/part*.o
		inside gcc -O2 -c -o /tmp/empty.o /tmp/empty.c
		inside make --version >/dev/null
		begins
		inside make -s -j4 -C /tmp
		;;
	esac
	ended 1
}

main "$@"
