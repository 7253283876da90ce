#!/bin/sh
# docs/devices.md names every register, bit and value of modules/device/native_regs.def in the device's own section.
srcdir=${srcdir:-.}

awk -v doc="$srcdir/docs/devices.md" '
BEGIN {
	while ((getline line < doc) > 0) {
		if (line ~ /^### Slot [0-9]+/) {
			split(line, word, /[ :]+/)
			section = word[3]
		} else if (line ~ /^## Standard/) {
			section = "rest"
		}
		text[section] = text[section] " " line
	}
}
function need(device, name) {
	rows++
	if (text[device == "NATIVE" ? "" : slot[device]] !~ ("(^|[^A-Z_])" name "([^A-Z_]|$)")) {
		print "docs/devices.md: nothing about " device " " name
		missing++
	}
}
/^(SLOT|REG|BIT|BITS|VALUE)\(/ {
	kind = substr($0, 1, index($0, "(") - 1)
	split(substr($0, index($0, "(") + 1), field, /, */)
	if (kind == "SLOT")
		slot[field[1]] = field[2]
	else if (kind == "BITS")
		need(field[1], field[5])
	else if (kind == "BIT")
		need(field[1], field[4])
	else
		need(field[1], field[3])
}
END {
	if (rows < 50) {
		print "native_regs.def: only " rows + 0 " rows found"
		exit 1
	}
	exit missing > 0
}' "$srcdir/modules/device/native_regs.def"
