#!/bin/bash
# The window under Xvfb: tests/system/window/window_rig is a machine whose devices do what this script says and print
# what a guest would get.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "${srcdir:-.}/tests/system/lib.sh"
rig=$(realpath "${WINDOW_RIG:-tests/system/window/window_rig}")
. "${srcdir:-.}/tests/system/window/lib.sh"
[ -x "$rig" ] || skip "this build has no window"
seen=1 tap=${WINDOW_TAP:-tests/system/window/tap}

# --- The rig ---

printed() { tail -n "+$seen" "$work/out" | grep -qxE "$1"; }
is_ready() { printed ready || no_longer "$pid"; }

# From now on only what is printed later counts.
forget() { seen=$(($(wc -l <"$work/out") + 1)); }

count() { tail -n "+$seen" "$work/out" | grep -c "$1"; }
counts() { [ "$(count "$2")" = "$1" ]; }

# The guest got these in this order, perhaps among others: events with ";" between them.
got() {
	local IFS=';' event
	local at=$seen line
	for event in $1; do
		line=$(tail -n "+$at" "$work/out" | grep -nxE "$event" | head -n 1 | cut -d: -f1)
		[ -n "$line" ] || return 1
		at=$((at + line))
	done
}

start() { # WORD...
	rm -f "$work/orders" "$work/out"
	mkfifo "$work/orders"
	: >"$work/out"
	seen=1
	(cd "$work" && exec "$rig" title=test.elf "$@" <"$work/orders" >"$work/out" 2>"$work/said") &
	pid=$!
	exec 4>"$work/orders"
	eventually is_ready || return 1
	printed ready || {
		cat "$work/said"
		return 1
	}
	find_window '^test.elf'
}

order() {
	forget
	echo "$*" >&4
	eventually printed 'done'
}

finish() {
	echo end >&4
	exec 4>&-
	eventually no_longer "$pid" || fail "the rig does not end"
	wait "$pid" || fail "the rig failed: $(cat "$work/said")"
	pid=
}

# The test pattern of the rig, made anew.
reference() { # WIDTH HEIGHT
	awk -v w="$1" -v h="$2" 'BEGIN {
		printf "P3 %d %d 255\n", w, h
		for (y = 0; y < h; y++)
			for (x = 0; x < w; x++)
				if (x == 0 || y == 0 || x == w - 1 || y == h - 1)
					print "255 255 255"
				else
					print int(x * 255 / w), int(y * 255 / h), (int(x / 32) + int(y / 32)) % 2 ? 160 : 0
	}' | convert ppm:- "$work/reference-$1x$2.png"
}

# --- The pointer ---

# The guest's pixel of the last position it was told of.
pixel_is() { # X Y WIDTH HEIGHT
	tail -n "+$seen" "$work/out" | awk -v X="$1" -v Y="$2" -v W="$3" -v H="$4" '
		$1 == "absolute" { x = int($2 * W / 32768); y = int($3 * H / 32768); n++ }
		END { exit !(n && x == X && y == Y) }'
}

# Clicks at a point of the window; the guest has to see it in that pixel.
clicks_at() { # X Y PIXEL-X PIXEL-Y WIDTH HEIGHT
	forget
	xdotool mousemove --window "$window" "$1" "$2" click 1
	eventually got 'button 272 1;button 272 0' && pixel_is "$3" "$4" "$5" "$6"
}

# --- Tests ---

picture_and_keys() {
	start guest=640x480 || { fail "the window opens"; return; }
	bar=$(($(height) - 480))
	ok "the window has the size of the picture" eventually has_size "640x$((480 + bar))"
	ok "the bar is small" [ "$bar" -gt 8 -a "$bar" -lt 60 ]
	reference 640 480
	ok "the picture is shown pixel by pixel" eventually shows "640x480+0+$bar" "$work/reference-640x480.png" 0
	ok "the title says what runs and how" eventually title_is 'test\.elf - running, [0-9.]+ MIPS'
	keep picture
	photograph "200x$bar+0+0"
	cp "$work/photo.png" "$work/bar.png"

	forget
	xdotool type 'aB!'
	ok "typing reaches the guest as keys and text" eventually got \
		'key 30 1;text U.0061;key 30 0;key 42 1;key 48 1;text U.0042;key 42 0;key 2 1;text U.0021;key 2 0'
	forget
	xdotool key Return ctrl+c
	ok "a control character is no text" eventually got 'key 28 1;key 28 0;key 29 1;key 46 1;key 46 0'
	ok "nor is enter" eval '! printed "text .*"'

	ok "a click at the first pixel" clicks_at 0 "$bar" 0 0 640 480
	ok "a click in the middle" clicks_at 320 $((240 + bar)) 320 240 640 480
	ok "a click at the last pixel" clicks_at 639 $((479 + bar)) 639 479 640 480
	forget
	xdotool mousemove --window "$window" 100 200 click 4 click 5 click 3
	ok "wheel and the right button" eventually got 'wheel 0 120;wheel 0 -120;button 273 1;button 273 0'

	order fill ff0000 100 100 50 20
	ok "a change is shown" eventually has_color 101 $((101 + bar)) '#FF0000'
	order lost
	order fill 00ff00 100 100 50 20
	ok "a renderer that lost its textures goes on" eventually has_color 101 $((101 + bar)) '#00FF00'
	order broken 2
	order fill 0000ff 100 100 50 20
	ok "one that is gone is made anew" eventually has_color 101 $((101 + bar)) '#0000FF'
	ok "with its letters" eval '[ "$(convert "$work/bar.png" -unique-colors -format %w info:)" -gt 4 ] && shows "200x$bar+0+0" "$work/bar.png"'
	order mode 640x480
	ok "all of it" eventually shows "640x480+0+$bar" "$work/reference-640x480.png" 0

	forget
	xdotool key ctrl+alt+s
	ok "a screenshot is a file here" eventually test -s "$work/biscuit-0001.png"
	eventually identify "$work/biscuit-0001.png" >/dev/null 2>&1
	ok "with the guest's picture" same "$work/biscuit-0001.png" "$work/reference-640x480.png" 0
	ok "of which the guest got no key" eval '! printed "key 31 .*"'

	order mode 800x600
	ok "the window follows the guest's mode" eventually has_size "800x$((600 + bar))"
	reference 800 600
	ok "and shows it" eventually shows "800x600+0+$bar" "$work/reference-800x600.png" 0
	finish
}

guest_memory() {
	start guest=640x480 memory || { fail "the window opens"; return; }
	ok "a picture in guest memory" eventually shows "640x480+0+$bar" "$work/reference-640x480.png" 0
	order fill 123456 10 10 4 4
	ok "its changes are found" eventually has_color 11 $((11 + bar)) '#123456'
	finish
}

scales() {
	start guest=640x480 scale=2 || { fail "the window opens"; return; }
	convert "$work/reference-640x480.png" -filter point -resize 200% "$work/double.png"
	ok "twice the size" eventually has_size "1280x$((960 + bar))"
	ok "without blurring" eventually shows "1280x960+0+$bar" "$work/double.png" 0
	ok "a click at the first pixel at twice the size" clicks_at 1 $((bar + 1)) 0 0 640 480
	ok "a click at the last pixel at twice the size" clicks_at 1278 $((bar + 958)) 639 479 640 480
	ok "a click between at twice the size" clicks_at 301 $((bar + 500)) 150 250 640 480
	finish

	GDK_SCALE=2 start guest=640x480 || { fail "the window opens"; return; }
	twice=$(($(height) - 960))
	ok "a desktop of twice the density: the picture" eventually shows "1280x960+0+$twice" "$work/double.png" 0
	ok "the bar" [ "$twice" -gt $((bar * 3 / 2)) ]
	ok "clicks" clicks_at 1279 $((twice + 1)) 639 0 640 480
	keep dense
	finish
}

resizing() {
	start guest=640x480 || { fail "the window opens"; return; }
	forget
	xdotool windowsize --sync "$window" 1000 $((600 + bar))
	ok "the guest is asked for the new size" eventually printed 'wish 1000x600'
	# 800x600 in the middle of 1000x600.
	convert "$work/reference-640x480.png" -filter triangle -resize 800x600 "$work/fit.png"
	ok "until it has it, the picture fits the window" eventually shows "800x600+100+$bar" "$work/fit.png" 12%
	ok "with black beside it" has_color 50 $((bar + 300)) '#000000'
	ok "a click at its first pixel" clicks_at 100 "$bar" 0 0 640 480
	ok "a click in its middle" clicks_at 500 $((bar + 300)) 320 240 640 480
	ok "a click at its last pixel" clicks_at 899 $((bar + 599)) 639 479 640 480
	forget
	xdotool mousemove --window "$window" 50 $((bar + 300)) click 1
	xdotool key x
	eventually got 'key 45 0'
	ok "a click beside it is none" eval '! printed "button .*"'
	keep fit
	order mode 1000x600
	reference 1000 600
	ok "the guest's new picture fills it" eventually shows "1000x600+0+$bar" "$work/reference-1000x600.png" 0
	ok "the window keeps its size" has_size "1000x$((600 + bar))"
	finish

	start guest=640x480 size=800x600 || { fail "the window opens"; return; }
	ok "a given size is that of the picture's area" has_size "800x$((600 + bar))"
	ok "which the guest is asked for" eventually printed 'wish 800x600'
	finish

	start guest=640x480 fixed || { fail "the window opens"; return; }
	forget
	xdotool windowsize --sync "$window" 700 600
	xdotool key ctrl+alt+0
	ok "a key gives back the guest's size" eventually has_size "640x$((480 + bar))"
	ok "a guest that cannot resize is not asked" eval '! printed "wish .*"'
	finish
}

whole_screen() {
	convert "$work/reference-640x480.png" -filter triangle -resize 1600x1200 "$work/large.png"
	start guest=640x480 || { fail "the window opens"; return; }
	forget
	xdotool key F11
	ok "full screen asks for the screen's size" eventually printed 'wish 1600x1300'
	# There is no window manager, which would do this.
	xdotool windowmove --sync "$window" 0 0 windowsize --sync "$window" 1600 1300
	ok "the picture fills the screen" eventually shows 1600x1200+0+50 "$work/large.png" 12%
	# 640x480 fits 1600x1300 as 1600x1200, 50 pixels from the upper edge.
	ok "without a bar" eventually has_color 800 20 '#000000'
	ok "clicks" clicks_at 0 50 0 0 640 480
	xdotool mousemove --window "$window" 5 0
	ok "the bar comes at the upper edge" eventually eval '! has_color 800 5 "#000000"'
	keep fullscreen
	xdotool mousemove --window "$window" 800 700
	ok "and goes" eventually has_color 800 5 '#000000'
	xdotool key ctrl+alt+f
	xdotool windowsize --sync "$window" 640 $((480 + bar))
	ok "and back" eventually shows "640x480+0+$bar" "$work/reference-640x480.png" 0
	finish
}

mouse() {
	start guest=640x480 || { fail "the window opens"; return; }
	order takes key relative button wheel
	ok "the title says how to use the mouse" eventually title_is '.* - a click takes the mouse'
	forget
	xdotool mousemove --window "$window" 300 300 click 1
	ok "a click takes the mouse" eventually title_is '.* - Ctrl-Alt-G releases the mouse'
	ok "and is not the guest's" eval '! printed "button 272 1"'
	forget
	xdotool mousemove_relative 7 0
	ok "motion is relative" eventually got 'relative [1-9][0-9]* 0'
	xdotool click 1
	ok "a second click is the guest's" eventually got 'button 272 1;button 272 0'
	xdotool key ctrl+alt+g
	ok "a key releases it" eventually title_is '.* - a click takes the mouse'
	order cursor 16
	order move 200 100
	ok "the guest's pointer is drawn where it is" eventually has_color 200 $((100 + bar)) '#FFFF00'
	ok "with its hot spot there" has_color 192 $((92 + bar)) '#000000'
	keep pointer
	order move 0 0
	ok "also half outside" eventually has_color 2 $((2 + bar)) '#FFFF00'
	order takes key absolute button
	xdotool mousemove --window "$window" 310 310
	ok "and not where the host's looks like it" eventually eval '! has_color 2 $((2 + bar)) "#FFFF00"'
	order cursor 24
	order takes key relative
	order cursor 0
	ok "until it has none" eventually has_color 2 $((2 + bar)) "$(convert "$work/reference-640x480.png" -crop 1x1+2+2 txt:- |
		grep -o '#[0-9A-F]\{6\}' | head -n 1)"

	order takes key absolute button
	xdotool keydown a
	eventually printed 'key 30 1'
	xdotool mousemove --window "$window" 300 300 mousedown 1
	eventually printed 'button 272 1'
	xdotool key F12
	ok "leaving the screen releases keys and buttons" eventually got 'key 30 0;button 272 0'
	xdotool mouseup 1 keyup a
	finish
}

focus() {
	command -v xev >/dev/null || { echo "# no xev: losing the keyboard is not tested"; return; }
	start guest=640x480 || { fail "the window opens"; return; }
	xev -geometry 50x50+0+0 -event mouse >/dev/null &
	local other=$!
	local id
	id=$(xdotool search --sync --onlyvisible --name 'Event Tester' | head -n 1)
	forget
	xdotool keydown --window 0 b
	eventually printed 'key 48 1'
	xdotool windowfocus "$id"
	ok "losing the keyboard releases keys" eventually printed 'key 48 0'
	xdotool keyup b
	kill $other
	finish
}

text() {
	start guest=640x480 || { fail "the window opens"; return; }
	if command -v xclip >/dev/null; then
		printf 'aZ\xc3\xa4\nq' | xclip -i -selection clipboard -loops 1 &
		eventually eval '[ -n "$(jobs -r %xclip 2>/dev/null)" ]'
		forget
		xdotool key ctrl+alt+v
		ok "pasting types" eventually got \
			'key 30 1;text U.0061;key 30 0;key 42 1;key 44 1;text U.005A;key 44 0;key 42 0;text U.00E4;key 28 1;key 28 0;key 16 1'
		ok "with no key held down" got 'key 29 0;key 30 1'
	else
		echo "# no xclip: pasting is not tested"
	fi
	forget
	xdotool type --delay 0 "$(printf 'abcdefghij%.0s' {1..60})"
	ok "a flood of keys arrives" eventually counts 600 '^text '
	# SDL takes a key that is pressed again within 2 ms for one that repeats.
	ok "and none stays pressed" eventually eval '[ "$(count "^key [0-9]* 1")" = "$(count "^key [0-9]* 0")" ]'
	order refuse on
	xdotool type --delay 0 "$(printf 'abcdefghij%.0s' {1..60})"
	order refuse off
	order fill 00ffff 5 5 5 5
	ok "a guest that takes none does no harm" eventually has_color 6 $((6 + bar)) '#00FFFF'
	finish
}

views() {
	start guest=640x480 || { fail "the window opens"; return; }
	xdotool key F12
	ok "F12 shows another view" eventually eval '! shows "640x400+0+$bar" "$work/reference-640x480.png"'
	forget
	xdotool mousemove --window "$window" 20 $((bar / 2)) click 1
	ok "its tab brings the screen back" eventually shows "640x400+0+$bar" "$work/reference-part.png" 0
	xdotool mousemove --window "$window" 300 300
	order none
	ok "without a picture the console is shown" eventually eval '! shows "640x400+0+$bar" "$work/reference-part.png"'
	order mode 640x480
	ok "and with one the screen again" eventually shows "640x400+0+$bar" "$work/reference-part.png" 0
	xdotool key ctrl+alt+p
	ok "a key pauses" eventually title_is 'test\.elf - paused'
	keep paused
	xdotool key ctrl+alt+p
	ok "and resumes" eventually title_is 'test\.elf - running.*'
	order drop /tmp/some/file
	xdotool key x
	eventually printed 'key 45 0'
	ok "without a place for them files are not taken" eval '! printed "dropped .*"'
	order second 3366cc
	ok "a second display has a tab, too" eventually eval 'xdotool key F12; has_size "400x$((300 + bar))"'
	ok "and shows its own" eventually has_color 200 $((150 + bar)) '#3366CC'
	keep second
	finish
	start guest=640x480 drop || { fail "the window opens"; return; }
	order drop /tmp/some/file
	ok "a dropped file is passed on" eventually printed 'dropped /tmp/some/file'
	finish
}

closing() {
	start guest=640x480 || { fail "the window opens"; return; }
	forget
	echo close >&4
	ok "closing presses the power key" eventually got 'key 116 1;key 116 0'
	ok "and leaves the machine running" title_is 'test\.elf - running.*'
	echo close >&4
	ok "closing again ends it" eventually printed stopped
	ok "which the title says" eventually title_is 'test\.elf - ended'
	finish
	start guest=640x480 || { fail "the window opens"; return; }
	order takes absolute
	order close
	order mode 640x480
	ok "a guest without a power key goes on" title_is 'test\.elf - running.*'
	echo close >&4
	ok "until it is closed again" eventually printed stopped
	finish
}

# The rig fails with one clear line.
fails_with() { # PATTERN
	local said
	said=$(timeout 20 "$rig" guest=64x64 </dev/null 2>&1 >/dev/null)
	[ "$(wc -l <<<"$said")" = 1 ] && grep -qE "$1" <<<"$said"
}

# Processor seconds a second that a line of the rig tells of, in thousandths.
thousandths() { sed -n "s/^$1: .* \\([0-9]*\\)\\.\\([0-9]\\{3\\}\\)[0-9]* processor seconds.*/\\1\\2/p" "$work/out" | tail -n 1; }
at_most() { [ -n "$1" ] && [ "$((10#$1))" -le "$2" ]; }

figures() { # WORD...
	start guest=1920x1080 "$@" || { fail "the window opens"; return; }
	xdotool mousemove 5 1400
	order still 3
	order redraw 3
	order mode 1920x1080
	grep ': .* a second' "$work/out"
	grep -qx instrumented "$work/out" && { finish; return; }
	ok "a screen that stands still costs at most 1% of a core" at_most "$(thousandths still)" 10
	ok "60 whole pictures a second at most half a core" at_most "$(thousandths redraw)" 500
	finish
}

latency() {
	local took
	start guest=640x480 || { fail "the window opens"; return; }
	took=$("$tap" time "$work/out" 50)
	case $? in
	0) ;;
	77) echo "# no libXtst: the time that keys take is not measured" ;;
	*) fail "keys arrive" ;;
	esac
	echo "$took"
	ok "a key press gets to the guest's device within 5 ms" half_within 5000 "$took"
	finish
}

# A guest draws for those who look.
unseen() {
	start guest=640x480 "$@" || { fail "the window opens"; return; }
	eventually shows "640x400+0+$bar" "$work/reference-part.png" 0
	ok "the guest's screen is watched" eval 'grep -qx watched "$work/out" && ! grep -qx unwatched "$work/out"'
	forget
	xdotool key F12
	ok "behind another view it is not, after a moment" eventually printed unwatched
	order fill 123456 10 10 4 4
	forget
	xdotool windowsize --sync "$window" 700 $((480 + bar))
	xdotool mousemove --window "$window" 20 $((bar / 2)) click 1
	ok "shown again it is watched" eventually printed watched
	ok "with what has changed meanwhile" eventually has_color $((30 + 11)) $((bar + 11)) '#123456'
	ok "and the size that the user wants now" eventually printed 'wish 700x480'
	order fill 654321 10 10 4 4
	ok "and goes on" eventually has_color $((30 + 11)) $((bar + 11)) '#654321'
	xdotool key F12
	eventually printed unwatched
	forget
	order none
	ok "without a picture it is watched, shown or not" eventually printed watched
	order mode 640x480
	ok "until there is one" eventually printed unwatched
	finish
}

no_display() {
	ok "no display says so" env -u DISPLAY bash -c "$(declare -f fails_with); rig=$rig; fails_with 'there is no display \(neither'"
	DISPLAY=:9999 ok "one that is not there, too" fails_with 'there is no display \(DISPLAY=:9999'
	SDL_VIDEODRIVER=nonesuch ok "and a driver" fails_with 'there is no display \(SDL_VIDEODRIVER=nonesuch: '
	ok "a driver without a screen works" env -u DISPLAY SDL_VIDEODRIVER=dummy \
		bash -c 'echo end | timeout 20 "$0" guest=64x64 | grep -q ready' "$rig"
}

start_display 1600x1300
picture_and_keys
convert "$work/reference-640x480.png" -crop 640x400+0+0 +repage "$work/reference-part.png"
guest_memory
scales
resizing
whole_screen
mouse
focus
text
views
unseen
unseen memory
closing
no_display
latency
start_display 2560x1440
figures
figures memory
exit $status
