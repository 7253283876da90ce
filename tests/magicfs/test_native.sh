#!/bin/sh
# The table of cases and random operations through slot 4, from bare guests of both widths.
run=$(dirname "$0")/run.sh
status=0
for face in rv64 rv32; do
	STRESS_SECONDS=${STRESS_SECONDS:-4} "$run" $face --stress || status=$?
	[ $status -le 1 ] || exit $status
done
exit $status
