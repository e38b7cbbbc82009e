#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# run.sh NAME PROGRAM SECONDS CORPUS SEEDS: runs a fuzzer so long, and says in TAP what came of it. LOGDIR gets
# its output, and inputs that crash: PROGRAM FILE runs one again.
set -uo pipefail
name=$1 program=$2 seconds=$3 corpus=$4 seeds=$5
log=$LOGDIR/$name.log

echo 1..1
timeout $((seconds + 120)) "$program" -max_total_time="$seconds" -max_len=4096 -timeout=30 \
	-print_final_stats=1 -artifact_prefix="$LOGDIR/$name-" "$corpus" "$seeds" > "$log" 2>&1
rc=$?
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
if [ $rc -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
	echo "ok 1 - $name: $runs runs in $seconds s, no crash"
else
	echo "not ok 1 - $name: status $rc after ${runs:-0} runs, see ${log##*/} and ${name}-* beside it"
	tail -n 40 "$log" | sed 's/^/# /'
fi
