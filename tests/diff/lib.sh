# What lockstep.sh and loops.sh have in common; sourced from the build directory. Leaves in $dir, which goes in the end.
# shellcheck shell=sh
set -u

tool=${FUZZ_DIFF:-tests/diff/fuzz-diff}
run=${BISCUIT_RUN:-./biscuit-run}
seed=${BISCUIT_SEED:-20191213}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

case " ${BISCUIT_ENGINES:-interp jit} " in
*" jit "*) ;;
*)
	echo "skipped: there is no engine to compare with the interpreter"
	exit 77
	;;
esac
echo "${0##*/}: seed $seed (BISCUIT_SEED=$seed repeats this run)"

# follow ISA CHUNK CACHE SECONDS OPTIONS...: runs the program that $seed and these options give on both engines, in
# lockstep. The test ends where they differ; what was said is in $dir/out.
follow() {
	isa=$1 chunk=$2 cache=$3 seconds=$4
	shift 4
	"$tool" --isa "$isa" --seed "$seed" "$@" --emit "$dir/program.elf" || exit 1
	timeout "$seconds" "$run" --engine "check,jit,seed=$seed,chunk=$chunk" --isa "$isa" --code-cache "$cache" \
		"$dir/program.elf" </dev/null >"$dir/out" 2>&1 || {
		cat "$dir/out"
		echo "${0##*/}: the program of $tool --isa $isa --seed $seed $* differs, --code-cache $cache"
		exit 1
	}
}
