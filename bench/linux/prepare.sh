#!/bin/sh
# Makes what the Linux part of make bench needs: prepare.sh FOLDER APPS PROGRAM... fills FOLDER with the kernel of the
# Debian guest, its initial RAM disk with each PROGRAM, linux-NAME, added as /bin/bench-NAME, and with the script APPS
# as /bin/bench-apps, and a disk of 256 MiB. Where Debian's programs have been unpacked in the cache for it (apps), it
# also gets a disk with them, apps.img, which stays in the cache. Without a Debian guest FOLDER stays empty.
set -eu
PATH=$PATH:/usr/sbin:/sbin
folder=$1
apps_script=$2
shift 2
cache=${BISCUIT_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/biscuit}/linux
guest=$cache/debian
apps=$cache/apps
rm -rf "$folder"
mkdir -p "$folder/add/bin"
if [ ! -e "$guest/stamp" ] || ! command -v cpio >/dev/null; then
	echo "bench: no Linux: it needs cpio and tools/debian-guest fetch" >&2
	exit
fi
install -m 755 "$apps_script" "$folder/add/bin/bench-apps"
for program; do
	cp "$program" "$folder/add/bin/bench-${program##*/linux-}"
done
# The kernel takes several archives one after the other.
cp "$guest/initrd" "$folder/initrd"
(cd "$folder/add" && find . | cpio --quiet -o -H newc -R 0:0) >>"$folder/initrd"
truncate -s 256M "$folder/disk.img"
ln -s "$guest/kernel" "$folder/kernel"
rm -r "$folder/add"

# The packages as a disk, made anew when they are.
if [ ! -e "$apps/.packages" ] || ! command -v mke2fs >/dev/null; then
	echo "bench: no programs in Linux: that needs mke2fs and tools/debian-guest packages $apps" \
		"xz-utils gzip python3-minimal openssl gcc libc6-dev make dash coreutils" >&2
	exit
fi
if ! cmp -s "$apps/.packages" "$cache/apps.made"; then
	echo "bench: making a disk of $apps" >&2
	rm -f "$cache/apps.img" "$cache/apps.made"
	mke2fs -q -F -t ext4 -O ^has_journal -L apps -E root_owner=0:0 -d "$apps" "$cache/apps.img" 1G
	cp "$apps/.packages" "$cache/apps.made"
fi
ln -s "$cache/apps.img" "$folder/apps.img"
