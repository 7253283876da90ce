#!/bin/sh
# Every header compiles alone: all of them as C17, those of include/biscuit also as C++17 where there is a C++ compiler.
#
# usage: check-headers.sh [top source folder]     environment: CC, CXX, CPPFLAGS, WINDOW_CFLAGS, srcdir (used without an argument)
# Headers for the guest are not the host's and are left out, as are those that need SDL where it is not there
# (WINDOW_CFLAGS is empty). Exit status: 0 all compile, 1 some do not.

top=${1:-${srcdir:-.}}
cc=${CC:-cc}
cxx=${CXX:-c++}
warnings="-Wall -Wextra -Wno-unused-function -Werror"
failed=0
checked=0

# Compiles a file that does nothing but include header $1 (relative to $top), with the compiler and flags that follow.
compiles_alone() {
	header=$1
	shift
	checked=$((checked + 1))
	if ! messages=$(echo "#include \"$header\"" |
		"$@" $warnings -I"$top/include" -I"$top" -I. $CPPFLAGS $WINDOW_CFLAGS -fsyntax-only - 2>&1); then
		echo "FAIL: $header does not compile alone ($*)"
		echo "$messages" | head -n 6
		failed=$((failed + 1))
	fi
}

headers_below() {
	(cd "$top" && find "$@" -name '*.h' 2>/dev/null | sort) | if [ -n "$WINDOW_CFLAGS" ]; then
		cat
	else
		grep -v -e '^frontend/window/' -e '^tests/unit/view_rig.h'
	fi
}

for h in $(headers_below include src modules magicfs frontend tests/unit); do
	compiles_alone "$h" $cc -x c -std=gnu17 -Wconversion -Wshadow
done
if command -v ${cxx%% *} >/dev/null 2>&1; then
	for h in $(headers_below include); do
		compiles_alone "$h" $cxx -x c++ -std=c++17 -Wpedantic
	done
else
	echo "note: no C++ compiler, the public headers are checked as C only"
fi

if [ "$checked" -eq 0 ]; then
	echo "FAIL: no header found below '$top'"
	exit 1
fi
echo "headers: $checked compilations, $failed failed"
[ "$failed" -eq 0 ]
