#!/bin/bash
# crumb on shared directories, on both widths: every command on files does on the host what it says and prints exactly
# what is expected, what the host changes shows at once, watch tells of it, and what cannot be done is refused in words.
# shellcheck disable=SC2154,SC2317 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
datadir=${BISCUIT_DATADIR:-guest/crumb}
for width in 64 32; do
	need_file "$datadir/crumb-rv$width.elf" gcc-riscv64-unknown-elf
done
count=0
share=$work/share

# verdict NAME STATUS: one line of TAP.
verdict() {
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		echo "ok $count - rv$width: $1"
	else
		status=1
		echo "not ok $count - rv$width: $1"
		head -n 40 "$work/seen" 2>/dev/null | sed 's/^/#   /'
	fi
}

# on_host NAME COMMAND...: the command succeeds on the host, in the share.
on_host() {
	local name=$1
	shift
	(cd "$share" && "$@") >"$work/seen" 2>&1
	verdict "$name" $?
}

# crumb OPTIONS...: a session whose lines are standard input. What it prints is in $work/out, and what the nth line
# brought, in $work/answer.n.
crumb() {
	rm -f "$work"/answer.*
	timeout 60 "$run" --isa "rv$width" "$@" >"$work/out" 2>&1
	awk -v file="$work/answer." '/^crumb.*> $/ { n++; printf "" >(file n); next } n { print >(file n) }' "$work/out"
	answer=0
}

# says NAME [LINE...]: the next command has printed exactly these lines.
says() {
	local name=$1
	shift
	answer=$((answer + 1))
	[ $# = 0 ] || printf '%s\n' "$@" >"$work/wanted"
	[ $# != 0 ] || : >"$work/wanted"
	diff "$work/wanted" "$work/answer.$answer" >"$work/seen" 2>&1
	verdict "$name" $?
}

# matches NAME REGEX: a line of what the next command has printed matches.
matches() {
	answer=$((answer + 1))
	cp "$work/answer.$answer" "$work/seen"
	grep -Eq -- "$2" "$work/answer.$answer"
	verdict "$1" $?
}

fill_share() {
	rm -rf "$share"
	mkdir -p "$share/sub/deep"
	printf 'one\ntwo words\n' >"$share/notes.txt"
	printf 'below\n' >"$share/sub/deep/leaf"
	ln -s notes.txt "$share/link"
	printf 'hidden\n' >"$share/.hidden"
	printf 'spaces\n' >"$share/two words"
	head -c 300000 /dev/urandom >"$share/random"
	printf '#!/bin/sh\n' >"$share/script"
	chmod 755 "$share/script"
	TZ=UTC touch -d '2024-02-29 12:34:56' "$share/notes.txt"
	TZ=UTC touch -d '1999-12-31 23:59:59' "$share/random"
}

looking() {
	crumb --share "$share" <<-'END'
		ls
		ls -a sub/deep/..
		cat notes.txt
		cat 'two words' sub/deep/leaf
		cat link
		ls -l notes.txt link
		sum random notes.txt
		hexdump notes.txt
		cd sub
		pwd
		ls
		cd deep
		cat leaf ../../notes.txt
		cd ../..
		pwd
		find sub
		find *.txt
		stat notes.txt
		stat random
		df
	END
	grep -q 'The host shares the directory "share"' "$work/out"
	verdict 'the greeting names the share' $?
	grep -q '^  link@ .*notes.txt .*sub/' "$work/out"
	verdict 'and lists it' $?
	says 'ls lists, sorted' link notes.txt random script sub 'two words'
	says 'and the directory that .. leads to' deep
	says 'cat shows a file' one 'two words'
	says 'cat shows several, with blanks in a name' spaces below
	says 'cat follows a link' one 'two words'
	matches 'ls -l tells mode, size, time' '^-rw-r--r-- +1 +[0-9]+ +[0-9]+ +14 2024-02-29 12:34 notes.txt$'
	grep -Eq '^lrwxrwxrwx .* link -> notes.txt$' "$work/answer.$answer"
	verdict 'and where a link leads' $?
	says 'sum is cksum' "$(cd "$share" && cksum random)" "$(cd "$share" && cksum notes.txt)"
	says 'hexdump shows bytes' '00000000  6f 6e 65 0a 74 77 6f 20 77 6f 72 64 73 0a        one.two words.'
	says 'cd says nothing'
	says 'pwd knows' /sub
	says 'a listing there' deep
	says 'cd goes on from there'
	says 'paths begin there' below one 'two words'
	says 'cd goes up'
	says 'to the root' /
	says 'find lists a tree' sub sub/deep sub/deep/leaf
	says 'find takes a pattern' ./notes.txt
	matches 'stat knows the time of modification' 'modified  2024-02-29 12:34:56 UTC'
	matches 'also of another century' 'modified  1999-12-31 23:59:59 UTC'
	matches 'df has a line for the share' '^share +[0-9]+ MiB +[0-9]+ MiB +[0-9]+ MiB$'
}

changing() {
	crumb --share "$share" <<-'END'
		echo hello, host > new
		echo "more   of it" >> new
		echo -n > empty
		cp random copy
		cp script copied-script
		mkdir -p a/b/c
		cp -r sub notes.txt a
		cp link a/link
		mv new a/b/c/moved
		mv a/b renamed
		ln -s notes.txt symbolic
		ln notes.txt hard
		rm random
		rm -r a
		mkdir gone
		rmdir gone
		touch touched
		touch notes.txt
		ls renamed > listing
		cat copy > catted
		run primes 100 > primes
		run upper notes.txt NOTES
		run wc notes.txt
		run biggest .
		sum copy > sums
	END
	while [ $answer -lt 22 ]; do
		says "line $((answer + 1)) has nothing to complain about"
	done
	says 'a program reads a file' '2 3 14 notes.txt'
	matches 'a program lists a directory' '^(copy|catted) 300000$'
	says 'a checksum goes into a file'

	on_host 'echo > and >> write' test "$(cat "$share/renamed/c/moved")" = $'hello, host\nmore   of it'
	on_host 'a file can be made empty' test -f empty -a ! -s empty
	on_host 'cp copies every byte' cmp copy "$work/random"
	on_host 'so does cat > file' cmp catted "$work/random"
	on_host 'cp keeps the mode' test -x copied-script
	on_host 'mv moves directories' test -d renamed/c -a ! -e a
	on_host 'ln -s makes a symbolic link' test "$(readlink "$share/symbolic")" = notes.txt
	on_host 'ln makes a hard link' test notes.txt -ef hard
	on_host 'rm and rmdir remove' test ! -e random -a ! -e gone
	on_host 'touch makes a file' test -f touched
	on_host 'touch sets the time to now' test notes.txt -nt "$work/started"
	on_host 'any output goes into a file' test "$(cat "$share/listing")" = c
	on_host 'also that of a program' grep -qx '25 primes below 100, the last is 97' primes
	on_host 'a program writes a file' test "$(cat "$share/NOTES")" = $'ONE\nTWO WORDS'
	on_host 'a checksum is that of the host' test "$(cat "$share/sums")" = "$(cd "$share" && cksum copy)"
}

# Programs that read and write at the same time, while the shell goes on.
many_at_once() {
	local i
	base64 "$work/random" >"$share/letters"
	tr '[:lower:]' '[:upper:]' <"$share/letters" >"$work/LETTERS"
	crumb --share "$share" <<-'END'
		run upper letters 1 &
		run upper letters 2 &
		run upper letters 3 &
		run upper letters 4 &
		cp -r sub sub2
		ls sub2
		wait
		run upper letters 5 &
		kill 6
		mem
	END
	answer=5
	matches 'a copy and a listing while programs are at work' '^deep$'
	test "$(grep -c '^upper\[[2-5]\] has finished$' "$work/out")" = 4
	verdict 'the programs end' $?
	for i in 1 2 3 4; do
		on_host "what program $i has written" cmp "$i" "$work/LETTERS"
	done
	answer=9
	matches 'one that is killed, perhaps between two requests, leaves nothing behind' '^  pages of programs +0 KiB'
	! grep -q unaccounted "$work/out"
	verdict 'no memory is lost' $?
}

refusing() {
	crumb --share "$share" <<-'END'
		cat nots.txt
		cat sub
		cat notes.txt/x
		rm sub
		rmdir sub
		mkdir sub
		cp notes.txt notes.txt
		cp -r sub sub/inside
		cp sub elsewhere
		mv missing-thing x
		cd notes.txt
		echo x > sub
		cat ../../../../etc/passwd
		cat absolute
		cat up
		ls -z
		cp notes.txt
		run nosuchprogram
		run notes.txt
		pwd
	END
	says 'a mistyped name' 'cat: nots.txt: no such file or directory (did you mean notes.txt?)'
	says 'a directory is not shown' 'cat: sub: it is a directory'
	says 'a file is no directory' 'cat: notes.txt/x: not a directory'
	says 'rm without -r' 'rm: sub: it is a directory'
	says 'rmdir of a full one' 'rmdir: sub: the directory is not empty'
	says 'mkdir of what there is' 'mkdir: sub: it exists already'
	says 'a copy to itself' 'cp: notes.txt: it cannot be copied to itself'
	says 'a copy into itself' 'cp: sub: it cannot be copied to itself'
	says 'a copy of a directory without -r' 'cp: sub: it is a directory'
	says 'mv of nothing' 'mv: missing-thing: no such file or directory'
	says 'cd to a file' 'cd: notes.txt: not a directory'
	says 'output into a directory' 'crumb: sub: it is a directory'
	says '.. ends at the root' 'cat: ../../../../etc/passwd: no such file or directory'
	matches 'an absolute link leads nowhere' '^cat: absolute: (it leads out of the share|no such file or directory)'
	matches 'nor does one that goes up' '^cat: up: (it leads out of the share|no such file or directory)'
	matches 'an unknown option' '^usage: ls '
	matches 'a missing word' '^usage: cp '
	matches 'a program that is not there' '^no program "nosuchprogram"'
	matches 'a file that is no program' '^notes.txt: cannot be loaded'
	says 'after all this crumb is there' /
}

programs_in_files() {
	cp "$datadir/rv$width/programs/primes.elf" "$share/primes.elf" 2>/dev/null || return
	crumb --share "$share" <<-'END'
		run primes.elf 1000
		run ./primes.elf 10 > sub/primes
	END
	says 'a program is started from a file' '168 primes below 1000, the last is 997'
	says 'and its output goes into another'
	on_host 'where it is' grep -qx '4 primes below 10, the last is 7' sub/primes
}

several_shares() {
	mkdir -p "$work/out-dir"
	crumb --share "$share,ro,name=src" --share "$work/out-dir,name=out" <<-'END'
		ls
		ls /src/sub
		cp /src/notes.txt /out
		cp -r /src/sub /out
		cd /out
		pwd
		cat notes.txt
		cd ..
		ls out
		echo x > /src/new
		rm src/notes.txt
		mkdir /src/dir
		touch /src/notes.txt
		mv /src/notes.txt /src/other
		mv /src/notes.txt /out/other
		cp /out/notes.txt /src/notes.txt
		ln -s a /src/a
		cat /srk/notes.txt
		echo x > file
		find / leaf*
	END
	says 'several shares are directories in /' out src
	says 'which have what is in them' deep
	says 'a copy from one to the other'
	says 'also of a tree'
	says 'cd to one of them'
	says 'pwd has its name' /out
	says 'its files are there' one 'two words'
	says 'cd .. is / again'
	says 'the names there' notes.txt sub
	says 'a read-only share takes no output' 'crumb: /src/new: the share is read-only'
	says 'nor rm' 'rm: src/notes.txt: the share is read-only'
	says 'nor mkdir' 'mkdir: /src/dir: the share is read-only'
	says 'nor touch' 'touch: /src/notes.txt: the share is read-only'
	says 'nor mv' 'mv: /src/notes.txt: the share is read-only'
	matches 'mv does not go from one share to another' '^mv: /src/notes.txt: '
	says 'nor cp' 'cp: /out/notes.txt: the share is read-only'
	says 'nor ln' 'ln: a: the share is read-only'
	says 'a share that is not there' 'cat: /srk/notes.txt: no such file or directory'
	matches '/ takes no files' '^crumb: file: '
	says 'find goes through all shares' /src/sub/deep/leaf /out/sub/deep/leaf
	on_host 'the read-only share is as it was' diff -r . "$work/before" --no-dereference
	on_host 'the other has the copies' diff -r sub "$work/out-dir/sub"
}

# What the host changes shows at once, and watch tells of it.
host_changes() {
	rm -rf "$work/live" && mkdir -p "$work/live/sub"
	head -c 20000 /dev/zero | tr '\0' 'x' >"$work/live/mapped"
	sed -i '1i first line' "$work/live/mapped"
	talk "live-rv$width" --isa "rv$width" --share "$work/live" <<-END
		expect 60 crumb>
		send ls sub
		expect 20 crumb>
		host the host makes a file: echo from the host >'$work/live/sub/fresh'
		send cat sub/fresh
		expect 20 ^from the host$
		ok it is there at once
		host the host makes it longer: echo and more >>'$work/live/sub/fresh'
		send cat sub/fresh
		expect 20 ^and more$
		ok and so is what is added
		host the host makes it shorter: echo short >'$work/live/sub/fresh'
		send run wc sub/fresh
		expect 20 ^1 1 6 sub/fresh$
		ok and its new size
		send watch -n 5
		expect 20 ^watching \.
		host the host makes a directory: mkdir '$work/live/dir'
		expect 20 ^created +dir/$
		ok watch tells of it
		host the host writes in a directory below: echo x >'$work/live/sub/second'
		expect 20 ^created +sub/second$
		expect 20 ^changed +sub/second$
		ok watch tells of that, too
		host the host renames it: mv '$work/live/sub/second' '$work/live/dir/third'
		expect 20 ^renamed from +sub/second$
		expect 20 ^renamed to +dir/third$
		ok watch tells both names
		expect 20 crumb>
		send map mapped
		expect 20 ^first line$
		ok a file is read as memory
		host the host changes it in place: printf 'FIRST' | dd of='$work/live/mapped' conv=notrunc status=none
		send map
		expect 20 ^FIRST line$
		ok the change shows in memory
		host the host empties it: truncate -s 0 '$work/live/mapped'
		send map
		expect 20 map: mapped: access fault at
		ok what is gone is a fault, which crumb survives
		send pwd
		expect 20 ^/$
		ok and goes on
		host the host removes it all: rm -r '$work/live/sub' '$work/live/dir'
		send ls
		expect 20 ^mapped$
		expect 20 crumb>
		send poweroff 3
		end 20 3
	END
}

# With several shares, watch in / tells of all of them.
watching_all() {
	rm -rf "$work/one" "$work/two" && mkdir "$work/one" "$work/two"
	talk "all-rv$width" --isa "rv$width" --share "$work/one" --share "$work/two,ro" <<-END
		expect 60 crumb>
		send watch -n 2
		expect 20 ^watching \.
		host a directory in the first share: mkdir '$work/one/here'
		expect 20 ^created +one/here/$
		host and one in the second: mkdir '$work/two/there'
		expect 20 ^created +two/there/$
		ok watch tells of both
		expect 20 crumb>
		send poweroff 3
		end 20 3
	END
}

# A person at a terminal: columns, Tab, Ctrl-C.
at_a_terminal() {
	command -v script >/dev/null || return
	rm -rf "$work/terminal" && mkdir -p "$work/terminal/folder" && touch "$work/terminal/some-file" "$work/terminal/some-other"
	printf 'tabbed\n' >"$work/terminal/folder/unique"
	printf 'exec %q --isa rv%s --share %q\n' "$(realpath "$run")" "$width" "$work/terminal" >"$work/command"
	console_run=$run
	run=script
	talk "terminal-rv$width" -qec "sh $work/command" /dev/null <<-END
		expect 60 crumb>
		send ls
		expect 20 folder/ +some-file +some-other
		ok names side by side
		send cat fo$(printf '\t')un$(printf '\t')
		expect 20 tabbed
		ok Tab completes names
		expect 20 crumb>
		send cat some$(printf '\t\t')
		expect 20 some-file +some-other
		ok or shows them
		send $(printf '\003')
		expect 20 crumb>
		send watch folder
		expect 20 until Ctrl-C
		host a change: touch '$work/terminal/folder/there'
		expect 20 created +there
		ok watch tells of it
		send $(printf '\003')
		expect 20 crumb>
		ok Ctrl-C ends watch
		send poweroff 4
		end 20 4
	END
	run=$console_run
}

for width in 64 32; do
	fill_share
	cp "$share/random" "$work/random"
	: >"$work/started"
	looking
	changing
	many_at_once
	fill_share
	ln -s /etc/passwd "$share/absolute"
	ln -s ../../../../../../etc/passwd "$share/up"
	refusing
	programs_in_files
	fill_share
	rm -rf "$work/before" "$work/out-dir"
	cp -a "$share" "$work/before"
	several_shares
	host_changes
	watching_all
	at_a_terminal
	crumb <<<'ls'
	matches 'without a share ls says how to get one' '^ls: .: no files here: start biscuit-run with --share DIR$'
done
echo "1..$count"
exit $status
