#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh PROGRAM SECONDS SEED: runs it so long, and says in TAP what came of it. LOGDIR gets its output.
set -uo pipefail
program=$1 seconds=$2 seed=$3
log=$LOGDIR/cpus.log

echo 1..1
# ThreadSanitizer wants the address space as it is without randomisation; the first report ends the run.
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 timeout $((seconds + 60)) \
	setarch "$(uname -m)" -R "$program" "$seconds" "$seed" > "$log" 2>&1
rc=$?
sum=$(tail -n 1 "$log")
last=$(sed -n 's/^seed //p' "$log" | tail -n 1)
if [ $rc -eq 0 ] && [[ $sum == *" machines, "* ]]; then
	echo "ok 1 - CPUs at once: $sum; seeds $seed to $last"
else
	echo "not ok 1 - CPUs at once: status $rc with SEED=$last, see ${log##*/}"
	tail -n 60 "$log" | sed 's/^/# /'
fi
