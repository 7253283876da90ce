#!/bin/bash
# Snapshots of whole guests at random points, restored in a new process: a crumb with commands typed, and Debian's kernel
# while it boots, and while it works with a disk and a shared folder. Both end as if nothing had happened.
# SNAPSHOT_SEED chooses the points, SNAPSHOT_POINTS=10 tries ten times as many. A subshell has random numbers of its own,
# which no seed chooses: RANDOM is not for a $(command).
# shellcheck disable=SC2154,SC2317 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
datadir=${BISCUIT_DATADIR:-guest/crumb}
seed=${SNAPSHOT_SEED:-$RANDOM}
times=${SNAPSHOT_POINTS:-1}
RANDOM=$seed
echo "# SNAPSHOT_SEED=$seed"
mount=$work/mnt
snap=$work/x.snap
share=$work/share
count=0
restored=0
pid=

(exec 3<>/dev/fuse) 2>/dev/null || skip "this user cannot open /dev/fuse"
[ "$(id -u)" = 0 ] || need_command fusermount3 fuse3
"$run" --help | grep -q -- --restore || skip "this biscuit-run restores no snapshots"
mkdir "$mount" "$share"
head -c 1M /dev/urandom >"$share/big"

cleanup() {
	[ "$BASHPID" = $$ ] || return
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	umount -l "$mount" 2>/dev/null || fusermount3 -u -z "$mount" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

verdict() { # NAME STATUS [FILE]
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count - $1"
	else
		status=1
		echo "not ok $count - $1"
		[ -z "${3:-}" ] || tail -n 30 "$3" | sed 's/^/#   /'
	fi
}

# Waits until the command succeeds, a minute at most.
await() {
	for _ in $(seq 600); do
		"$@" 2>/dev/null && return
		sleep 0.1
	done
	return 1
}

seconds() { # MILLISECONDS
	printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
}

# A command for the machine; no file is made where there is none any more.
tell() {
	echo "$1" | dd of="$mount/ctl" conv=nocreat,notrunc status=none
}

# --- crumb ---

crumb_script() {
	cat <<END
run primes 300000
sum big
run primes 350000
blk 5 remember
run counter
cp big copy
run primes 400000
sum copy
blk 5
rm copy
run primes 450000
poweroff 7
END
}

# What does not depend on the host's time.
plain() {
	grep -av '^Ready after'
}

crumb_disk() {
	head -c 64K /dev/zero >"$work/disk"
	rm -f "$share/copy"
}

# crumb_until FROM WITHIN: a crumb of $width that is stopped at a random moment, so many ms after its start and after
# that within so many: in $snap, and its output so far in $work/before. 1: it had ended by itself.
crumb_until() {
	local moment=$(($1 + RANDOM % $2))
	crumb_disk
	crumb_script >"$work/typed"
	"$run" --isa "rv$width" --share "$share" --drive "file=$work/disk,if=$interface" --mount "$mount" <"$work/typed" \
		>"$work/before" 2>"$work/said" &
	pid=$!
	await [ -e "$mount/ctl" ] || return 2
	sleep "$(seconds $moment)"
	tell pause 2>/dev/null || { wait "$pid"; pid=; return 1; }
	cp "$mount/snapshots/new" "$snap" || return 2
	kill "$pid"
	wait "$pid"
	pid=
	return 0
}

# The console is of the process: every other time, what came from standard output goes on in a file.
crumb_point() { # NAME FROM WITHIN
	local code
	crumb_until "$2" "$3"
	case $? in
	1) verdict "$1: it was at its end already" 0; return ;;
	2) verdict "$1: a snapshot is made" 1 "$work/said"; return ;;
	esac
	restored=$((restored + 1))
	if [ $((restored % 2)) = 1 ]; then
		timeout 60 "$run" --restore "$snap" </dev/null >"$work/after" 2>"$work/said"
	else
		timeout 60 "$run" --restore "$snap" --console "file=$work/after" >"$work/said" 2>&1
	fi
	code=$?
	cat "$work/before" "$work/after" | plain >"$work/seen"
	[ $code = 7 ]
	verdict "$1: it ends with the status that was typed ($code)" $? "$work/said"
	diff -a "$work/expected" "$work/seen" >"$work/diff"
	verdict "$1: after $(wc -c <"$work/before") bytes of output, the rest is as ever" $? "$work/diff"
}

crumb() { # WIDTH INTERFACE POINTS
	local from
	width=$1
	interface=$2
	[ -e "$datadir/crumb-rv$width.elf" ] || { echo "# there is no crumb for rv$width"; return; }
	crumb_disk
	from=$(date +%s%N)
	crumb_script | timeout 60 "$run" --isa "rv$width" --share "$share" --drive "file=$work/disk,if=$interface" | plain \
		>"$work/expected"
	length=$((($(date +%s%N) - from) / 1000000))
	grep -q 'primes below 450000' "$work/expected"
	verdict "crumb on rv$width runs to its end in $length ms" $? "$work/expected"
	for point in $(seq "$3"); do
		crumb_point "crumb on rv$width, point $point" $((length * (point - 1) / $3)) $((length / $3))
	done
}

crumb 64 virtio $((4 * times))
crumb 32 native $((2 * times))

# --- Linux ---

[ -e "$cache/linux/debian/stamp" ] || {
	echo "# there is no Debian guest: run tools/debian-guest fetch"
	exit $status
}
need_command mke2fs e2fsprogs
truncate -s 16M "$work/disk.img" && mke2fs -q -F -t ext4 "$work/disk.img" || exit 1
sum=$(sha256sum <"$share/big" | cut -d' ' -f1)
rounds=12
end=$(for _ in $(seq $rounds); do echo "$sum  -"; done | sha256sum | cut -d' ' -f1)
# shellcheck disable=SC2016
obey='stty -echo; while read -r order; do eval "$order"; done'
tell="dd of=$mount/ctl conv=nocreat,notrunc status=none"
take="echo pause | $tell && cp $mount/snapshots/new"

# session NAME ARGUMENTS...: as talk, with verdicts that are counted on.
session() {
	local name=$1
	shift
	cat >"$work/$name.orders"
	echo "# $name: biscuit-run $*"
	"$console" "$work/$name.log" "$work/$name.orders" "$run" "$@" || status=1
	umount -l "$mount" 2>/dev/null || fusermount3 -u -z "$mount" 2>/dev/null
}

# Somewhere on the way from the first instruction to the shell, and again and again, as it runs: after so many of the
# boot's instructions, which are about two thousand million. Should they be fewer, it stands at the prompt, and a line
# typed after the restore brings the next one.
reached="[ \$(sed -n 's/^instret //p' $mount/status 2>/dev/null) -ge"
order=()
for point in $(seq "$times"); do
	instret=$((((point - 1) * 32768 + RANDOM) * 60000 / times))
	order+=("host snapshot $point while it boots: for i in \$(seq 1200); do $reached $instret ] 2>/dev/null && break; sleep 0.02; done; cp $mount/snapshots/new $work/boot$point.snap")
done
session boot --linux debian --mount "$mount" --share "$share" --drive "file=$work/disk.img" < <(printf '%s\n' "${order[@]}" kill)
for point in $(seq 2 "$times"); do
	session "booted$point" --restore "$work/boot$point.snap" <<END
send
expect 240 / #
ok it goes on to the shell
send $obey
check 10 nothing has gone wrong: ! dmesg -r | grep -E '^<[0-3]>' | grep -iE 'BUG:|Oops|stall|lockup|hung'
send poweroff -f
end 30 0
END
done

# The first of them goes on to read from a share and write to a disk. Once more, when the first snapshot's disk is not its
# own any more.
early=$((RANDOM % 400))
late=$((RANDOM % 800))
session work --restore "$work/boot1.snap" --mount "$mount" <<END
send
expect 240 / #
ok it goes on to the shell
send $obey
check 30 it computes: [ \$(seq 1 1000 | sha256sum | cut -c1-8) = $(seq 1 1000 | sha256sum | cut -c1-8) ]
check 10 nothing has gone wrong: ! dmesg -r | grep -E '^<[0-3]>' | grep -iE 'BUG:|Oops|stall|lockup|hung'
check 30 a disk and a share: mkdir -p /s && mount -t 9p -o trans=virtio,version=9p2000.L share /s && mount -t ext4 /dev/vda /mnt
check 10 files are open: exec 5>/s/log 6</s/big && echo begin >&5 && dd bs=1k count=1 <&6 2>/dev/null | sha256sum >/first
send (for i in \$(seq $rounds); do sha256sum </s/big >>/mnt/sums; echo \$i >&5; sync; sleep 0.1; done; echo the state is \$(sha256sum </mnt/sums)) &
host a snapshot while it works: sleep $(seconds $early); $take $work/early.snap && echo resume | $tell
host and another one: sleep $(seconds $late); $take $snap
kill
END
session worked --restore "$snap" --mount "$mount" <<END
expect 120 the state is $end
ok the sum at the end is the one of all rounds
check 10 open files go on: echo end >&5 && [ \$(wc -l </s/log) = $((rounds + 2)) ] && dd bs=1k skip=0 <&6 2>/dev/null >/rest && [ \$(wc -c </rest) = $((1048576 - 1024)) ]
check 20 the disk is whole: umount /mnt && mount -t ext4 /dev/vda /mnt && [ \$(wc -l </mnt/sums) = $rounds ]
host a snapshot of what was restored: $take $snap
kill
END
session again --restore "$snap" <<END
send echo alive
expect 30 alive
ok it can be restored once more
check 10 everything is there: sha256sum </mnt/sums | grep $end && echo more >&5
send poweroff -f
end 30 0
END
[ "$(tail -n 1 "$share/log")" = more ]
verdict "what was written last is on the host" $?
timeout 60 "$run" --restore "$work/early.snap" </dev/null >"$work/said" 2>&1
[ $? = 125 ] && grep -q "the disk of virtio-blk, '$work/disk.img', is now: 16777216 bytes, changed" "$work/said"
verdict "a snapshot whose disk has changed since is refused by name" $? "$work/said"
timeout 60 "$run" --restore "$work/early.snap" --module clock,slot=2 </dev/null >"$work/said" 2>&1
[ $? = 125 ] && grep -q -- "--module: 'clock,slot=2', expected PATH.so" "$work/said"
verdict "a module beside a snapshot is refused" $? "$work/said"
exit $status
