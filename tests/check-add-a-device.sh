#!/bin/sh
# Follows docs/add-a-device.md: compiles the device and the test that it shows, and runs the test on the fake machine.
srcdir=${srcdir:-.}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT

# Code block number $1 of the recipe.
block() {
	awk -v wanted="$1" '/^```c$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside && n == wanted' \
		"$srcdir/docs/add-a-device.md"
}

{
	printf '#include <cmocka.h>\n' >"$dir/probe.c"
	${CC:-cc} -include setjmp.h -include stdarg.h -include stddef.h -include stdint.h -fsyntax-only "$dir/probe.c"
} 2>/dev/null || { echo "cmocka is missing"; exit 77; }

block 1 >"$dir/dice.c"
{
	echo '#include "tests/unit/fake_machine.h"'
	echo 'extern const struct bis_module_class bis_dice_class;'
	awk '/^static void numbers_stay/ { found = 1 } END { exit !found }' "$srcdir/docs/add-a-device.md" || exit 99
	block 4
	echo 'int main(void)'
	echo '{'
	echo '	const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_stay_within_the_limit)};'
	echo '	return cmocka_run_group_tests_name("dice", tests, NULL, NULL);'
	echo '}'
} >"$dir/test_dice.c"

${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$srcdir/include" -I"$srcdir" -o "$dir/test_dice" "$dir/dice.c" \
	"$dir/test_dice.c" "$srcdir"/tests/unit/fake_*.c "$srcdir/src/machine/chardev.c" "$srcdir/src/machine/damage.c" \
	"$srcdir"/src/machine/display*.c "$srcdir"/src/base/*.c "$srcdir"/src/memory/*.c -lcmocka -lpthread || exit 1
"$dir/test_dice"
