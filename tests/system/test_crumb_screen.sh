#!/bin/bash
# crumb on the native framebuffer, on both widths: the greeting, the pointer, moving pictures, painting with the mouse,
# another size, the power key. Both widths draw the same pixels; frame.png of the mount is the same picture.
# shellcheck disable=SC2154 source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
datadir=${BISCUIT_DATADIR:-guest/crumb}
for width in 64 32; do
	need_file "$datadir/crumb-rv$width.elf" gcc-riscv64-unknown-elf
done
need_screen
share=$work/share mount=$work/mount
mkdir "$share" "$mount" || exit 1

# stroke X Y X Y...: paints a line through these places.
cat >"$work/stroke" <<END
#!/bin/bash
$work/look point \$1 \$2 && $work/look button button-left 1 || exit 1
shift 2
while [ \$# -gt 0 ]; do
	$work/look point \$1 \$2 || exit 1
	shift 2
done
$work/look button button-left 0
END
# moves: does the picture change?
cat >"$work/moves" <<END
#!/bin/bash
$work/look ppm $work/first.ppm
for i in \$(seq 100); do
	$work/look ppm $work/next.ppm
	cmp -s $work/first.ppm $work/next.ppm || exit 0
done
exit 1
END
chmod 755 "$work/stroke" "$work/moves"

# The upper lines of the greeting, where the biscuit never comes; a sheet of paper with two strokes and a dot.
greeting_sum='2401835568 614416'
painting_sum='4229005050 2211856'

mounted=()
same_frame=true
if [ -w /dev/fuse ] && command -v fusermount3 convert >/dev/null && "$run" --help | grep -q -e --mount; then
	mounted=(--mount "$mount")
	same_frame="$look ppm $work/seen.ppm && if cp $mount/dev/fb/frame.png $work; then
		convert $work/frame.png ppm:- | cmp - $work/seen.ppm; else grep 'without pictures' $mount/errstr; fi"
	same_frame=${same_frame//$'\n\t\t'/ }
fi

for width in 64 32; do
	talk "screen$width" --isa "rv$width" --share "$share" "${mounted[@]}" \
		--module "$SCREEN_MODULE,display=fb,orders=$work/screen-orders,answers=$work/screen-answers" <<END
expect 20 crumb> 
host rv$width, the screen has its usual size: $look size 1024 768 20
host rv$width, the greeting is drawn: $look pixel 367 100 f3b562 20 && $look pixel 10 760 4a2b18 20
host rv$width, the same as ever: $look ppm $work/seen.ppm && sum=\$(head -c \$((16 + 3 * 1024 * 200)) $work/seen.ppm | cksum) && { [ "\$sum" = "$greeting_sum" ] || { echo "\$sum"; false; }; }
host rv$width, the biscuit bounces: $work/moves
host rv$width, the pointer goes where the mouse is: $look point 700 60 && $look pixel 702 66 fff6e6 10
host rv$width, and leaves nothing behind: $look point 900 60 && $look ppm $work/again.ppm && $look point 700 60 && $look pixel 702 66 fff6e6 10
send draw cubes
expect 20 usage: draw
send draw -t 1 plasma
expect 20 drawing
expect 20 crumb> 
ok rv$width, a moving picture ends when it was told to
send draw curves
expect 20 drawing
host rv$width, the curves move: $look pixel 5 5 0d1018 20 && $work/moves
host rv$width, a key ends them: $look press enter
expect 20 crumb> 
host rv$width, who goes to the console looks away: $look watch 0
send draw stars
expect 20 drawing
host rv$width, and finds the stars moving afterwards: $look watch 1 && $look pixel 2 2 05060c 20 && $work/moves && $look press enter
expect 20 crumb> 
send paint art.ppm
expect 20 painting
host rv$width, a sheet of paper lies there: $look pixel 500 400 fffdf6 20
host rv$width, a line is painted: $work/stroke 100 200 300 260 500 150
host rv$width, another brush and colour: $work/stroke 265 24 && $look press 3 && $look type 4
host rv$width, another line, and a dot: $work/stroke 600 300 800 500 && $work/stroke 900 700
host rv$width, it shows: $look pixel 200 230 c62f2a 10
host rv$width, the picture of the mount is the same: $same_frame
host rv$width, it is saved, and left: $look type s && $look type q
expect 20 crumb> 
host rv$width, both widths paint the same: sum=\$(cksum <$share/art.ppm) && { [ "\$sum" = "$painting_sum" ] || { echo "\$sum"; false; }; }
send mem
expect 20 the screen's pictures +[1-9][0-9]* KiB
expect 20 free +[0-9]+ KiB +[0-9]+ pages[[:space:]]*crumb> 
ok rv$width, no memory is unaccounted for
host rv$width, another size is wished for: $look wish 800 600 && $look size 800 600 20 && $look pixel 2 2 141a30 20
host rv$width, and the greatest: $look wish 4096 4096
send mem
expect 20 crumb> 
host rv$width, the power key is pressed: $look press power
expect 20 power key
end 20 0
END
	rm -f "$share/art.ppm"
done

# Without anybody who looks nothing is drawn, and it starts as fast.
if echo 'draw' | timeout 60 "$run" 2>&1 | grep -q '^draw: nobody looks at the screen'; then
	echo "ok - without a viewer there are no pictures"
else
	echo "not ok - without a viewer there are no pictures"
	status=1
fi
exit $status
