#!/bin/bash
# crumb's text editor, as somebody at a terminal uses it, on both widths: what is typed is in the host's file, which
# stays the same file; what others have changed is not lost; a text gives no orders to the terminal.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
datadir=${BISCUIT_DATADIR:-guest/crumb}
for width in 64 32; do
	need_file "$datadir/crumb-rv$width.elf" gcc-riscv64-unknown-elf
done
share=$work/share
# shellcheck disable=SC2034
at_terminal=yes

# holds FILE TEXT: has the file exactly this content? printf's escapes.
cat >"$work/holds" <<END
#!/bin/bash
printf "\$2" | cmp - "$share/\$1"
END
chmod 755 "$work/holds"
holds=$work/holds

edit_files() { # WIDTH
	mkdir -p "$share/folder"
	printf 'one\ntwo\nthree\n' >"$share/there.txt"
	chmod 600 "$share/there.txt"
	ln "$share/there.txt" "$share/other-name.txt"
	seq 1 5000 >"$share/long.txt"
	printf 'harmless \033]0;evil\007 \302\2335n \377 text' >"$share/evil.txt"
	talk "edit$1" --isa "rv$1" --share "$share" <<END
expect 20 crumb> 
send edit new.txt
expect 20 new.txt .*line 1 of 1, column 1
keys first line\rsecond \xc3\xa4 line\r
expect 20 line 3 of 3, column 1 
keys \x13
expect 20 saved: 26 bytes
host rv$1, what is typed is in the file: $holds new.txt 'first line\nsecond ä line\n'
keys \e[A\e[F\x7f\x7f\x7f\x7f\x7f\x7f\x7f
expect 20 column 7 
keys \e[Da\e[3~\tb\e[H\e[3~\x13
expect 20 saved: 
host rv$1, keys move and delete whole characters: $holds new.txt 'first line\necona\tb\n'
keys \x11
expect 20 crumb> 

send edit there.txt
expect 20 line 1 of 4, column 1
keys \x0b\x0b\e[B\x15\x15\x13
expect 20 saved: 22 bytes
host rv$1, lines are cut and put in elsewhere: $holds there.txt 'three\none\ntwo\none\ntwo\n'
host rv$1, the file is the same as before, with its mode: [ "\$(stat -c %a:%h $share/there.txt)" = 600:2 ]
host rv$1, somebody else writes to it: echo four >>$share/there.txt
keys x\x13
expect 20 changed elsewhere
host rv$1, that is not lost unasked: $holds other-name.txt 'three\none\ntwo\none\ntwo\nfour\n'
keys \x13
expect 20 saved: 23 bytes
host rv$1, asked again it is saved: $holds there.txt 'three\none\ntwo\none\ntwo\nx'
keys y\x03
expect 20 Ctrl-Q ends the editor
keys \x11
expect 20 changes are not saved; quit
keys n\r
expect 20 Ctrl-S save
keys \x11
expect 20 quit
keys y\r
expect 20 crumb> 
host rv$1, without being saved nothing is written: $holds there.txt 'three\none\ntwo\none\ntwo\nx'

send edit long.txt
expect 20 line 1 of 5001
keys \e[10;40R
expect 20 \[9;1H
ok rv$1, the terminal's size is used
keys \e[6~
expect 20 line 8 of 5001
keys \x074711\r
expect 20 line 4711 of 5001, column 1 
keys \x17123\r
expect 20 line 123 of 5001, column 1 
keys \x17\r
expect 20 line 1123 of 5001, column 2 
keys \x17nowhere\r
expect 20 it is nowhere
keys \x074999\r
expect 20 line 4999 of
keys end\x13
expect 20 saved: 23896 bytes
host rv$1, a long file is found through and saved whole: (seq 1 4998; echo end4999; echo 5000) | cmp - $share/long.txt
keys \x11
expect 20 crumb> 

send edit evil.txt
expect 20 harmless \?]0;evil\? \?5n \? text
host rv$1, a text gives no orders to the terminal: ! grep -aq ']0;evil.text' $work/edit$1.log && ! grep -aq $'\033]0' $work/edit$1.log
keys \x11
expect 20 crumb> 

send edit folder
expect 20 edit: folder: it is a directory
expect 20 crumb> 
send edit
expect 20 no name yet
keys nameless\x13
expect 20 name of the file: 
keys named.txt\r
expect 20 saved: 8 bytes
host rv$1, a text without a name gets one: $holds named.txt nameless
keys \x11
expect 20 crumb> 
send ps
expect 20 shell +running
send poweroff 3
end 20 3
END
	rm -rf "$share"
}

for width in 64 32; do
	edit_files $width
done

mkdir "$share"
echo stays >"$share/fixed.txt"
talk readonly --share "$share,ro" <<END
expect 20 crumb> 
send edit fixed.txt
expect 20 line 1 of 2
keys x\x13
expect 20 not saved: the share is read-only
ok what cannot be saved is said in words
host and stays as it is: $holds fixed.txt 'stays\n'
keys \x11
expect 20 quit
keys y\r
expect 20 crumb> 
send poweroff
end 20 0
END
talk shareless <<END
expect 20 crumb> 
send edit
expect 20 line 1 of 1
keys words\x13
expect 20 name of the file
keys x\r
expect 20 not saved: no files here
ok without a share it says so
keys \x11
expect 20 quit
keys y\r
expect 20 crumb> 
send poweroff
end 20 0
END
if echo 'edit x' | timeout 60 "$run" 2>&1 | grep -q '^edit: somebody has to sit at the console'; then
	echo "ok - at a pipe it says that nobody is there"
else
	echo "not ok - at a pipe it says that nobody is there"
	status=1
fi
exit $status
