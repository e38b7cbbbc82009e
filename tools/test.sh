#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs layers of tests: test.sh unit|system... Each layer is tests/LAYER/Makefile with a target
# "test" that leaves TAP logs (*.tap) in $(LOGDIR), or an executable tests/LAYER/run with LOGDIR in
# its environment. T=NAME chooses tests, TEST_ALL=1 asks for the slow ones. Ends with the sum.
set -uo pipefail
. "$(dirname "$0")/common.sh"

dirs=()
for layer in "$@"; do
	export LOGDIR=$BUILD/log/$layer O=$BUILD/tests/$layer TOP BUILD HOST CROSS_COMPILE
	rm -rf "$LOGDIR"
	mkdir -p "$LOGDIR" "$O"
	dirs+=("$LOGDIR")
	start=$SECONDS
	say test "$layer"
	rc=0
	if [ -f "$TOP/tests/$layer/Makefile" ]; then
		"${MAKE:-make}" -C "$TOP/tests/$layer" O="$O" LOGDIR="$LOGDIR" \
			CROSS_COMPILE="$CROSS_COMPILE" test || rc=$?
	elif [ -x "$TOP/tests/$layer/run" ]; then
		"$TOP/tests/$layer/run" || rc=$?
	else
		say test "$layer: none"
	fi
	# A runner that fails must show, whatever its logs say.
	if [ $rc -ne 0 ] && "$TOP/tools/tap-sum.py" "$LOGDIR" > /dev/null; then
		printf '1..1\nnot ok 1 - the runner of %s ended with status %d\n' "$layer" $rc \
			> "$LOGDIR/runner.tap"
	fi
	say test "$layer: $((SECONDS - start)) s, logs in ${LOGDIR#"$TOP"/}"
done
exec "$TOP/tools/tap-sum.py" "${dirs[@]}"
