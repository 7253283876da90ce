# What the tests of the window have in common; sourced after tests/system/lib.sh. A display of its own, what is seen in
# the window, and comparing pictures. Pictures of what was seen go to $KEEP_LOGS where that is set.
# shellcheck shell=bash disable=SC2034,SC2154
need_command Xvfb xvfb
need_command xdotool xdotool
need_command import imagemagick
unset GDK_SCALE SDL_VIDEODRIVER WAYLAND_DISPLAY XDG_RUNTIME_DIR
export SDL_RENDER_DRIVER=software
LSAN_OPTIONS=${LSAN_OPTIONS:+$LSAN_OPTIONS:}print_suppressions=0:suppressions=$(realpath "${srcdir:-.}/tests/system/window/lsan.supp")
export LSAN_OPTIONS
pid='' xvfb='' window=''

cleanup() {
	[ "$BASHPID" = $$ ] || return
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	[ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

# Looks again and again until the command is true, for half a minute.
eventually() {
	local end=$((SECONDS + 30))
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		read -r -t 0.02 <>"$work/never" # a look every 20 ms
	done
	return 0
}
mkfifo "$work/never"

start_display() { # WIDTHxHEIGHT
	[ -z "$xvfb" ] || kill "$xvfb"
	rm -f "$work/display"
	Xvfb -displayfd 3 -noreset -screen 0 "$1x24" -dpi 96 3>"$work/display" 2>/dev/null &
	xvfb=$!
	eventually test -s "$work/display" || skip "Xvfb does not start"
	DISPLAY=:$(cat "$work/display")
	export DISPLAY
}

no_longer() { ! kill -0 "$1" 2>/dev/null; }

find_window() { # TITLE
	window=$(timeout 30 xdotool search --sync --onlyvisible --name "$1" | head -n 1)
	[ -n "$window" ] && timeout 30 xdotool windowfocus --sync "$window"
}

# --- What is seen ---

width() { xdotool getwindowgeometry --shell "$window" | sed -n 's/^WIDTH=//p'; }
height() { xdotool getwindowgeometry --shell "$window" | sed -n 's/^HEIGHT=//p'; }
has_size() { [ "$(width)x$(height)" = "$1" ]; }
title_is() { xdotool getwindowname "$window" | grep -qxE "$1"; }

# Pixels of the window, at least as large as the picture: WIDTHxHEIGHT+X+Y.
photograph() { import -silent -window "$window" -crop "$1" +repage "$work/photo.png"; }

# At most one pixel in a thousand differs by more than the tolerance.
same() { # PICTURE REFERENCE TOLERANCE
	local differ all
	differ=$(compare -metric AE -fuzz "$3" "$1" "$2" null: 2>&1)
	all=$(identify -format '%w*%h/1000' "$1")
	case $differ in *[!0-9]* | '') return 1 ;; esac
	[ "$differ" -le $((all)) ]
}

shows() { # GEOMETRY REFERENCE [TOLERANCE]
	photograph "$1" && same "$work/photo.png" "$2" "${3:-2%}"
}

keep() {
	[ -z "${KEEP_LOGS:-}" ] || import -silent -window root "$KEEP_LOGS/window-$1.png"
}

color_at() { # X Y
	import -silent -window "$window" -crop "1x1+$1+$2" +repage -depth 8 txt:- | grep -o '#[0-9A-F]\{6\}' | head -n 1
}
has_color() { [ "$(color_at "$1" "$2")" = "$3" ]; }

# What tap has printed: half of the keys took at most that many microseconds.
half_within() { # US LINE
	local took=${2##*half within }
	[ -z "$2" ] || [ "${took%% *}" -le "$1" ]
}
