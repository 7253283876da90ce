#!/bin/sh
# Random programs of hot loops on two engines in lockstep: loops.sh [SECONDS]. Runs from the build directory; programs of
# either width follow each other for that long, by default 12 seconds, with pieces of different lengths between
# comparisons and every third with a code cache that is too small. BISCUIT_SEED=N chooses the first. Exits 77 where there
# is one engine alone.
set -u

tool=${FUZZ_DIFF:-tests/diff/fuzz-diff}
run=${BISCUIT_RUN:-./biscuit-run}
seed=${BISCUIT_SEED:-20191213}
end=$(($(date +%s) + ${1:-12}))
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

case " ${BISCUIT_ENGINES:-interp jit} " in
*" jit "*) ;;
*)
	echo "skipped: there is no engine to compare with the interpreter"
	exit 77
	;;
esac
echo "loops: seed $seed (BISCUIT_SEED=$seed repeats this run)"
programs=0
while [ "$programs" -lt 2 ] || [ "$(date +%s)" -lt "$end" ]; do
	isa=rv64gc_zba_zbb_zbs
	[ $((seed % 2)) = 0 ] || isa=rv32gc_zba_zbb_zbs
	case $((seed % 5)) in
	0) chunk=2000 ;;
	1 | 2) chunk=10000 ;;
	*) chunk=60000 ;;
	esac
	cache=64M
	[ $((seed % 3)) != 0 ] || cache=512K
	"$tool" --isa "$isa" --seed "$seed" --loops --count 1000 --per-program 1000 --emit "$dir/program.elf" || exit 1
	timeout 120 "$run" --engine "check,jit,seed=$seed,chunk=$chunk" --isa "$isa" --code-cache $cache \
		"$dir/program.elf" </dev/null >"$dir/out" 2>&1 || {
		cat "$dir/out"
		echo "loops: --loops --isa $isa --seed $seed --per-program 1000 of $tool differs, --code-cache $cache"
		exit 1
	}
	seed=$((seed + 1))
	programs=$((programs + 1))
done
echo "loops: $programs programs; the last one: $(tail -n 1 "$dir/out")"
