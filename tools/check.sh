#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Static checks; every one runs, and the exit status says if one complained. Arguments choose:
# spdx format shell cppcheck sparse locks tidy analyzer clang.
set -uo pipefail
. "$(dirname "$0")/common.sh"
cd "$TOP" || exit 1

[ $# -gt 0 ] || set -- spdx format shell cppcheck sparse locks tidy analyzer clang
failed=()

# sources PATTERN...: our files, committed or not.
sources()
{
	git ls-files -co --exclude-standard -- "$@" | while read -r f; do
		[ ! -f "$f" ] || printf '%s\n' "$f"
	done
}

# quiet_make DIRECTORY ARGUMENT...: a build that has only to succeed.
quiet_make()
{
	local dir=$1

	shift
	env -u MAKEFLAGS -u MFLAGS "${MAKE:-make}" -s -j "$(nproc)" -C "$dir" \
		CROSS_COMPILE="$CROSS_COMPILE" "$@" > /dev/null
}

check_spdx()
{
	local f rc=0

	while read -r f; do
		case $f in
		COPYING | LICENSE* | *.gif | *.png | *.svg | *.bin | *.json) continue ;;
		esac
		if ! head -n 5 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-only'; then
			echo "$f: no SPDX line"
			rc=1
		fi
		if grep -nF "$TOP/" "$f" /dev/null; then
			echo "$f: a path of this machine"
			rc=1
		fi
	done < <(sources)
	return $rc
}

check_format()
{
	sources '*.c' '*.h' | xargs -r clang-format --dry-run -Werror
}

# comparePointers: the ends of what assembly brings in are symbols of their own.
check_cppcheck()
{
	local rc=0 piece

	for piece in hyp module vmm guest tests; do
		[ -n "$(sources "$piece/*.c")" ] || continue
		sources "$piece/*.c" | cppcheck -q --suppress=comparePointers --file-list=- -j "$(nproc)" \
			--enable=warning,performance,portability --inline-suppr --std=c11 \
			--platform=unix64 --error-exitcode=1 --max-configs=4 \
			-I include -I "$piece" -I hyp \
			--suppress=missingInclude --suppress=missingIncludeSystem \
			--suppress=unmatchedSuppression --suppress=unknownMacro \
			--suppress=nullPointerArithmeticRedundantCheck || rc=1
	done
	return $rc
}

# The image: sparse by itself. The module: through kbuild, as kernel code is checked.
check_sparse()
{
	local out rc=0 gcc_include

	gcc_include=$("${CROSS_COMPILE}gcc" -print-file-name=include)
	out=$(sources 'hyp/*.c' | xargs -r -n 1 sparse --arch=arm64 -std=gnu11 -nostdinc \
		-isystem "$gcc_include" -ffreestanding -D__aarch64__ -D__LP64__ \
		-Wbitwise -Wcast-to-as -Wdecl -Wno-transparent-union \
		-Iinclude -Ihyp -Ihyp/include 2>&1)
	if [ -n "$out" ]; then
		printf '%s\n' "$out"
		rc=1
	fi
	if [ -f module/Makefile ] && [ -e "$BUILD/kernel/$HOST/headers" ]; then
		local dir=$BUILD/check/module

		out=$(O=$dir "${MAKE:-make}" -C module KDIR="$BUILD/kernel/$HOST/headers" \
			HYP_BIN="${HYP_BIN:-$BUILD/hyp/stockade-hyp.bin}" \
			CROSS_COMPILE="$CROSS_COMPILE" C=2 \
			CHECK="sparse -Wno-unknown-attribute" 2>&1) || rc=1
		# Only what is about our files.
		if [ $rc -ne 0 ] || grep -E "^($dir|$TOP)/[^:]*:[0-9:]+ (warning|error)" <<<"$out" |
			grep -vF "$BUILD/kernel/"; then
			[ $rc -eq 0 ] || tail -n 20 <<<"$out"
			rc=1
		fi
	fi
	return $rc
}

# The locks of hyp/, by Clang's thread-safety analysis (hyp/lib/lock_check.h); and that it sees what it is there for.
check_locks()
{
	local clang=(clang --target=aarch64-linux-gnu -std=gnu11 -ffreestanding -march=armv8-a
		-mgeneral-regs-only -Iinclude -Ihyp -DSTOCKADE_TEST -fsyntax-only
		-Wthread-safety -Werror=thread-safety)
	local bad=tests/check/lock_misuse.c last n rc=0 said

	sources 'hyp/*.c' | grep -v asm-offsets | xargs -r -n 1 -P "$(nproc)" "${clang[@]}" || rc=1
	last=$(sed -n 's/^#define LAST_MISUSE //p' "$bad")
	"${clang[@]}" -DMISUSE=0 "$bad" || rc=1
	for ((n = 1; n <= last; n++)); do
		said=$("${clang[@]}" -DMISUSE=$n "$bad" 2>&1)
		if ! grep -q 'error:.*\[-Werror,-Wthread-safety' <<<"$said" ||
			grep 'error:' <<<"$said" | grep -v Wthread-safety; then
			echo "$bad: misuse $n goes unnoticed"
			rc=1
		fi
	done
	return $rc
}

# Scripts, of the build machine and of the booted host, whatever their names.
check_shell()
{
	sources | while read -r f; do
		! head -n 1 "$f" | grep -aqE '^#!/bin/(ba)?sh' || printf '%s\n' "$f"
	done | xargs -r shellcheck tools/common.sh
}

# clang-tidy on all C, each file as it is compiled; .clang-tidy says what is off. Hypervisor and module must have
# been built: for a header that is made then, and for kbuild's commands.
check_tidy()
{
	local dir=$BUILD/check/tidy

	if [ ! -e "$BUILD/module/$HOST/.main.o.cmd" ] || [ ! -e "$BUILD/hyp/asm-offsets.h" ]; then
		echo "tidy: the module is not built ('make module')"
		return 1
	fi
	mkdir -p "$dir"
	tools/compile-commands.py "$BUILD" "$BUILD/module/$HOST" "$BUILD/kernel/$HOST/headers" \
		> "$dir/compile_commands.json" || return 1
	# asm-offsets.c becomes a header, tests/check is wrong on purpose, tests/proof is in CBMC's C, and
	# tests/mutation's driver includes what is generated.
	sources '*.c' | grep -vE '^hyp/arch/asm-offsets\.c$|^tests/(check|proof|mutation)/' |
		xargs tools/tidy.py "$dir"
}

# gcc's analyzer, on the hypervisor and the command. Without optimisation, which takes out what is wrong without
# effect, a second free() for one. Not on the module: it does not know kmalloc(), and kbuild's flags make every
# variable start as zero, so that it finds nothing. Not on the tests, whose assertions it does not know either.
check_analyzer()
{
	local gcc="${CROSS_COMPILE}gcc -fanalyzer" rc=0

	quiet_make hyp O="$BUILD/check/analyzer/hyp" CC="$gcc" TEST=1 OPTIMIZE=-O0 || rc=1
	quiet_make vmm O="$BUILD/check/analyzer/vmm" CC="$gcc" LIBFDT="$BUILD/sysroot/usr" \
		OPTIMIZE='-O0 -U_FORTIFY_SOURCE' || rc=1
	return $rc
}

# The hypervisor as clang compiles it, with and without its check of itself. The linker script refuses an image
# with a GOT or relocations; the system tests boot it (TEST_ALL=1).
check_clang()
{
	local rc=0 test

	for test in "" 1; do
		quiet_make hyp O="$BUILD/check/clang$test" CC=clang TEST="$test" || rc=1
	done
	return $rc
}

for what in "$@"; do
	say check "$what"
	"check_$what" || failed+=("$what")
done
if [ ${#failed[@]} -gt 0 ]; then
	say check "complaints: ${failed[*]}"
	exit 1
fi
say check "no complaints"
