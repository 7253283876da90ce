#!/bin/bash
# Debian's kernel with a screen and a keyboard: its console is on the screen, keys get to the shell there, the size
# follows what is wished for, and the power key ends the guest. The module "screen" (screen.c) looks and types. Then the
# same through a window under Xvfb, with a snapshot in the middle. Pictures of it go to $KEEP_LOGS where that is set.
# shellcheck disable=SC2154,SC2317 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
need_debian
grep -aq virtio_gpu.ko "$cache/linux/debian/initrd" || skip "the Debian guest is an old one: run tools/debian-guest fetch"
need_screen

# shellcheck disable=SC2016
obey='stty -echo; while read -r order; do eval "$order"; done'
shell_there="for i in \$(seq 200); do grep -q '/ # ' /dev/vcs1 && exit; usleep 50000; done; exit 1"
last_there="for i in \$(seq 200); do fold -w 100 /dev/vcs1 | tail -n 2 | grep -q '^100 ' && exit; usleep 50000; done; fold -w 100 /dev/vcs1 | tail -n 4; exit 1"
fits="i=0; until [ \"\$(stty -F /dev/tty1 size)\" = \"\$size\" ]; do i=\$((i + 1)); [ \$i -lt 200 ] || exit 1; usleep 50000; done"

talk screen --linux debian --append 'console=tty0 console=ttyS0' --module virtio-gpu,width=800,height=600 \
	--module virtio-keyboard --module virtio-tablet \
	--module "$SCREEN_MODULE,orders=$work/screen-orders,answers=$work/screen-answers" <<END
expect 120 init: begins
expect 60 / #
send $obey
host the screen has the size asked for: $look size 800 600 20
host the kernel's messages are on it: $look rows 20 20
check 60 the kernel found nothing to complain of: ! dmesg -r | grep -E '^<[0-4]>' | grep -iE 'drm|edid|virtio|input'
check 60 keyboard and pointer are there: ls -l /dev/input/event0 /dev/input/event1
check 60 a shell waits there: ($shell_there)
host keys are typed: $look 'type echo taking orders >/dev/ttyS0; while read -r o; do eval "\$o"; done'
expect 60 taking orders
host and more of them: $look 'type echo "the answer is \$((6*7))!" >/dev/ttyS0'
expect 60 the answer is 42!
ok the shell on the screen obeys
host the screen is cleared: $look type clear && $look few 1 10
host and filled: $look type seq 100 && $look rows 37 10
check 60 the kernel says the same: ($last_there)
host a smaller screen is wished for: $look wish 640 480 && $look size 640 480 10
check 60 its console has as many lines and columns: size="30 80"; ($fits)
host and a larger one: $look wish 1280 960 && $look size 1280 960 20
check 60 its console, too: size="60 160"; ($fits)
send printf 'leaving\n'
expect 60 leaving
host the power key is pressed: $look press power
end 60 0
END

# --- Through a window ---

finish() {
	[ "$BASHPID" = $$ ] || return
	[ -z "${xvfb:-}" ] || kill "$xvfb" 2>/dev/null
	umount -l "$work/mnt" 2>/dev/null || fusermount3 -u -z "$work/mnt" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

for command in Xvfb xdotool import; do
	command -v $command >/dev/null || { echo "# no window: there is no $command" && exit "$status"; }
done
"$run" --help | grep -q -- --window || { echo '# no window in this build' && exit "$status"; }
mkfifo "$work/display"
unset GDK_SCALE SDL_VIDEODRIVER WAYLAND_DISPLAY XDG_RUNTIME_DIR
Xvfb -displayfd 3 -noreset -screen 0 1400x1000x24 -dpi 96 3<>"$work/display" 2>/dev/null &
xvfb=$!
read -r -t 60 number <"$work/display" || { echo '# no window: Xvfb does not start' && exit "$status"; }
export DISPLAY=:$number SDL_RENDER_DRIVER=software

# hands ORDER...: what a person does with the window, and sees of it.
cat >"$work/hands" <<'END'
#!/bin/bash
# Again and again for a minute, until the command is true.
await() {
	for _ in $(seq 600); do
		"$@" && return
		sleep 0.1
	done
	return 1
}
find_window() { window=$(xdotool search --onlyvisible --name "^(debian|restored) - " 2>/dev/null | head -n 1) && [ -n "$window" ]; }
is_colour() { # RRGGBB: that of a point in the right half, where no text is
	local at
	at=$(import -window "$window" png:- 2>/dev/null | convert - -gravity east -crop 1x1+40+0 +repage -depth 8 txt:- 2>/dev/null)
	[ "$(grep -o '#[0-9A-F]\{6\}' <<<"$at" | head -n 1)" = "#$1" ]
}
await find_window || exit
case $1 in
window) ;;
colour) await is_colour "$2" ;;
type) xdotool windowfocus "$window" && xdotool type --delay 15 "$2" && xdotool key Return ;;
size) xdotool windowsize "$window" "$2" "$3" ;;
keep) [ -z "${KEEP_LOGS:-}" ] || import -window "$window" "$KEEP_LOGS/$2.png" ;;
esac
END
chmod 755 "$work/hands"
hands=$work/hands
paint() { # COLOUR: a command for the guest that fills the screen with it
	printf '%s\n' "printf '\\033[4$1m\\033[2J\\033[H' >/dev/tty1"
}

# The console in the window answers the shell's question where the cursor is, and an order may come behind the answer.
# shellcheck disable=SC2016
obey='stty -echo; while read -r order; do case $order in *"R{ "*) order="{ ${order#*"R{ "}" ;; esac; eval "$order"; done'

mounted=()
if (exec 3<>/dev/fuse) 2>/dev/null && { [ "$(id -u)" = 0 ] || command -v fusermount3 >/dev/null; }; then
	mkdir "$work/mnt"
	mounted=(--mount "$work/mnt")
fi

talk window --linux debian --append 'console=tty0 console=ttyS0' --console stdio --window=960x640 "${mounted[@]}" <<END
host a window opens: $hands window
expect 120 init: begins
expect 60 / #
send $obey
check 60 a shell waits on the screen: ($shell_there)
host what is typed into the window gets there: $hands type 'echo taking orders >/dev/ttyS0; while read -r o; do eval "\$o"; done'
expect 60 taking orders
host and more: $hands type 'echo "the answer is \$((6*7))!" >/dev/ttyS0'
expect 60 the answer is 42!
ok the shell in the window obeys
check 60 the guest paints its screen: $(paint 4)
host the window is blue: $hands colour 0000AA
check 60 and another colour: $(paint 2)
host the window is green: $hands colour 00AA00
host a picture is kept: $hands keep linux-painted
host the window gets another size: $hands size 720 500
check 60 the guest's console has as many columns: case \$(stty -F /dev/tty1 size) in *" 90") ;; *) (for i in \$(seq 200); do stty -F /dev/tty1 size | grep -q ' 90\$' && exit; usleep 50000; done; exit 1) ;; esac
check 60 it is painted again: $(paint 4) && seq 12 >/dev/tty1
host which the window shows: $hands colour 0000AA
host a picture is kept: $hands keep linux-small
${mounted:+host a snapshot is made: echo pause >$work/mnt/ctl && cp $work/mnt/snapshots/new $work/screen.snap}
$([ ${#mounted[@]} -gt 0 ] && echo kill || echo "host the shell ends the guest: $hands type poweroff")
end 30 $([ ${#mounted[@]} -gt 0 ] && echo 137 || echo 0)
END

[ ${#mounted[@]} -gt 0 ] || { echo '# no snapshot: this user cannot open /dev/fuse' && exit "$status"; }
talk restored --restore "$work/screen.snap" --console stdio --window <<END
host a window opens: $hands window
host it shows what the guest showed: $hands colour 0000AA
host the shell goes on: $hands type 'echo "and now it is \$((6*8))!" >/dev/ttyS0'
expect 60 and now it is 48!
ok the shell in the window obeys
host a picture is kept: $hands keep linux-restored
host the shell ends the guest: $hands type poweroff
end 60 0
END
exit "$status"
