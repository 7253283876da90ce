#!/bin/bash
# --trace and --profile on a guest that computes, traps, writes CSRs and talks to devices: each kind and its filters, both
# formats, and that nothing is lost or mixed up however the machine ends.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
[ -n "${RISCV_CC:-}" ] || skip "there is no cross compiler (Debian: gcc-riscv64-unknown-elf)"
source=${srcdir:-.}/tests/system/trace
count=0

for part in short hot twin; do
	"$RISCV_CC" -march=rv64gc -mabi=lp64d -mcmodel=medany -O1 -fno-omit-frame-pointer -ffreestanding -nostdlib \
		-Wl,--no-warn-rwx-segments "-DGUEST_$part" -T "$source/guest.ld" -o "$work/$part.elf" \
		"$source/guest.c" || exit 1
done
crumb=${BISCUIT_DATADIR:-$PWD/guest/crumb}/crumb-rv64.elf
[[ $run == /* ]] || run=$PWD/$run
cd "$work" || exit 1

verdict() { # NAME STATUS
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count - $1"
	else
		status=1
		echo "not ok $count - $1"
		head -n 30 trace 2>/dev/null | sed 's/^/#   /'
	fi
}

# traced VALUE GUEST [OPTIONS]: what it writes is in `trace`.
traced() {
	local value=$1 guest=$2
	shift 2
	rm -f trace
	timeout 60 "$run" "--trace=$value,file=trace" "$@" "$guest.elf" >out 2>err </dev/null
}

# is NAME LINE...: exactly these lines, without pc and offsets.
is() {
	local name=$1
	shift
	printf '%s\n' "$@" >wanted
	sed -E 's/^([0-9] [USM]) [0-9a-f]{16}/\1/; s/(; [a-z_]+)\+0x[0-9a-f]+$/\1/' trace | diff wanted - >differs
	verdict "$name" $?
	[ ! -s differs ] || sed 's/^/#   /' differs
}

# --- Kinds and filters ---

traced trap short
is 'traps' '0 M trap ecall-m tval=0x0 -> M 0x80000040 ; main' \
	'0 M trap illegal tval=0xffffffff -> M 0x80000040 ; main'
traced trap:illegal short
is 'traps by name' '0 M trap illegal tval=0xffffffff -> M 0x80000040 ; main'
traced trap:11 short
is 'traps by number' '0 M trap ecall-m tval=0x0 -> M 0x80000040 ; main'
traced trap:interrupt short
[ -e trace ] && [ ! -s trace ]
verdict 'no interrupts' $?

traced csr:mscratch short
is 'a CSR by name' '0 M csr mscratch 0x0 -> 0x1234 ; main' '0 M csr mscratch 0x1234 -> 0x123f ; main'
traced csr:0x341 short
[ "$(grep -c ' csr mepc = ' trace)" = 2 ] && [ "$(grep -c ' csr mepc 0x.* -> 0x' trace)" = 2 ] && [ "$(wc -l <trace)" = 4 ]
verdict 'a CSR by number' $?

traced mmio short
is 'accesses to devices' '0 M mmio write1 uart0+0x0 = 0x41 ; main' \
	'0 M mmio read1 uart0+0x5 = 0x60 ; main' \
	'0 M mmio read8 (empty) slot7.7 = 0x0 ; main' \
	'0 M mmio write4 finisher+0x0 = 0x5555 ; main'
traced mmio:finisher short
is 'a device by name' '0 M mmio write4 finisher+0x0 = 0x5555 ; main'
traced mmio:0x10000000-0x100000ff,mmio:slot7 short
[ "$(wc -l <trace)" = 3 ] && ! grep -q finisher trace
verdict 'devices by address and slot' $?

traced insn:handler short
[ "$(wc -l <trace)" = 8 ] && [ "$(grep -c 'csrrs a5, mepc, zero  *a5=0x[0-9a-f]* ; handler' trace)" = 2 ]
verdict 'instructions of a function' $?
traced insn,csr:mscratch,trap short
grep -A1 'csrrw zero, mscratch' trace | tail -n 1 | grep -q 'csr mscratch 0x0 -> 0x1234' &&
	grep -A1 ' ecall ; main' trace | tail -n 1 | grep -q 'trap ecall-m' &&
	tail -n 1 trace | grep -Eq ' (c\.)?sw '
verdict 'what an instruction does comes behind it' $?

# --- JSON ---

check_json() {
	python3 -c 'import json, sys
kinds = set()
for line in open("trace"):
	thing = json.loads(line)
	kinds.add(thing["kind"])
	assert thing["time"] >= 0 and thing["hart"] == 0 and int(thing["pc"], 16) >= 0x80000000
assert kinds == set(sys.argv[1].split(",")), kinds' "$1"
}
if command -v python3 >/dev/null; then
	traced insn,trap,mmio,csr,format=json short
	check_json insn,trap,mmio,csr
	verdict 'JSON lines' $?
	[ "$(wc -l <trace)" = "$(grep -c '^{.*}$' trace)" ]
	verdict 'an object a line' $?
fi

# --- Two harts, and every way to end ---

traced insn twin --harts 2
grep -Eqv '^[01] M [0-9a-f]{16} ([0-9a-f]{8}|    [0-9a-f]{4}) ' trace
[ $? = 1 ] && grep -q '^1 ' trace && grep '^0 ' trace | tail -n 20 | grep -Eq ' (c\.)?sw '
verdict 'lines of two harts are whole' $?

# All steps of the counter, in order, up to the last line.
in_order() {
	sed -n 's/.* csr mscratch 0x.* -> 0x\([0-9a-f]*\) .*/\1/p' trace | awk '
		{ v = 0; for (i = 1; i <= length($1); i++) v = v * 16 + index("0123456789abcdef", substr($1, i, 1)) - 1 }
		v != NR { exit 1 }
		END { if (NR < 100) exit 1 }' && [ -z "$(tail -c 1 trace | tr -d '\n')" ]
}
traced csr:mscratch hot --timeout 0.5
in_order
verdict 'nothing is lost at --timeout' $?
rm -f trace
timeout -s TERM 0.7 "$run" --trace=csr:mscratch,file=trace hot.elf >out 2>err </dev/null
in_order
verdict 'nothing is lost at SIGTERM' $?
rm -f trace
timeout 60 "$run" --trace=csr:mscratch,file=trace hot.elf >out 2>err </dev/null &
pid=$!
for ((i = 0; i < 100; i++)); do
	[ -s trace ] && break
	sleep 0.05
done
[ -s trace ]
verdict 'lines are in the file while the machine runs' $?
kill $pid
wait $pid 2>/dev/null
timeout 60 "$run" --trace=csr:mscratch,file=/dev/full --timeout 0.2 hot.elf >out 2>err </dev/null
grep -q 'warning: --trace: /dev/full: No space' err
verdict 'a full disk is told of' $?

# --- Shared directories ---

if [ -e "$crumb" ]; then
	mkdir -p share/sub
	echo text >share/sub/file
	rm -f trace
	printf 'cat sub/file\ncat missing\nmkdir "made"\n' |
		timeout 60 "$run" --share share,ro --trace=fs,file=trace "$crumb" >out 2>&1
	grep -q '^- fs share open /sub/file = 0$' trace && grep -q '^- fs share read /sub/file @0+[0-9]* = 5$' trace &&
		grep -q '^- fs share open /missing = -2 (No such file or directory)$' trace &&
		grep -q '^- fs share mkdir /made = -30 (Read-only file system)$' trace
	verdict 'operations in a share' $?
	printf 'cat sub/file\ncat missing\n' |
		timeout 60 "$run" --share share --trace=fs:/sub,file=trace "$crumb" >out 2>&1
	grep -q /sub/file trace && ! grep -qv ' /sub' trace
	verdict 'operations below a path' $?
fi

# --- Profile ---

timeout 60 "$run" --profile=guest.prof --timeout 1.5 hot.elf >out 2>err </dev/null
sed 's/^/# /' err
grep -m1 '%  ' err | grep -q ' hot$'
verdict 'the hot function is on top' $?
grep -Eq '^hart0;M;_start;main;work;hot [0-9]+$' guest.prof && ! grep -Evq '^[^ ]+ [0-9]+$' guest.prof
verdict 'stacks are collapsed' $?
timeout 60 "$run" --profile --harts 2 --timeout 0.5 hot.elf >out 2>err </dev/null
grep -q '^hart1;M;' biscuit.prof
verdict 'biscuit.prof is the default, with all harts' $?

echo "1..$count"
exit $status
