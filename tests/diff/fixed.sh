#!/bin/sh
# The fixed cases on Biscuit, and on QEMU where it is installed. Runs from the build directory.
set -u

tool=${FUZZ_DIFF:-tests/diff/fuzz-diff}
BISCUIT_RUN=${BISCUIT_RUN:-./biscuit-run}
export BISCUIT_RUN

[ -x "$BISCUIT_RUN" ] || {
	echo "fixed.sh: there is no $BISCUIT_RUN"
	exit 1
}
exec "$tool" --fixed "$(dirname "$0")"/cases/*.case
