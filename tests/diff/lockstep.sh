#!/bin/sh
# Random programs on two engines in lockstep (--engine check): lockstep.sh [PROGRAMS]. Runs from the build directory.
# BISCUIT_SEED=N chooses the programs; PROGRAMS of each width, by default 3, execute more than a million instructions
# each. Exits 77 where there is one engine alone.
set -u

tool=${FUZZ_DIFF:-tests/diff/fuzz-diff}
run=${BISCUIT_RUN:-./biscuit-run}
seed=${BISCUIT_SEED:-20191213}
last=$((seed + ${1:-3}))
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

case " ${BISCUIT_ENGINES:-interp jit} " in
*" jit "*) ;;
*)
	echo "skipped: there is no engine to compare with the interpreter"
	exit 77
	;;
esac
echo "lockstep: seed $seed (BISCUIT_SEED=$seed repeats this run)"
# Every other seed with a code cache that is too small for the program, and is emptied again and again.
cache=512K
while [ "$seed" -lt "$last" ]; do
	for isa in rv64gc_zba_zbb_zbs rv32gc_zba_zbb_zbs; do
		"$tool" --isa "$isa" --seed "$seed" --count 20000 --emit "$dir/program.elf" || exit 1
		timeout 300 "$run" --engine "check,jit,seed=$seed,chunk=600" --isa "$isa" --code-cache $cache \
			"$dir/program.elf" </dev/null >"$dir/out" 2>&1 || {
			cat "$dir/out"
			echo "lockstep: --isa $isa --seed $seed --count 20000 of $tool differs, --code-cache $cache"
			exit 1
		}
		tail -n 1 "$dir/out"
	done
	seed=$((seed + 1))
	[ $cache = 512K ] && cache=64M || cache=512K
done
