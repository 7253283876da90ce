#!/bin/bash
# crumb in the window of biscuit-run, as a person uses it: what is typed into its shell and what is read back, painting
# with the mouse, another size, a dense screen, files that are dropped, and closing.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "${srcdir:-.}/tests/system/lib.sh"
. "${srcdir:-.}/tests/system/window/lib.sh"
source=$(realpath "${srcdir:-.}")
run=$(realpath "$run")
tap=$(realpath "${WINDOW_TAP:-tests/system/window/tap}")
[ -x "$tap" ] || skip "this build has no window"
BISCUIT_DATADIR=$(realpath "${BISCUIT_DATADIR:-guest/crumb}")
export BISCUIT_DATADIR
need_file "$BISCUIT_DATADIR/crumb-rv64.elf" gcc-riscv64-unknown-elf
share=$work/share

start() { # OPTION...
	rm -rf "$share" "$work"/biscuit-*.png
	mkdir "$share"
	: >"$work/console"
	(cd "$work" && exec "$run" --share "$share" "$@" </dev/null >"$work/out" 2>"$work/said") &
	pid=$!
	find_window '^crumb' && eventually title_is 'crumb - running, [0-9.]+ MIPS.*' || {
		cat "$work/said"
		fail "the window opens"
		kill -9 "$pid"
		return 1
	}
}

ends_with() { # STATUS
	eventually no_longer "$pid" || return 1
	wait "$pid"
	[ $? = "$1" ]
}

click() { # X Y
	xdotool mousemove --window "$window" "$1" "$2" click 1
}

type_line() { # TEXT
	xdotool type --delay 5 "$1"
	xdotool key Return
}

# The tab of the screen, and that of the console behind it.
show_screen() { click 20 $((bar / 2)); }
show_console() {
	show_screen
	xdotool key F12
}

is_whole() { identify "$1" >/dev/null 2>&1; }
has_text() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

# The guest's picture by the window's own key; at most a hundred of them.
picture_is() { # WIDTHxHEIGHT
	rm -f "$work"/biscuit-*.png
	xdotool key ctrl+alt+s
	eventually eval 'shot=$(echo "$work"/biscuit-*.png); is_whole "$shot"' &&
		[ "$(identify -format '%wx%h' "$shot")" = "$1" ]
}

has_amber() { # GEOMETRY
	convert "$shot" -crop "$1" +repage -depth 8 -format %c histogram:info: | grep -q '#F3B562'
}

# Everything on the console, by selecting and copying it.
copy_console() {
	xdotool mousemove --window "$window" 2 $((bar + 2)) mousedown 1 \
		mousemove --window "$window" 300 400 mousemove --window "$window" $(($(width) - 2)) $(($(height) - 2)) mouseup 1
	xdotool key ctrl+shift+c
	timeout 10 xclip -o -selection clipboard >"$work/copied"
}
console_says() { copy_console && grep -qx "$1 *" "$work/copied"; }

greeting() {
	ok "crumb's picture gets the window's size" eventually picture_is 1024x768
	bar=$(($(height) - 768))
	ok "crumb greets" eventually shows "390x150+60+$((bar + 40))" "$source/tests/system/window/greeting.png" 5%
	keep crumb-greeting
	xdotool key F12
	type_line 'echo seen from outside > note.txt'
	ok "what is typed gets to the shell" eventually has_text "$share/note.txt" 'seen from outside'
	type_line 'cat note.txt'
	if command -v xclip >/dev/null; then
		ok "what it says can be read from the screen" eventually console_says 'seen from outside'
	else
		echo "# no xclip: the console is not read back"
	fi
	keep crumb-console
	xdotool key F12
	eventually eval '! shows "640x200+0+$((bar + 50))" "$work/photo.png"'
	keep crumb-machine
}

# A thick blue line from (200, 300) to (700, 500) of the picture; the paper begins below a bar of 48 lines.
painting() {
	show_console
	type_line 'paint art.ppm'
	show_screen
	ok "crumb's paint program opens" eventually has_color 266 $((bar + 24)) '#2F7FC4'
	click 266 $((bar + 24))
	xdotool key 3
	xdotool mousemove --window "$window" 200 $((bar + 300)) mousedown 1 \
		mousemove --window "$window" 700 $((bar + 500)) mouseup 1
	ok "the mouse paints" eventually has_color 450 $((bar + 400)) '#2F7FC4'
	xdotool mousemove --window "$window" 900 $((bar + 700))
	xdotool key s
	eventually is_whole "$share/art.ppm"
	convert -size 1024x720 xc:'#fffdf6' -stroke '#2f7fc4' -strokewidth 14 -draw 'stroke-linecap round line 200,252 700,452' \
		"$work/line.png"
	ok "what was painted is where the mouse was" same "$share/art.ppm" "$work/line.png" 30%
	ok "the window shows it" eventually shows "1024x720+0+$((bar + 48))" "$work/line.png" 30%
	keep crumb-paint
	xdotool key q
}

other_size() {
	xdotool windowsize --sync "$window" 1200 $((700 + bar))
	ok "crumb follows the window's size" eventually picture_is 1200x700
	ok "without an edge" eventually eval '! has_color 1198 $((bar + 698)) "#000000"'
	ok "all that it says stands above the table" eventually eval \
		'picture_is 1200x700 && has_amber 280x37+75+546 && ! has_amber 280x60+75+583'
	keep crumb-resized
}

speed() {
	show_console
	local took
	took=$("$tap" time "$work/console" 50)
	case $? in
	0) ;;
	77) echo "# no libXtst: the time that keys take is not measured" ;;
	*) fail "keys are echoed" ;;
	esac
	echo "$took"
	ok "a key press and crumb's echo take at most 5 ms" half_within 5000 "$took"
	xdotool key ctrl+u
}

all_at_once() {
	start --window --console "file=$work/console" || return
	greeting
	painting
	other_size
	speed
	"$tap" close "$window"
	ok "closing the window powers crumb off" ends_with 0
}

# Twice the density: each of the guest's pixels is four of the window's.
dense() {
	GDK_SCALE=2 start --window=640x480 || return
	ok "a dense screen does not make the guest's picture larger" eventually picture_is 640x480
	bar=$(($(height) - 960))
	show_console
	type_line 'paint'
	show_screen
	ok "a click is where it seems to be" eventually has_color 532 $((bar + 48)) '#2F7FC4'
	click 532 $((bar + 48))
	xdotool mousemove --window "$window" 400 $((bar + 400)) mousedown 1 \
		mousemove --window "$window" 1000 $((bar + 700)) mouseup 1
	eventually has_color 700 $((bar + 550)) '#2F7FC4'
	picture_is 640x480
	convert "$shot" -filter point -resize 200% "$work/double.png"
	ok "and pixels are sharp squares" eventually shows "1280x960+0+$bar" "$work/double.png" 2%
	keep crumb-dense
	"$tap" close "$window"
	ok "closing works there, too" ends_with 0
}

headless() {
	(cd "$work" && SDL_VIDEODRIVER=x11 DISPLAY=:9999 timeout 60 "$run" --window --console stdio <<<'poweroff 7' >"$work/out" 2>"$work/said")
	ok "without a display the guest runs" [ $? = 7 ]
	ok "and one line says why" eval '[ "$(wc -l <"$work/said")" = 1 ] && grep -q "window: there is no display (SDL_VIDEODRIVER=x11: " "$work/said"'
}

start_display 1600x1300
all_at_once
dense
headless
exit $status
