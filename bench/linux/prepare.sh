#!/bin/sh
# Makes what the Linux part of make bench needs: prepare.sh FOLDER PROGRAM... fills FOLDER with the kernel of the Debian
# guest, its initial RAM disk with each PROGRAM, linux-NAME, added as /bin/bench-NAME, and a disk of 256 MiB. Without a
# Debian guest FOLDER stays empty.
set -eu
folder=$1
shift
guest=${BISCUIT_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/biscuit}/linux/debian
rm -rf "$folder"
mkdir -p "$folder/add/bin"
if [ ! -e "$guest/stamp" ] || ! command -v cpio >/dev/null; then
	echo "bench: no Linux: it needs cpio and tools/debian-guest fetch" >&2
	exit
fi
for program; do
	cp "$program" "$folder/add/bin/bench-${program##*/linux-}"
done
# The kernel takes several archives one after the other.
cp "$guest/initrd" "$folder/initrd"
(cd "$folder/add" && find . | cpio --quiet -o -H newc -R 0:0) >>"$folder/initrd"
truncate -s 256M "$folder/disk.img"
ln -s "$guest/kernel" "$folder/kernel"
rm -r "$folder/add"
