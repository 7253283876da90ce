#!/bin/bash
# The guest's screen by VNC: who knows the password sees crumb's greeting, moves its pointer, paints and types, also
# after leaving and coming back; others do not get in, from other hosts nobody; a size is asked for; bad options are
# refused.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
need_file "${BISCUIT_DATADIR:-guest/crumb}/crumb-rv64.elf" gcc-riscv64-unknown-elf
need_file "${VNC_CLIENT:=tests/system/vnc}" "libvncserver-dev, when Biscuit is built"
share=$work/share
secret=$work/secret
mkdir "$share"
echo sesame >"$secret"
chmod 600 "$secret"
# shellcheck disable=SC2034
at_terminal=yes

find_vnc_display
look="$VNC_CLIENT $display sesame"

talk vnc --share "$share" --vnc ":$display,password=$secret" <<END
expect 20 crumb> 
host the port is there: grep -q ' 0100007F:$port 00000000:0000 0A' /proc/net/tcp
host for this host alone: ! grep -q ":$port 0000000000000000" /proc/net/tcp6
host without the password nobody gets in: $VNC_CLIENT $display '' refused
host nor with another: $VNC_CLIENT $display simsim refused
host with it the greeting is seen: $look 'size 1024 768' 'pixel 367 100 f3b562'
host again, after leaving: $look 'pixel 367 100 f3b562'
host the pointer follows: $look 'point 700 60 0' 'pixel 702 66 fff6e6'
send paint art.ppm
expect 20 painting
host a line is painted: $look 'pixel 500 400 fffdf6' 'point 100 200 0' 'point 100 200 1' 'point 300 260 1' 'point 500 150 1' 'point 500 150 0' 'pixel 200 230 c62f2a'
host what the mouse held was let go: $look 'point 600 600 0' 'point 700 600 0' 'pixel 602 606 fffdf6'
host two look at once: $look 'pixel 200 230 c62f2a' 'pixel 400 205 c62f2a' & $look 'pixel 200 230 c62f2a' && wait \$!
host keys are typed: $look 'type 4' 'type s' 'type q' 'pixel 2 2 141a30'
expect 20 crumb> 
host the painting is saved: [ -s $share/art.ppm ]
host another size is asked for: $look 'pixel 367 100 f3b562' 'wish 800 600' 'size 800 600' 'pixel 2 2 141a30'
host which stays: $look 'size 800 600'
send poweroff 5
end 20 5
END

# refused NAME WORDS OPTION: one line that has the words, and status 125.
refused() {
	local out
	out=$(timeout 60 "$run" --vnc "$3" 2>&1 </dev/null)
	if [ $? = 125 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -q -e "$2" <<<"$out"; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "#   $out"
		status=1
	fi
}
refused "an address of another host" "expected :N" "192.0.2.1:1"
refused "a display that is none" "expected :N" ":a"
refused "a password file that is not there" "No such file" ":$display,password=$work/nothing"
chmod 644 "$secret"
refused "a password that others can read" "chmod 600" ":$display,password=$secret"
: >"$work/empty"
chmod 600 "$work/empty"
refused "an empty password" "empty" ":$display,password=$work/empty"
refused "an option that is none" "--vnc" ":$display,pasword=x"
exit $status
