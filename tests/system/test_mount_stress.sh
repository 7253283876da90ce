#!/bin/bash
# 64 readers and writers on a machine's files while it runs, pauses, steps, is reset and powers off: no call hangs or
# fails as it may not, and the machine ends well. STRESS_SECONDS (3) is for how long, STRESS_SEED (1) with what
# seed; two shorter rounds follow, of a machine with more memory and of crumb.
# shellcheck source=tests/system/mount/lib.sh
. "$(dirname "$0")/mount/lib.sh"
seconds=${STRESS_SECONDS:-3}
seed=${STRESS_SEED:-1}
crumb=${BISCUIT_DATADIR:-}/crumb-rv64.elf

# stress SECONDS [gentle]: then the machine ends because it was told to, and its mount goes with it.
stress() {
	ok "64 threads for $1 s, seed $seed${2:+, $2}" timeout $((${1%.*} + 100)) "$hammer" "$dir" "$1" "$seed" ${2:+"$2"}
	ended
	ok "the machine has ended as it was told" [ $? = 7 ]
	ok "without a word" [ ! -s "$work/said" ]
	ok "the mount has gone" not is_mounted
	cat "$work/said"
	seed=$((seed + 1))
}

start || {
	grep -q 'built without' "$work/said" && skip "$(cat "$work/said")"
	cat "$work/said"
	fail "no mount"
	exit 1
}
stress "$seconds"
start ram=64
stress $(((seconds + 2) / 4))
if [ -e "$crumb" ]; then
	start "$crumb"
	stress $(((seconds + 2) / 4)) gentle
fi
exit $status
