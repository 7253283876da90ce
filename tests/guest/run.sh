#!/bin/sh
# Runs one guest program: run.sh PROGRAM_rv32.elf | PROGRAM_rv64.elf
# BISCUIT_RUN is the command, default biscuit-run; it gets --isa and, for the programs that need them, --harts.
# BISCUIT_RUN_FLAGS are further options. It runs on each of BISCUIT_ENGINES (by default the command's own choice), and
# with one hart also on two of them in lockstep, where there are two. Exit status: the first that is not 0, of those;
# 77 (skipped) if the program could not be built.
set -u
program=$1
name=$(basename "$program" .elf)
width=${name##*_}

if [ ! -s "$program" ]; then
	echo "skipped: no RISC-V cross compiler (riscv64-unknown-elf-gcc) when $program was built"
	exit 77
fi
case $name in
smp_*) harts=2 ;;
sbi_*) harts=4 ;;
*) harts=1 ;;
esac

# on ENGINE: a program that hangs fails after two minutes
run_on() {
	# shellcheck disable=SC2086
	timeout 120 ${BISCUIT_RUN:-biscuit-run} --isa "${width}gc_zihpm_zba_zbb_zbs_sstc" --harts "$harts" \
		${1:+--engine "$1"} ${BISCUIT_RUN_FLAGS:-} "$program" </dev/null || {
		status=$?
		echo "$name: exit status $status on the engine ${1:-by default}"
		exit "$status"
	}
}

engines=${BISCUIT_ENGINES:-}
[ -n "$engines" ] || run_on ""
for engine in $engines; do
	run_on "$engine"
done
# Two harts whose code does not fit into the cache, which each has to empty while the other writes code.
case $name,$engines in
smp_fresh*jit*)
	BISCUIT_RUN_FLAGS="${BISCUIT_RUN_FLAGS:-} --code-cache 1M"
	run_on jit
	;;
esac
case $harts,$engines in
1,*jit*) run_on check,jit,chunk=3000 ;;
esac
