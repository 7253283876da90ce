#!/bin/bash
# gdb-multiarch and the gdb server, on a guest that turns paging on: what a user of gdb does and sees.
. "$(dirname "$0")/lib.sh"
need_command gdb-multiarch gdb-multiarch
[ -n "${RISCV_CC:-}" ] || skip "there is no cross compiler (Debian: gcc-riscv64-unknown-elf)"
source=${srcdir:-.}/tests/system/gdb
count=0

"$RISCV_CC" -march=rv64gc -mabi=lp64d -mcmodel=medany -O0 -g -ffreestanding -nostdlib -Wl,--no-warn-rwx-segments \
	-T "$source/guest.ld" -o "$work/guest.elf" "$source/guest.c" || exit 1

# debug ADDRESS [STATUS [KERNEL ISA]]: runs the commands of standard input against a new machine, which is expected to
# end with that status, or else is ended; the output is in $work/out.
debug() {
	local machine address want kernel=${3:-$work/guest.elf}
	rm -f "$work/address"
	timeout 120 "${GDB_MACHINE:-./machine}" "$1" "$kernel" ${4:+"$4"} >"$work/address" 2>"$work/machine.err" &
	machine=$!
	while [ ! -s "$work/address" ]; do
		kill -0 $machine 2>/dev/null || { cat "$work/machine.err"; exit 1; }
		sleep 0.05
	done
	address=$(cat "$work/address")
	{
		printf 'set pagination off\nset width 0\nset confirm off\ntarget remote %s\n' "$address"
		cat
	} >"$work/commands"
	HOME=$work timeout 100 gdb-multiarch -nx -batch -x "$work/commands" "$kernel" >"$work/out" 2>&1 </dev/null
	if [ -n "${2:-}" ]; then
		wait $machine
		want=$?
		[ $want = "$2" ] || fail "the machine ended with status $want, expected $2"
	else
		kill $machine
		wait $machine 2>/dev/null
	fi
}

fail() {
	echo "not ok - $*"
	status=1
}

# shows NAME REGEX...: the lines are in the output, in this order.
shows() {
	local name=$1 from=1 at
	shift
	count=$((count + 1))
	for words; do
		at=$(tail -n "+$from" "$work/out" | grep -n -m1 -E -e "$words" | cut -d: -f1)
		if [ -z "$at" ]; then
			fail "$count - $name: there is no '$words' behind line $from of"
			sed 's/^/#   /' "$work/out"
			return
		fi
		from=$((from + at))
	done
	echo "ok $count - $name"
}

debug 127.0.0.1:0 7 <<'END'
info threads
x/i $pc
echo (before paging)\n
hbreak *0x80000022
break high
continue
p/x $satp
p $priv
delete 1
continue
p/x $satp >> 60
p $priv
echo (functions)\n
break third
continue
backtrace
finish
finish
echo (watchpoints)\n
delete
watch watched
rwatch turns
continue
continue
continue
delete
echo (a trap)\n
break call_here
continue
stepi
p $pc == trap
p/x $scause
p $sepc == (unsigned long)&call_here
stepi
stepi
stepi
stepi
p $pc == (unsigned long)&call_here + 4
echo (registers)\n
info registers mstatus
p $mstatus
set $mscratch = 0x1234
p/x $mscratch
set $fa0.double = 1.5
p $fa0.double
p $f10.double
info registers priv
echo (memory)\n
set var other = 77
p other
x/2xb &other
monitor phys on
x/2xb 0x80001008
monitor phys off
echo (two harts)\n
info threads
set scheduler-locking on
thread 2
p $mhartid
set $counter = (unsigned long *)((unsigned long)&counted & 0xffffffff)
set $before = *$counter
stepi
stepi
stepi
stepi
p *$counter == $before + 1
thread 1
p $pc == (unsigned long)&call_here + 4
set scheduler-locking off
echo (monitor)\n
monitor help
monitor breaks
monitor break trap ecall-s if a0 == 5
monitor breaks
monitor nonsense
echo (the end)\n
delete
set var finish = 1
continue
END
shows "two harts wait before their first instruction" '^\* 1 +Thread 1 "hart0" \(machine mode\) 0x0*80000000 in' \
	'^  2 +Thread 2 "hart1"' '=> 0x80000000:	bnez	a0'
shows "a breakpoint before paging is on, and one behind it set at the same time" '^\(before paging\)' \
	'hit Breakpoint 1, 0x0*80000022 in' '= 0x0$' '= 3$' 'hit Breakpoint 2, high \(\) at .*guest.c' '= 0x8$' '= 1$'
shows "a backtrace through functions, and finish" '^\(functions\)' 'hit Breakpoint 3, third \(n=1\)' '^#0 +third \(n=1\)' \
	'^#1 .* in second \(n=0\)' '^#2 .* in first \(n=0\)' '^#3 .* in high \(\)' '^second \(n=0\)' \
	'^first \(n=0\)'
shows "watchpoints with their values" '^\(watchpoints\)' 'hit Hardware read watchpoint [0-9]+: turns' 'Value = 0' \
	'hit Hardware watchpoint [0-9]+: watched' 'Old value = 1' 'New value = 3' '^\(a trap\)'
shows "a step goes into the trap handler and out again" '^\(a trap\)' 'in trap \(\)' '= 1$' '= 0x9$' '= 1$' '= 1$' \
	'^\(registers\)'
shows "registers and CSRs by name, with their fields" '^\(registers\)' '^mstatus +0xa' '= \[ .*UXL=2' '= 0x1234$' '= 1\.5$' \
	'= 1\.5$' 'Supervisor'
shows "memory by virtual and physical addresses" '^\(memory\)' '= 77$' '<other>:	0x4d	0x00' \
	'physical addresses' '0x80001008.*:	0x4d	0x00' 'virtual addresses'
shows "harts are threads, one steps while the other stays" '^\(two harts\)' '"hart0" \(supervisor mode\)' \
	'"hart1" \(machine mode\)' 'Switching to thread 2' '= 1$' '= 1$' 'Switching to thread 1' '= 1$'
shows "monitor commands" '^\(monitor\)' '^pause ' '^snapshot PATH' '^phys ' '^[0-9]+$' 'trap ecall-s if a0 == 0x5 \(0 hits\)' \
	"unknown verb 'nonsense'"
shows "the guest's end and its status" '^\(the end\)' 'exited with code 07'

debug "$work/socket" <<'END'
break third
continue
delete
detach
END
shows "a Unix socket and detach" 'hit Breakpoint 1, third' 'detached'

# small ISA INSTRUCTION: a 32-bit machine does that instruction.
small() {
	printf '.globl _start\n_start: %s\n1: j 1b\n' "$2" >"$work/small.S"
	"$RISCV_CC" "-march=${1}_zicsr" -mabi=ilp32 -nostdlib -Wl,-n,-Ttext=0x80000000,--no-warn-rwx-segments \
		-o "$work/small.elf" "$work/small.S" || exit 1
	debug "$work/socket" 5 "$work/small.elf" "$1" <<-'END'
		set $mstatus = 0x2000
		set $a0 = -3
		stepi
		p/x $pc
		p $fa0
		set $mtvec = 0x80000040
		p/x $mtvec
		p/x $misa >> 30
		monitor stop 5
	END
}

small rv32gc 'fcvt.d.w fa0, a0'
shows "a 32-bit hart with floating point" '^0x80000000 in _start|_start \(\)' '= 0x80000004$' 'double = -3}' '= 0x80000040$' '= 0x1$'
small rv32imac 'add a0, a0, a0'
shows "a 32-bit hart without" '= 0x8000000[24]$' '= void' '= 0x80000040$' '= 0x1$'

# --- The command: clients that come and go ---

# serve ADDRESS: biscuit-run waits there for gdb; where that is, is in $address.
serve() {
	: >"$work/said"
	"$run" --gdb="$1" --harts 2 "$work/guest.elf" </dev/null >/dev/null 2>"$work/said" &
	machine=$!
	until grep -q 'target remote' "$work/said"; do
		kill -0 $machine 2>/dev/null || { cat "$work/said"; exit 1; }
	done
	address=$(sed -n 's/.*target remote \([^ ]*\).*/\1/p' "$work/said")
}

# client COMMAND...: a gdb of its own; what it says is in $work/out.
client() {
	local command orders=(-ex 'set confirm off' -ex "target remote $address")
	for command; do orders+=(-ex "$command"); done
	HOME=$work timeout 60 gdb-multiarch -nx -batch "${orders[@]}" "$work/guest.elf" >"$work/out" 2>&1 </dev/null
}

# The machine's status, when it ends within a minute.
killed_ends() {
	timeout 60 tail -f /dev/null --pid $machine || kill -9 $machine
	wait $machine
}

come_and_go() { # NAME
	client 'break third' continue detach
	shows "$1: one detaches" 'hit Breakpoint 1, third' 'detached'
	client 'p $pc > 0x80000000' 'break third' continue 'monitor reset' 'maintenance flush register-cache' 'p/x $pc' \
		"monitor snapshot $work/one.snap" continue 'monitor step 2' detach
	shows "$1: the next one finds it running, and starts it anew" '= 1$' 'hit Breakpoint 1, third' \
		'still shows the registers from before; .maintenance flush' '= 0x80000000$' 'one.snap|zstd' \
		'hit Breakpoint 1, third \(n=1\)' '^hart 0 at 0xf.* <third' 'still shows' detached
	kill -0 $machine || fail "$1: the machine has gone with its client"
	client kill
	shows "$1: it is killed" 'killed'
	killed_ends || fail "$1: it ended with status $?"
}

serve 127.0.0.1:0
exec 7<>"/dev/tcp/127.0.0.1/${address##*:}"
printf '$vCont;c#a8' >&7
read -r -n 1 -t 60 -u 7 answer
[ "$answer" = + ] || fail "a continue is not acknowledged"
client 'info threads'
shows "a second client hears that it is one" 'another debugger is connected'
grep -q '"hart0"' "$work/out" && fail "a second client was served"
exec 7<&- 7>&-
come_and_go "TCP, after a client that vanished while the guest ran"
serve "$work/command"
come_and_go "a Unix socket"
[ ! -e "$work/command" ] || fail "the socket is left"
exit $status
