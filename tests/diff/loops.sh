#!/bin/sh
# Random programs of hot loops on two engines in lockstep: loops.sh [SECONDS]. Runs from the build directory; programs of
# either width follow each other for that long, by default 12 seconds, with pieces of different lengths between
# comparisons and every third with a code cache that is too small. BISCUIT_SEED=N chooses the first. Exits 77 where there
# is one engine alone.
# shellcheck source=tests/diff/lib.sh
. "$(dirname "$0")/lib.sh"
end=$(($(date +%s) + ${1:-12}))

programs=0
while [ "$programs" -lt 2 ] || [ "$(date +%s)" -lt "$end" ]; do
	width=64
	[ $((seed % 2)) = 0 ] || width=32
	case $((seed % 5)) in
	0) length=2000 ;;
	1 | 2) length=10000 ;;
	*) length=60000 ;;
	esac
	room=64M
	[ $((seed % 3)) != 0 ] || room=512K
	follow "rv${width}gc_zba_zbb_zbs" $length $room 120 --loops --count 1000 --per-program 1000
	seed=$((seed + 1))
	programs=$((programs + 1))
done
echo "loops: $programs programs; the last one: $(tail -n 1 "$dir/out")"
