#!/bin/sh
# Random programs on Biscuit and on QEMU: run.sh WIDTH [COUNT]. Runs from the build directory.
# BISCUIT_SEED=N chooses the programs, ISA=... one instruction set; COUNT instructions (default 200000) of the full
# instruction set, a tenth of it of each smaller one. Exits 0 if all agree, 1 if not, 77 if a machine is missing.
set -u

width=$1
count=${2:-200000}
seed=${BISCUIT_SEED:-20191213}
tool=${FUZZ_DIFF:-tests/diff/fuzz-diff}
BISCUIT_RUN=${BISCUIT_RUN:-./biscuit-run}
export BISCUIT_RUN

full=rv${width}gc_zba_zbb_zbs
echo "diff: seed $seed (BISCUIT_SEED=$seed repeats this run)"
for isa in ${ISA:-$full rv${width}ima_zba rv${width}g_zbb rv${width}imac_zifencei_zbs rv${width}imafc_zifencei}; do
	n=$count
	[ "$isa" = "${ISA:-$full}" ] || n=$((count / 10))
	"$tool" --isa "$isa" --seed "$seed" --count "$n"
	status=$?
	[ "$status" -eq 0 ] || exit "$status"
done
