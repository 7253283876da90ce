#!/bin/bash
# --jit-gdb: a gdb that runs biscuit-run stops in translated code, knows the block by name, and sees the run loop as its
# caller; so it does from C that translated code has called. Skipped without gdb, or where the jit is not.
set -u
run=${BISCUIT_RUN:-./biscuit-run}
work=$(mktemp -d "${TMPDIR:-/tmp}/test_jit_gdb.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

case " ${BISCUIT_ENGINES:-interp jit} " in
*" jit "*) ;;
*) echo 'skipped: no jit' && exit 77 ;;
esac
command -v gdb >/dev/null || { echo 'skipped: no gdb' && exit 77; }

# addi a0, a0, 1; csrr t0, instret; j back. As a trace it is a loop with the instruction in it that calls C.
printf '\x13\x05\x15\x00\xf3\x22\x20\xc0\x6f\xf0\x9f\xff' >"$work/loop.bin"

# The program itself, not the script that libtool may have put before it.
program=$run libs=${LD_LIBRARY_PATH:-}
if [ "$(head -c 2 "$run")" = '#!' ]; then
	program=$(dirname "$run")/.libs/$(basename "$run")
	libs=$(dirname "$run")/.libs:$libs
fi
cat >"$work/commands" <<'E2'
set pagination off
set confirm off
set breakpoint pending on
tbreak jit_gdb_add if t->trace
run
break jit_call_traps
continue
echo \n=== from C\n
backtrace
up 2
set $back = $pc
down 2
delete
set $steps = 0
set logging file steps
set logging redirect on
set logging enabled on
while $pc != $back && $steps < 20000
	stepi
	set $steps++
end
set logging enabled off
echo \n=== inside\n
backtrace
echo \n=== known\n
info symbol $pc
kill
E2
cd "$work" || exit 1
LD_LIBRARY_PATH=$libs timeout 120 gdb -nx -batch -x commands --args "$program" --engine jit --jit-gdb --firmware none \
	--console null loop.bin >out 2>&1 </dev/null
if grep -Eq 'Could not trace|ptrace.*not permitted|Cannot create process' out; then
	echo 'skipped: gdb may not trace here'
	exit 77
fi
failed=0

# has PART PATTERNS...: lines behind "=== PART" match the patterns in this order, with others between them.
has() {
	local part=$1 text
	shift
	text=$(sed -n "/^=== $part/,/^===  *[^$part]/p" out)
	for pattern; do
		text=$(printf '%s\n' "$text" | sed -nE "/$pattern/,\$p")
		if [ -z "$text" ]; then
			echo "not ok - $part: no '$pattern'"
			failed=1
			return
		fi
		text=$(printf '%s\n' "$text" | tail -n +2)
	done
	echo "ok - $part"
}

has 'from C' '^#0 .*jit_call_traps' '^#1 .*guest_' '^#. .*guest_(loop|trace)_80000000' '^#. .*jit_run' \
	'^#. .*hart_thread'
has inside '^#0 .*guest_(loop|trace)_80000000' '^#1 .*(jit_run|enter)' '^#. .*hart_thread'
has known 'guest_(loop|trace)_80000000'
[ $failed = 0 ] || cat out
exit $failed
