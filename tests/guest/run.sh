#!/bin/sh
# Runs one guest program: run.sh PROGRAM_rv32.elf | PROGRAM_rv64.elf
# BISCUIT_RUN is the command, default biscuit-run; it gets --isa and, for the programs that need them, --harts.
# BISCUIT_RUN_FLAGS are further options. Exit status: the guest's; 77 (skipped) if the program could not be built.
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
# a program that hangs fails after two minutes
# shellcheck disable=SC2086
exec timeout 120 ${BISCUIT_RUN:-biscuit-run} --isa "${width}gc_zihpm_zba_zbb_zbs_sstc" --harts "$harts" ${BISCUIT_RUN_FLAGS:-} "$program" </dev/null
