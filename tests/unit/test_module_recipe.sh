#!/bin/sh
# Follows docs/add-a-module.md to the letter: puts its C blocks into thermometer.c and its guest block into guest.c, runs
# its commands, and compares the output with the page. The commands find the build folder's program and headers in place of
# installed ones. Without a RISC-V compiler the guest is left out.
set -u

top=$(cd "${srcdir:-.}" && pwd)
build=$(cd "${top_builddir:-.}" && pwd)
page=$top/docs/add-a-module.md
run=${BISCUIT_RUN:-$build/biscuit-run}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

count=0
failed=0
# result STATUS WHAT: one line of TAP.
result() {
	count=$((count + 1))
	if test "$1" -eq 0; then echo "ok $count - $2"; else echo "not ok $count - $2"; failed=1; sed 's/^/# /' "$dir/log"; fi
}
finish() {
	echo "1..$count"
	exit $failed
}

# blocks KIND NUMBER: the text of one block.
blocks() {
	awk -v kind="$1" -v wanted="$2" '
		$0 == "```" { inside = 0; next }
		/^```/ { inside = $0 == "```" kind && ++n == wanted; next }
		inside' "$page"
}

# The installed commands by other means.
mkdir "$dir/bin" || exit 99
cat >"$dir/bin/cc" <<END
#!/bin/sh
exec ${CC:-gcc} -Werror "\$@"
END
cat >"$dir/bin/pkg-config" <<END
#!/bin/sh
echo "-I$top/include"
END
cat >"$dir/bin/biscuit-run" <<END
#!/bin/sh
exec "$run" "\$@"
END
chmod +x "$dir"/bin/*
PATH=$dir/bin:$PATH
BISCUIT_SDK=$top/guest/sdk
BISCUIT_H_DIR=$build/guest/sdk/include
export PATH BISCUIT_SDK BISCUIT_H_DIR

cd "$dir" || exit 99
for n in 1 2 3 4 5; do blocks c $n; echo; done >thermometer.c
blocks c 6 >guest.c
blocks sh 1 >build.sh
blocks sh 2 >guest.sh
blocks text 1 >expected
for file in thermometer.c guest.c build.sh guest.sh expected; do
	test -s "$file" || { echo "Bail out! the page has no text for $file"; exit 1; }
done

sh -e build.sh >log 2>&1
result $? "the module builds and explains itself"
for words in thermometer 'celsius .*temperature at the start (default 20)' 'measured .*measurements so far'; do
	grep -q "$words" log
	result $? "the help has: $words"
done

biscuit-run --module ./thermometer.so,at=0x10020000,celsius=5000 --dump-dtb /dev/null >log 2>&1 </dev/null
test $? -ne 0 && grep -q 'thermometer: celsius=5000: expected at most 1000' log
result $? "a wrong option is named"
biscuit-run --module ./thermometer.so --dump-dtb /dev/null >log 2>&1 </dev/null
test $? -ne 0 && grep -q 'thermometer: needs at=ADDRESS' log
result $? "a missing place is named"

biscuit-run --module ./thermometer.so,at=0x10020000,irq=12 --dump-dtb tree >log 2>&1 </dev/null &&
	grep -q -a 'thermometer@10020000' tree && grep -q -a 'example,thermometer' tree && grep -q -a 'max-celsius' tree
result $? "the device tree has its node"

if command -v "${RISCV_CC:-riscv64-unknown-elf-gcc}" >/dev/null 2>&1; then
	sh -e guest.sh >log 2>&1 </dev/null
	result $? "the guest builds and runs"
	tail -n "$(wc -l <expected)" log | tr -d '\r' | cmp -s - expected
	result $? "it prints what the page says"
else
	echo "# no RISC-V compiler: the guest is left out"
fi
finish
