#!/bin/bash
# crumb's disk on both devices and both widths: what the shell writes is in the host's file and nothing else is, what is
# in the file is read, and what cannot be done is refused in words.
# shellcheck disable=SC2154,SC2317 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
for width in 64 32; do
	need_file "${BISCUIT_DATADIR:-guest/crumb}/crumb-rv$width.elf" gcc-riscv64-unknown-elf
done
count=0
sectors=100

# check NAME COMMAND...: one line of TAP.
check() {
	local name=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count - $what: $name"
	else
		status=1
		echo "not ok $count - $what: $name"
		head -n 20 "$work/out" | sed 's/^/# /'
	fi
}

# crumb DRIVE COMMANDS: runs them; does crumb end well?
crumb() {
	printf '%b' "$2" | timeout 60 "$run" --isa "rv$width" ${1:+--drive "$1"} >"$work/out" 2>&1
}

says() {
	grep -Fq -- "$1" "$work/out"
}

# sector_is N TEXT: is the host's sector N full of the text, and every other one as it was?
sector_is() {
	local full
	full=$(printf '%512s' '' | sed "s/ /$2/g")
	printf '%s' "${full:0:512}" | dd of="$work/wanted" bs=512 seek="$1" conv=notrunc status=none
	cmp "$work/wanted" "$work/disk" >>"$work/out" 2>&1
}

for width in 64 32; do
	for kind in virtio native; do
		what="rv$width, $kind"
		drive="file=$work/disk,if=$kind"
		head -c $((sectors * 512)) /dev/urandom >"$work/disk"
		cp "$work/disk" "$work/wanted"

		check 'an order to say what the disk is' crumb "$drive" 'blk\n'
		check 'its device and size are right' says "$kind block device: $sectors sectors of 512 bytes, 50 KiB"

		check 'an order to fill a sector' crumb "$drive" "blk 7 $kind$width.\n"
		check 'crumb says so' says "sector 7 is full of \"$kind$width.\""
		check 'the file has it, and nothing else changed' sector_is 7 "$kind$width."
		check 'an order to fill the last sector' crumb "$drive" "blk $((sectors - 1)) end\n"
		check 'the file has that, too' sector_is $((sectors - 1)) end

		check 'an order to show both' crumb "$drive" "blk 7\nblk $((sectors - 1))\n"
		check 'the first is shown' says "  $kind$width.$kind"
		check 'the last is shown' says '65 6e 64 65 6e 64'

		check 'orders that cannot be carried out' crumb "$drive" "blk $sectors\nblk $sectors x\nblk x\n"
		check 'no read behind the end' says "sector $sectors cannot be read: it is behind the end"
		check 'no write behind the end' says "sector $sectors cannot be written: it is behind the end"
		check 'a word for a sector gets the usage' says 'usage: blk '
		check 'the file is as it was' cmp "$work/wanted" "$work/disk"

		check 'a read-only disk' crumb "$drive,readonly" 'blk\nblk 7 x\nblk 7\n'
		check 'it says that it is' says '50 KiB, read-only'
		check 'it refuses to write' says 'sector 7 cannot be written: the disk is read-only'
		check 'it reads' says "  $kind$width.$kind"
		check 'its file is as it was' cmp "$work/wanted" "$work/disk"

		check 'many orders in a row' crumb "$drive" "$(for ((i = 0; i < 60; i++)); do printf 'blk %d many\\n' "$i"; done)"
		for ((i = 0; i < 59; i++)); do
			printf 'manymanymanymany%.0s' {1..32}
		done | dd of="$work/wanted" conv=notrunc status=none
		check 'all of them are in the file' sector_is 59 many
	done
	what=rv$width
	check 'a machine without a disk' crumb '' 'blk\n'
	check 'it says that it has none' says 'this machine has no disk'
done
echo "1..$count"
exit $status
