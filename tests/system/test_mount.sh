#!/bin/bash
# The machine as files, through a real mount and with plain tools: tests/system/mount/machine is a machine with files.
# shellcheck source=tests/system/mount/lib.sh
. "$(dirname "$0")/mount/lib.sh"

start || {
	grep -q 'built without' "$work/said" && skip "$(cat "$work/said")"
	cat "$work/said"
	fail "no mount"
	exit 1
}

looks() {
	ok "regs of a machine that runs" has "$dir/regs" '^pc  *0x00000000800000'
	ok "status" has "$dir/status" '^state running$'
	ok "README tells of the tree" has "$dir/README" 'snapshots  new'
	ok "only for the owner" [ "$(stat -c %a "$dir" "$dir/ctl" "$dir/regs" | tr '\n' ' ')" = "700 600 777 " ]
	ok "sizes of memory are true" [ "$(stat -c %s "$dir/mem/phys" "$dir/mem/ram" | tr '\n' ' ')" = "2164260864 16777216 " ]
	ok "x10 is a0" [ "$(readlink "$dir/cpu/0/x/x10")" = a0 ]
	ok "every file can be read" not grep -r --devices=skip --exclude=wait --exclude=events --exclude=out \
		--exclude=lower --exclude=upper --exclude=phys --exclude=remove --exclude=in --exclude=frame.png -q 'no such text' "$dir"
}

# shellcheck disable=SC2317
answers() { # VERB PATTERN: after another one that had an answer
	exec 7<>"$dir/ctl"
	echo help >&7
	echo "$1" >&7
	timeout 20 cat <&7 >"$work/answer"
	exec 7>&-
	head -1 "$work/answer" | grep -qe "$2"
}

control() {
	ok "pc of a machine that runs is busy" refused "$dir/cpu/0/pc" 0x80000018 busy
	ok "errstr says what to do" has "$dir/errstr" 'cpu/0/pc: .*paused'
	ok "pause" put "$dir/ctl" pause
	ok "paused" has "$dir/status" '^state paused$'
	ok "pc" put "$dir/cpu/0/pc" 0x80000018
	ok "a0" put "$dir/cpu/0/x/a0" 0
	ok "step" put "$dir/ctl" 'step 70'
	ok "ten rounds of seven instructions" is "$dir/cpu/0/x/a0" 0x000000000000000a
	ok "a0 has not changed since" is "$dir/cpu/0/x/x10" 0x000000000000000a
	ok "an unknown verb" refused "$dir/ctl" puase 'Invalid argument'
	ok "a shell reads what a verb answers" answers help '^pause  '
	ok "nothing, where it answers nothing" not answers breaks .
	ok "the nearest one" has "$dir/errstr" "did you mean 'pause'"
	ok "an unknown file" refused "$dir/cpu/0/x/a10" 1 'No such file'
	ok "the nearest name" has "$dir/errstr" "no 'a10' here (did you mean 'a0'?)"
	ok "what cannot be written" refused "$dir/cpu/0/csr/mhartid" 1 'Permission denied'
	ok "a field of a CSR" put "$dir/csr/../csr.fields/mstatus/MPP" 0x3
	ok "its register" has "$dir/csr/mstatus" '1800$'
	ok "a field of a device" put "$dir/dev/uart0/lcr" 0x03
	ok "which it has now" is "$dir/dev/uart0/lcr" 0x03
	put "$dir/ctl" reset
	until has "$dir/cpu/0/pc" '80000000$' || has "$dir/status" '^state running$'; do :; done
	ok "a reset leaves it paused" has "$dir/status" '^state paused$'
}

# Nothing waits for a step that takes long, and everybody can end it: a pause, and whoever asked for it.
long_step() {
	put "$dir/ctl" 'step 1000000000000' &
	local stepper=$!
	until has "$dir/status" '^state running$'; do :; done
	ok "a register during a long step" has "$dir/cpu/0/regs" '^pc '
	ok "another step is refused" refused "$dir/ctl" 'step 1' busy
	ok "a pause ends it" put "$dir/ctl" pause
	wait $stepper
	ok "and it has not failed" [ $? = 0 ]
	ok "it rests" is "$dir/wait" paused
	timeout -s INT 0.3 bash -c 'echo "step 1000000000000" >"$1"' step "$dir/cpu/0/ctl"
	ok "who interrupts a step has it ended" has "$dir/status" '^state paused$'
	timeout -s KILL 0.3 bash -c 'echo "step 1000000000000" >"$1"' step "$dir/ctl"
	ok "and who is killed" timeout 20 grep -q . "$dir/wait"
	put "$dir/cpu/0/pc" 0x80000018
	put "$dir/cpu/0/x/a0" 10
}

memory() {
	ok "code in memory" [ "$(xxd -s 0x80000018 -l 4 -p "$dir/mem/phys")" = 13051500 ]
	printf '\x13\x05\x25\x00' | dd of="$dir/mem/phys" bs=4 seek=$((0x80000018)) oflag=seek_bytes conv=notrunc status=none
	put "$dir/cpu/0/pc" 0x80000018
	put "$dir/cpu/0/x/a0" 0
	put "$dir/ctl" 'step 7'
	ok "code that was changed is executed" is "$dir/cpu/0/x/a0" 0x0000000000000002
	ok "what is no RAM" not xxd -s 0x10000000 -l 1 "$dir/mem/phys" 2>"$work/why"
	ok "is a bad address" has "$work/why" 'Bad address'
	ok "memory through its path" cmp "$dir/mem/ram" "$(cat "$dir/mem/ram.path")"
	ok "walk" put "$dir/cpu/0/vm/walk" 0x80000000
	ok "in words" has "$dir/cpu/0/vm/walk" 'bare'
}

waiting() {
	put "$dir/ctl" resume
	cat "$dir/wait" >"$work/rest" &
	local waiter=$!
	(read -r line && echo "$line") <"$dir/events" >"$work/event" &
	until [ -s "$work/event" ]; do
		put "$dir/ctl" resume
		put "$dir/ctl" pause
	done
	ok "wait ends" timeout 60 tail -f /dev/null --pid "$waiter"
	ok "and says why" is "$work/rest" paused
	ok "events" grep -q '^{"event":"[a-z]*","time":[0-9]*}$' "$work/event"
	put "$dir/ctl" resume
	timeout 0.3 cat "$dir/events" >/dev/null
	ok "who waits can be killed" [ $? = 124 ]
}

consoles() {
	head -c 5 "$dir/dev/uart0/out" >"$work/out" &
	local reader=$!
	# What is sent before the reader has opened the file is in the log alone.
	until ! kill -0 $reader 2>/dev/null || [ -s "$work/out" ]; do
		printf hello >"$dir/dev/uart0/in"
	done
	wait $reader
	ok "out" [ "$(tr -d helo <"$work/out" | wc -c)" = 0 ]
	ok "log" has "$dir/dev/uart0/log" hello
}

breakpoints() {
	ok "a breakpoint" put "$dir/break/add" 'pc 0x80000024 if a0 != 0'
	ok "it is hit" [ "$(cat "$dir/wait")" = 'break 1 cpu 0 pc 0x0000000080000024' ]
	ok "list" has "$dir/break/list" '^1 hits 1 pc 0x0000000080000024 if a0 != 0x0$'
	ok "rm" rm "$dir/break/1"
	ok "gone" [ -z "$(cat "$dir/break/list")" ]
	ok "disassembly" has "$dir/cpu/0/disasm" '^=> 0x0000000080000024'
	ok "backtrace" has "$dir/cpu/0/backtrace" '^#0  0x0000000080000024'
}

others() {
	if cp "$dir/snapshots/new" "$work/snap" 2>/dev/null; then
		ok "a snapshot" [ "$(stat -c %s "$work/snap")" -gt 500 ]
	else
		ok "no snapshots" has "$dir/errstr" zstd
	fi
	ok "the device tree" has "$dir/dt/dts" 'ns16550a'
	ok "the machine cannot look at itself" refused "$dir/symbols/load" "$dir/cpu/0/pc" 'deadlock'
	ok "no files are made" refused "$dir/new" 1 'No such file'
	ok "no directories are made" not mkdir "$dir/sub" 2>/dev/null
	ok "nothing is renamed" not mv "$dir/ctl" "$dir/control" 2>"$work/why"
	ok "which is not permitted" has "$work/why" 'not permitted'
	ok "a text is no program" refused "$dir/symbols/load" /etc/passwd 'Exec format error'
	ok "files stay" not rm -f "$dir/ctl" 2>/dev/null
}

looks
control
long_step
memory
waiting
consoles
breakpoints
others
put "$dir/ctl" resume
put "$dir/ctl" 'stop 7'
ended
ok "its exit status" [ $? = 7 ]
ok "the mount has gone with it" not is_mounted

# --- The mount point ---

start
timeout 60 "$machine" "$dir" 2>"$work/why"
ok "a second machine at the same place" has "$work/why" 'another file system is mounted'
exec 5<"$dir/events"
finish
ok "a mount in use keeps nobody" [ $? = 0 ]
exec 5<&-
ok "and goes" not is_mounted

start
umount "$dir" 2>/dev/null || fusermount3 -u "$dir"
ok "the machine runs on without its files" kill -0 "$pid"
finish
ok "and ends well" [ $? = 0 ]

# Whoever would take the mount away when the machine has died is killed first. The kernel still knows the directory.
start
stat "$dir" >"$work/stat"
for helper in $(cat /proc/"$pid"/task/*/children); do kill -9 "$helper"; done
kill -9 "$pid"
wait "$pid" 2>/dev/null
ok "a machine that was killed leaves a dead mount" not ls "$dir" 2>/dev/null
ok "which the next one clears" start
ok "files" has "$dir/status" '^state running$'
finish

timeout 60 "$machine" "$work/nowhere" 2>"$work/why"
ok "no directory" has "$work/why" 'no such directory'
touch "$dir/file"
timeout 60 "$machine" "$dir/file" 2>"$work/why"
ok "a file" has "$work/why" 'expected a directory'
timeout 60 "$machine" "$dir" 2>"$work/why"
ok "a directory with something in it" has "$work/why" 'expected an empty directory'
rm "$dir/file"

# --- The command: however it ends, the mount goes with it ---

# A guest that spins until a7 is not 0, and then fails with status 3 through the finisher.
# beqz a7, .; lui t0, 0x100; lui t1, 0x33; addi t1, t1, 0x333; sw t1, 0(t0); j .
printf '\x63\x80\x08\0\xb7\2\x10\0\x37\x33\3\0\x13\3\x33\x33\x23\xa0\x62\0\x6f\0\0\0' >"$work/fails.bin"

# command_run ARGUMENTS...: biscuit-run with that guest and its files; SIGINT as in a terminal.
command_run() {
	env --default-signal=INT "$run" --mount "$dir" "$@" "$work/fails.bin" </dev/null >"${output:-$work/out}" 2>"$work/said" &
	pid=$!
	until has "$dir/status" '^state' 2>/dev/null; do
		kill -0 "$pid" 2>/dev/null || { cat "$work/said"; fail "no mount: $*"; return 1; }
	done
}

# shellcheck disable=SC2317
guest_fails() {
	put "$dir/ctl" pause
	put "$dir/cpu/0/x/a7" 1
	put "$dir/ctl" resume
	ended
}

# ends WHAT STATUS ACT...
ends() {
	local what=$1 expected=$2
	shift 2
	"$@"
	ok "$what: its status" [ $? = "$expected" ]
	ok "$what: no mount is left" not is_mounted
	ok "$what: not a word of it" not grep -qiE 'mount|fuse' "$work/said"
}

signalled() { # SIGNAL
	kill "-$1" "$pid"
	ended
}

# A byte for the UART, which standard output has no room for: sb t1, 0(t0).
# shellcheck disable=SC2317
guest_prints() {
	put "$dir/ctl" pause
	printf '\x23\x80\x62\0' | dd of="$dir/mem/phys" bs=4 seek=$((0x80000010)) oflag=seek_bytes conv=notrunc status=none
	put "$dir/cpu/0/x/t0" 0x10000000
	put "$dir/cpu/0/pc" 0x80000010
	put "$dir/ctl" resume
	ended
}

command_run && ends "a guest that fails" 3 guest_fails
output=/dev/full command_run && ends "a failure of the host's" 125 guest_prints
ok "which is said" has "$work/said" 'standard output: No space left'
command_run && ends "SIGTERM" 143 signalled TERM
command_run && ends "SIGINT" 130 signalled INT
command_run --timeout 0.3 && ends "--timeout" 124 ended
command_run && put "$dir/ctl" pause && ends "SIGTERM while it is paused" 143 signalled TERM

command_run
exec 5<"$dir/events" 6<"$dir/mem/ram"
cd "$dir/cpu/0" || fail "no way into the files"
cat "$dir/wait" >/dev/null 2>&1 &
ends "files in use, and a working directory" 3 guest_fails
cd "$OLDPWD" || exit 1
exec 5<&- 6<&-

command_run
if [ "$(id -u)" = 0 ]; then umount "$dir"; else fusermount3 -u "$dir"; fi
ok "taken away from outside" not is_mounted
touch "$dir/mine"
ok "the command runs on" kill -0 "$pid"
signalled TERM
ok "and ends as ever" [ $? = 143 ]
ok "what is there now is left alone" rm "$dir/mine"

command_run
for helper in $(cat /proc/"$pid"/task/*/children); do kill -9 "$helper"; done
kill -9 "$pid"
wait "$pid" 2>/dev/null
ok "a command that was killed leaves a dead mount" is_mounted
command_run && ends "which the next one clears" 143 signalled TERM

# refuses PATTERN COMMAND...: it ends by itself with status 125 and one line.
refuses() {
	local pattern=$1
	shift
	timeout 60 "$@" >/dev/null 2>"$work/said" </dev/null
	[ $? = 125 ] && has "$work/said" "$pattern" && [ "$(wc -l <"$work/said")" = 1 ]
}

# shellcheck disable=SC2016
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	ok "without /dev/fuse" refuses 'there is no /dev/fuse here' unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' \
		sh "$run" --mount "$dir" "$work/fails.bin"
fi
if [ "$(id -u)" = 0 ] && command -v runuser >/dev/null && ! runuser -u nobody -- test -r /dev/fuse &&
	runuser -u nobody -- "$run" -V >/dev/null 2>&1; then
	chmod 755 "$work"
	ok "a user who may not" refuses 'may not open /dev/fuse' runuser -u nobody -- "$run" --mount "$dir" "$work/fails.bin"
fi

# --- Options ---

start readonly
ok "nothing can be written" refused "$dir/ctl" pause 'Read-only file system'
ok "but read" has "$dir/status" running
finish

if [ "$(id -u)" = 0 ] && command -v runuser >/dev/null; then
	chmod 755 "$work"
	start
	ok "others see nothing" not runuser -u nobody -- ls "$dir" 2>/dev/null
	finish
	start allow-other
	ok "others may look" runuser -u nobody -- grep -q running "$dir/status"
	# shellcheck disable=SC2016
	ok "but not touch" not runuser -u nobody -- sh -c 'echo pause >"$1"' sh "$dir/ctl" 2>/dev/null
	finish
fi

# --- crumb, by its symbols ---

crumb=${BISCUIT_DATADIR:-}/crumb-rv64.elf
if [ -e "$crumb" ]; then
	start paused "$crumb"
	ok "a breakpoint by name" put "$dir/break/add" 'pc tasks_idle once'
	put "$dir/ctl" resume
	ok "it is hit" [ "$(cut -d' ' -f7- <"$dir/wait")" = '<tasks_idle>' ]
	ok "who called" grep -q '^#1 .*<kernel_main+0x' "$dir/cpu/0/backtrace"
	ok "regs speak names" has "$dir/regs" '^pc .*<tasks_idle>'
	ok "symbols" put "$dir/symbols/lookup" kernel_main
	ok "and addresses" has "$dir/symbols/lookup" '^0x00000000800[0-9a-f]* <kernel_main>$'
	ok "the kernel's page tables" has "$dir/cpu/0/vm/map" '^0x0000000080000000-0x[0-9a-f]* r-x-gad 0x0000000080000000 4K$'
	put "$dir/cpu/0/vm/walk" kernel_main
	ok "a walk to a page" has "$dir/cpu/0/vm/walk" '^level 0: entry at .* V R X G A D, page at '
	ok "code through the page tables" cmp -n 16 -i "$((0x80000000)):0" "$dir/cpu/0/vm/lower" "$dir/mem/ram"
	printf 'ps\n' >"$dir/dev/console/in"
	put "$dir/ctl" resume
	cat "$dir/dev/console/out" >"$work/out" &
	reader=$!
	until has "$dir/dev/console/log" 'shell .*running'; do :; done
	ok "crumb answers" has "$dir/dev/console/log" '^TASK'
	printf 'poweroff\n' >"$dir/dev/console/in"
	ended
	ok "and powers off" [ $? = 0 ]
	wait $reader
	ok "whoever reads its output reads to the end" [ $? = 0 ]
else
	echo "# there is no crumb to look at"
fi

# --- Figures ---

start ram=256 paused
dd if=/dev/zero of="$dir/mem/ram" bs=1M status=none conv=notrunc count=256
dd if="$dir/mem/ram" of=/dev/null bs=1M 2>&1 | sed -n 's/.*copied, /# mem\/ram: /p'
finish
exit $status
