#!/bin/sh
# Random programs on two engines in lockstep (--engine check): lockstep.sh [PROGRAMS]. Runs from the build directory.
# BISCUIT_SEED=N chooses the programs; PROGRAMS of each width, by default 3, execute more than a million instructions
# each. Exits 77 where there is one engine alone.
# shellcheck source=tests/diff/lib.sh
. "$(dirname "$0")/lib.sh"
last=$((seed + ${1:-3}))

# Every other seed with a code cache that is too room for the program, and is emptied again and again.
room=512K
while [ "$seed" -lt "$last" ]; do
	for width in 64 32; do
		follow "rv${width}gc_zba_zbb_zbs" 600 $room 300 --count 20000
		tail -n 1 "$dir/out"
	done
	seed=$((seed + 1))
	[ $room = 512K ] && room=64M || room=512K
done
