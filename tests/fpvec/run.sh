#!/bin/sh
# Floating point against qemu-riscv64: every F and D computational instruction, results and flags, in all five rounding
# modes. Runs from the build directory. FPVEC_SEED=N chooses the vectors, FPVEC_ROUNDS=N runs that many seeds from there.
# Exits 0 if all agree, 1 if not, 77 if a tool is missing.
set -u

here=$(dirname "$0")
judge=${FPVEC:-tests/fpvec/fpvec}
qemu=${QEMU_RISCV64_USER:-qemu-riscv64}
seed=${FPVEC_SEED:-20191213}
rounds=${FPVEC_ROUNDS:-1}

skip()
{
	echo "fpvec: skipped: $1"
	exit 77
}

command -v "$qemu" >/dev/null 2>&1 || skip "no qemu-riscv64 (Debian: qemu-user)"
cc=
for candidate in ${RISCV_CC:-} riscv64-unknown-elf-gcc riscv64-linux-gnu-gcc; do
	if command -v "$candidate" >/dev/null 2>&1; then
		cc=$candidate
		break
	fi
done
[ -n "$cc" ] || skip "no RISC-V cross compiler (Debian: gcc-riscv64-unknown-elf)"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

"$cc" -std=gnu17 -O2 -Wall -Wextra -march=rv64gc -mabi=lp64d -ffreestanding -fno-pic -fno-stack-protector -nostdlib \
	-static -Wl,--build-id=none -o "$work/guest" "$here/guest.c" 2>"$work/cc.log" || {
	cat "$work/cc.log"
	echo "fpvec: $cc cannot build the guest"
	exit 1
}

while [ "$rounds" -gt 0 ]; do
	echo "fpvec: seed $seed"
	"$qemu" "$work/guest" "$seed" | "$judge" "$seed" || {
		echo "fpvec: FAILED; again with FPVEC_SEED=$seed $0"
		exit 1
	}
	seed=$((seed + 1))
	rounds=$((rounds - 1))
done
