#!/bin/bash
# Debian's kernel by VNC: --vnc alone gives it a screen, a keyboard and a pointer. Who looks sees its console, types to the
# shell there, moves the pointer and asks for another size; an empty framebuffer beside it hides nothing.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian
grep -aq virtio_gpu.ko "$cache/linux/debian/initrd" || skip "the Debian guest is an old one: run tools/debian-guest fetch"
need_file "${VNC_CLIENT:=tests/system/vnc}" "libvncserver-dev, when Biscuit is built"
find_vnc_display
look="$VNC_CLIENT $display ''"

# shellcheck disable=SC2016
obey='stty -echo; while read -r order; do eval "$order"; done'
shell_there="for i in \$(seq 200); do grep -q '/ # ' /dev/vcs1 && exit; usleep 50000; done; exit 1"
fits="for i in \$(seq 200); do [ \"\$(stty -F /dev/tty1 size)\" != '37 100' ] || exit 0; usleep 50000; done; exit 1"
pointed='exec 3</dev/input/event1; echo watching; dd bs=24 count=1 <&3 2>/dev/null | od -An -v -tx2'

talk vnc --linux debian --append 'console=tty0 console=ttyS0' --vnc ":$display" --module simple-framebuffer <<END
expect 120 init: begins
expect 60 / #
send $obey
check 60 a shell waits on the screen: ($shell_there)
check 60 the other framebuffer is described: ls -d /proc/device-tree/framebuffer@e0000000
check 60 the guest paints its screen: printf '\033[44m\033[2J\033[H' >/dev/tty1
host who looks sees it: $look 'size 1024 768' 'pixel 1000 700 0000aa'
host keys are typed: $look 'type echo taking orders >/dev/ttyS0; while read -r o; do eval "\$o"; done' 'key return'
expect 60 taking orders
host and more: $look 'type echo "the answer is \$((6*7))!" >/dev/ttyS0' 'key return'
expect 60 the answer is 42!
ok the shell on the screen obeys
send $pointed
expect 60 watching
host the pointer is moved: $look 'point 10 10 0' 'point 500 300 0'
expect 60 0003 0000
ok and the guest sees it move
host another size is asked for: $look 'wish 800 600' 'size 800 600'
check 60 the console has as many lines and columns: ($fits)
check 60 it is painted again: printf '\033[42m\033[2J\033[H' >/dev/tty1
host which is seen: $look 'size 800 600' 'pixel 790 590 00aa00'
send poweroff
end 60 0
END
exit $status
