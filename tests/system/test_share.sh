#!/bin/bash
# Shared folders in a guest with Debian's kernel: what its programs do to them is so on the host, what the host does shows
# in the guest, and each share is as its options say.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian

# --- The host's side ---

dir=$work/dir
mkdir -p "$dir"/{sub/deep,empty} "$work"/{ro,kept,hosts,tools}
echo hello >"$dir/hello"
echo deep >"$dir/sub/deep/file"
head -c 3000000 /dev/urandom >"$dir/big"
ln -s hello "$dir/link"
ln "$dir/hello" "$dir/twin"
echo secret >"$work/secret"
ln -s "$work/secret" "$dir/out"
echo 'a name' >"$dir/it's a \"name\" — ünïcode"
touch "$dir/$(printf 'n%.0s' {1..255})"
echo fixed >"$work/ro/fixed"
big_sum=$(sha256sum <"$dir/big" | cut -d' ' -f1)
calls='share-mapping private-mapping unlinked renamed truncated ranges flock listed exclusive'
if [ -n "${RISCV_CC:-}" ] || command -v riscv64-unknown-elf-gcc >/dev/null; then
	${RISCV_CC:-riscv64-unknown-elf-gcc} -std=gnu17 -O2 -march=rv64gc -mabi=lp64d -ffreestanding -nostdlib -static \
		-o "$work/tools/calls" "$(dirname "$0")/share_calls.c" || exit 1
else
	calls=
fi
shares=(--share "$dir" --share "$work/ro,ro" --share "$work/kept,owner=mapped" --share "$work/tools,ro,name=tools of ours")
[ "$(id -u)" != 0 ] || shares+=(--share "$work/hosts,owner=host,name=root's")

# shellcheck disable=SC2016
obey='stty -echo; while read -r order; do eval "$order"; done'
mount='mount -t 9p -o trans=virtio,version=9p2000.L'

# --- The orders ---

looking_orders() {
	cat <<END
check 30 a share is mounted by hand: $mount dir /mnt
check 30 its names are there: [ "\$(ls /mnt | wc -l)" = 9 ] && ls -l /mnt
check 30 a file is read: [ "\$(cat /mnt/hello)" = hello ] && [ "\$(cat /mnt/sub/deep/file)" = deep ]
check 30 a large file is read: echo "$big_sum  /mnt/big" | sha256sum -c
check 30 a link is read and followed: [ "\$(readlink /mnt/link)" = hello ] && [ "\$(cat /mnt/link)" = hello ]
check 30 a hard link is one: [ \$(stat -c %h /mnt/twin) = 2 ] && [ \$(stat -c %i /mnt/twin) = \$(stat -c %i /mnt/hello) ]
check 30 a link to the host's files leads nowhere: [ "\$(readlink /mnt/out)" = "$work/secret" ] && ! cat /mnt/out
check 30 names of any bytes: [ "\$(cat "/mnt/it's a \"name\" — ünïcode")" = 'a name' ] && [ -f /mnt/\$(printf 'n%.0s' \$(seq 255)) ]
check 30 find sees the whole tree: [ \$(find /mnt | wc -l) = 12 ]
check 30 the owner is who looks: [ "\$(stat -c %u:%g /mnt/hello)" = 0:0 ]
check 30 df tells of the host's disk: df -T /mnt | grep 9p && [ \$(df -k /mnt | tail -n 1 | awk '{ print \$2 }') -gt 1000 ]
END
}

writing_orders() {
	cat <<END
check 30 a file is written: echo from the guest >/mnt/new
host and is on the host: [ "\$(cat $dir/new)" = 'from the guest' ] && [ "\$(stat -c %u $dir/new)" = \$(id -u) ]
check 30 cp: cp /mnt/big /mnt/copy
host cp's copy is the same: cmp $dir/big $dir/copy
check 30 mv: mv /mnt/copy /mnt/moved && mv /mnt/moved /mnt/empty/
host mv has moved it: [ -f $dir/empty/moved ] && [ ! -e $dir/copy ] && [ ! -e $dir/moved ]
check 30 mv over another file: echo 1 >/mnt/one && echo 2 >/mnt/two && mv /mnt/one /mnt/two
host mv has replaced it: [ "\$(cat $dir/two)" = 1 ] && [ ! -e $dir/one ]
check 30 mkdir and rmdir: mkdir -p /mnt/a/b/c && rmdir /mnt/a/b/c && ! rmdir /mnt/a
host they have made and removed folders: [ -d $dir/a/b ] && [ ! -e $dir/a/b/c ]
check 30 rm: rm /mnt/two && rm -r /mnt/a && ! cat /mnt/two
host rm has removed them: [ ! -e $dir/two ] && [ ! -e $dir/a ]
check 30 ln -s: ln -s sub/deep/file /mnt/short && [ "\$(cat /mnt/short)" = deep ]
host ln -s has made a link: [ "\$(readlink $dir/short)" = sub/deep/file ]
check 30 ln: ln /mnt/new /mnt/newer && [ \$(stat -c %h /mnt/new) = 2 ]
host ln has made one, too: [ $dir/new -ef $dir/newer ]
check 30 append: echo more >>/mnt/new && [ \$(wc -l </mnt/newer) = 2 ]
check 30 truncate: cp /mnt/big /mnt/cut && truncate -s 1000 /mnt/cut && [ \$(wc -c </mnt/cut) = 1000 ] && : >/mnt/new && [ ! -s /mnt/newer ]
host truncate has cut: [ \$(stat -c %s $dir/cut) = 1000 ] && [ ! -s $dir/new ]
check 30 a hole stays one: dd if=/dev/zero of=/mnt/hole bs=1 count=1 seek=1G && [ \$(du -k /mnt/hole | cut -f1) -lt 100 ]
check 30 chmod and touch: chmod 640 /mnt/cut && touch -d @1000000000 /mnt/cut && [ "\$(stat -c %a:%Y /mnt/cut)" = 640:1000000000 ]
host chmod and touch have had their way: [ "\$(stat -c %a:%Y $dir/cut)" = 640:1000000000 ]
check 30 chown to anybody: chown 1000:1000 /mnt/cut
host chown has changed nobody: [ "\$(stat -c %u $dir/cut)" = \$(id -u) ]
check 30 a file that is open is removed: exec 3<>/mnt/open && echo written >&3 && rm /mnt/open && [ "\$(cat /proc/self/fd/3)" = written ] && echo again >&3; s=\$?; exec 3>&-; [ \$s = 0 ]
check 90 writers in parallel: for i in 1 2 3 4; do (cp /mnt/big /mnt/p\$i && cat /mnt/p\$i >/mnt/q\$i) & done; wait
host each has written its own: for i in 1 2 3 4; do cmp $dir/big $dir/p\$i && cmp $dir/big $dir/q\$i || exit; done
check 90 a file of 8 MiB: dd if=/dev/urandom of=/mnt/large bs=1M count=8 && sync && sha256sum </mnt/large >/mnt/large.sum
host it is the same on the host: [ "\$(sha256sum <$dir/large)" = "\$(cat $dir/large.sum)" ]
check 30 a program runs from a share: cp /bin/busybox /mnt/ && [ "\$(/mnt/busybox echo works)" = works ]
END
}

host_orders() {
	cat <<END
host the host writes: echo from the host >$dir/hello && echo added >$dir/added && rm $dir/twin && mv $dir/newer $dir/renamed
check 30 it shows at once: [ "\$(cat /mnt/hello)" = 'from the host' ] && [ "\$(cat /mnt/added)" = added ] && [ ! -e /mnt/twin ] && [ -e /mnt/renamed ]
check 30 a file is open in the guest: exec 4</mnt/added && read -r line <&4 && [ "\$line" = added ]
host the host appends: echo and more >>$dir/added
check 30 what is open has it: read -r line <&4 && [ "\$line" = 'and more' ] && [ \$(stat -c %s /mnt/added) = 15 ]
host the host cuts it: : >$dir/added
check 30 it is empty in the guest: [ \$(stat -c %s /mnt/added) = 0 ] && [ -z "\$(cat /mnt/added)" ] && exec 4<&-
host the host replaces a file: echo replaced >$dir/x && mv $dir/x $dir/added
check 30 its name is the new one: [ "\$(cat /mnt/added)" = replaced ]
END
}

option_orders() {
	cat <<END
send umount /mnt
check 30 mount -a mounts them all: mount -a && [ \$(grep -c 9p /proc/mounts) = $((${#shares[@]} / 2)) ] && [ -f "/mnt/tools of ours/calls" -o -z "$calls" ]
check 30 a read-only share is read: [ "\$(cat /mnt/ro/fixed)" = fixed ]
check 30 and refuses every change: cd /mnt/ro && for c in 'touch new' 'rm fixed' 'mv fixed x' 'mkdir x' 'ln fixed x' 'ln -s fixed x' 'chmod 777 fixed' 'truncate -s 0 fixed' 'touch fixed' 'mknod x p'; do \$c && break; \$c 2>&1 | grep -q 'Read-only' || break; false; done; [ \$? = 1 ] && cd /
host nothing has changed there: [ "\$(ls -A $work/ro)" = fixed ] && [ "\$(cat $work/ro/fixed)" = fixed ]
check 30 owners are kept: cd /mnt/kept && echo x >file && chown 1000:2000 file && chmod 4711 file && mkdir -m 1777 folder && chown 7:8 folder && [ "\$(stat -c %u:%g:%a file folder | tr '\n' ' ')" = '1000:2000:4711 7:8:1777 ' ]
host the host's user has them: [ "\$(stat -c %u $work/kept/file)" = \$(id -u) ] && [ ! -u $work/kept/file ]
check 30 a device node is only kept: mknod null c 1 3 && [ "\$(stat -c %F null)" = 'character special file' ]
host it is none on the host: [ -f $work/kept/null ]
check 30 and works in the guest: echo x >null && [ -z "\$(cat null)" ] && cd /
check 30 owners outlast a mount: umount /mnt/kept && mount kept && [ "\$(stat -c %u:%g:%a /mnt/kept/file)" = 1000:2000:4711 ]
END
	[ "$(id -u)" = 0 ] && cat <<END
check 30 the host's owners: cd "/mnt/root's" && echo x >file && chown 1000:2000 file && chmod 4711 file && [ "\$(stat -c %u:%g:%a file)" = 1000:2000:4711 ] && cd /
host are changed: [ "\$(stat -c %u:%g:%a $work/hosts/file)" = 1000:2000:4711 ]
END
	local name
	if [ -n "$calls" ]; then
		echo "check 30 for shared mappings it takes cache=mmap: umount /mnt/dir && $mount,cache=mmap,msize=512000 dir /mnt/dir"
	fi
	for name in $calls; do
		echo "check 30 calls, $name: '/mnt/tools of ours/calls' $name /mnt/dir"
	done
	[ -z "$calls" ] || cat <<END
check 30 what was mapped is synced: sync
host what was written to a mapping is in the file: [ "\$(tail -c +8191 $dir/mapped | head -c 6)" = mapped ]
END
}

{
	cat <<-END
		expect 240 init: begins
		expect 120 / #
		send $obey
	END
	looking_orders
	writing_orders
	host_orders
	option_orders
	cat <<-END
		check 30 no complaint of the kernel: ! dmesg | grep -iE '9p(net)?: .*(fail|err|bug|invalid)|BUG:|WARNING:|Oops'
		send poweroff
		end 60 0
	END
} >"$work/orders"
talk share --linux debian "${shares[@]}" <"$work/orders"
exit $status
