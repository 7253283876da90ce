#!/bin/bash
# Debian's git, tar and cp work on a shared folder: they come from a second one, which has Debian's riscv64 packages, and
# run in a chroot of a guest with Debian's kernel. The host's own git and diff look at what they made.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian
tools=$cache/packages
[ -x "$tools/usr/bin/git" ] && [ -e "$tools/.packages" ] ||
	skip "there are no packages for riscv64: run ./quickstart check, or tools/debian-guest packages $tools dash coreutils diffutils git tar linux-libc-dev"
need_command git git

# A small tree that git is to keep, and one with all the headers that a kernel has for programs, kept by the host's git.
files=$work/files
export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1
git config --global user.name Biscuit
git config --global user.email biscuit@example.org
git config --global init.defaultBranch main
mkdir -p "$files"/{repo/script,kernel}
cp -r "$tools/usr/include/asm-generic" "$files/repo/"
echo 'echo run' >"$files/repo/script/run" && chmod 755 "$files/repo/script/run"
ln -s script/run "$files/repo/run"
cp -r "$tools"/usr/include/{linux,rdma,drm,sound,scsi,video,misc,mtd,xen} "$tools/usr/lib/linux/uapi" "$files/kernel/"
ln -s linux "$files/kernel/link"
(cd "$files/kernel" && git init -q && git add . && git commit -qm 'All headers') || exit 1
count=$(find "$files/kernel" -path '*/.git' -prune -o -type f -print | wc -l)

# Everything of a tree but the times of its folders.
# shellcheck disable=SC2016
listing='find . -name .git -prune -o \( -type d -printf "%P %M\n" -o -printf "%P %M %s %Ts %l\n" \) | sort'
# shellcheck disable=SC2016
obey='stty -echo; while read -r order; do eval "$order"; done'

{
	cat <<-END
		expect 240 init: begins
		expect 120 / #
		send $obey
		send mkdir -p /mnt/tools && mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose tools /mnt/tools
		send mount --bind /dev /mnt/tools/dev && mount -t proc proc /mnt/tools/proc && mount -t tmpfs tmpfs /mnt/tools/tmp && mount -t tmpfs tmpfs /mnt/tools/root
		send in_tools() { HOME=/root PATH=/usr/bin chroot /mnt/tools "\$@"; }
		check 60 the shares are mounted: mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 files /mnt/tools/mnt
		check 60 git's settings: for c in 'user.name Biscuit' 'user.email biscuit@example.org' 'init.defaultBranch main'; do in_tools git config --global \$c || break; done
		check 60 git init: in_tools git -C /mnt/repo init && [ -d /mnt/tools/mnt/repo/.git ]
		check 60 git add: in_tools git -C /mnt/repo add .
		check 60 git commit: in_tools git -C /mnt/repo commit -qm 'From the guest'
		check 60 git status is clean: [ -z "\$(in_tools git -C /mnt/repo status --porcelain)" ]
		host the host's git finds no fault: cd $files/repo && git fsck --strict --no-progress && [ "\$(git log --format=%s)" = 'From the guest' ]
		host nothing is missing: cd $files/repo && [ -z "\$(git status --porcelain)" ] && [ "\$(git ls-files -s run script/run | cut -c1-6 | tr '\n' ' ')" = '120000 100755 ' ] && diff -r asm-generic $tools/usr/include/asm-generic
		host the host edits and commits: cd $files/repo && echo >>script/run && git commit -qam 'From the host' && echo edited >>script/run && echo new >new
		check 60 git status sees the host's edits: [ "\$(in_tools git -C /mnt/repo status --porcelain | tr '\n' ' ')" = ' M script/run ?? new ' ]
		check 60 git log sees the host's commit: [ "\$(in_tools git -C /mnt/repo log --format=%s | tr '\n' ,)" = 'From the host,From the guest,' ]
		check 60 git diff: in_tools git -C /mnt/repo diff | grep '^+edited'
		check 120 git clone: in_tools git clone -q /mnt/repo /mnt/clone && [ "\$(in_tools git -C /mnt/clone rev-parse HEAD)" = "\$(in_tools git -C /mnt/repo rev-parse HEAD)" ]
		host the clone is one: cd $files/clone && git fsck --strict --no-progress && [ -z "\$(git status --porcelain)" ] && diff -r asm-generic ../repo/asm-generic
		check 180 git switch, merge and gc: in_tools git -C /mnt/clone switch -qc side HEAD~1 && echo side >/mnt/tools/mnt/clone/side && in_tools git -C /mnt/clone add side && in_tools git -C /mnt/clone commit -qm side && in_tools git -C /mnt/clone merge -q -m merged main && in_tools git -C /mnt/clone gc -q
		host the host's git finds no fault with that: cd $files/clone && git fsck --strict --no-progress && [ \$(git log --format=%H | wc -l) = 4 ] && ls .git/objects/pack/*.pack
		check 180 git status of $count files of a kernel: [ -z "\$(in_tools git -C /mnt/kernel status --porcelain)" ]
		check 60 git status of them again: [ -z "\$(in_tools git -C /mnt/kernel status --porcelain)" ]
		host the host edits one of them: echo >>$files/kernel/linux/if_ether.h
		check 60 git status sees it: [ "\$(in_tools git -C /mnt/kernel status --porcelain)" = ' M linux/if_ether.h' ]
		check 120 tar c: in_tools tar -C /mnt/kernel -cf /mnt/tar linux link
		host the host's tar unpacks the same: mkdir $work/theirs && tar -C $work/theirs --no-same-owner -xf $files/tar && diff -r $files/kernel/linux $work/theirs/linux && [ "\$(cd $files/kernel/linux && $listing)" = "\$(cd $work/theirs/linux && $listing)" ]
		check 120 tar x: mkdir /mnt/tools/mnt/unpacked && in_tools tar -C /mnt/unpacked -xf /mnt/tar
		host it has unpacked the same: diff -r $files/kernel/linux $files/unpacked/linux && [ "\$(cd $files/kernel/linux && $listing)" = "\$(cd $files/unpacked/linux && $listing)" ]
		check 180 cp -a: in_tools cp -a /mnt/kernel/linux /mnt/kernel/link /mnt/unpacked/linux/byteorder /mnt/repo/
		host it has copied all: cd $files && [ "\$(cd kernel/linux && $listing)" = "\$(cd repo/linux && $listing)" ] && diff -r kernel/linux repo/linux && [ "\$(readlink repo/link)" = linux ]
		check 30 diff -r in the guest: in_tools diff -r /mnt/unpacked/linux/netfilter /mnt/repo/linux/netfilter
		check 30 no complaint of the kernel: ! dmesg | grep -iE '9p(net)?: .*(fail|err|bug|invalid)|BUG:|WARNING:|Oops'
		send poweroff
		end 60 0
	END
} >"$work/orders"
talk share-git --linux debian --share "$tools,ro,name=tools" --share "$files" <"$work/orders"
exit $status
