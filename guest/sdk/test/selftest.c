/* Tests the SDK's C library on the machine itself: prints TAP and exits with the number of failures. */
#include <hart.h>
#include <limits.h>
#include <native.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void);

static int number, failures;

static void check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
	failures += !good;
}

static void check_text(const char *got, const char *wanted)
{
	check(strcmp(got, wanted) == 0, wanted);
	if (strcmp(got, wanted) != 0)
		printf("# got \"%s\"\n", got);
}

#define CHECK_FORMAT(wanted, ...)                                                                                      \
	do {                                                                                                           \
		char text[80];                                                                                         \
		int len = snprintf(text, sizeof(text), __VA_ARGS__);                                                   \
		check_text(text, wanted);                                                                              \
		check(len == (int)strlen(wanted), "and its length");                                                   \
	} while (0)

static void test_format(void)
{
	char small[5];

	CHECK_FORMAT("-5 5 +5 |  5|", "%d %u %+d |% 3d|", -5, 5, 5, 5);
	CHECK_FORMAT("|   42|42   |00042|  042|", "|%5d|%-5d|%05d|%5.3d|", 42, 42, 42, 42);
	CHECK_FORMAT("-00042|00000000002a", "%06d|%012x", -42, 42);
	CHECK_FORMAT("0xff FF 0377 0 0", "%#x %X %#o %#x %o", 255, 255, 255, 0, 0);
	CHECK_FORMAT("-9223372036854775808 18446744073709551615", "%lld %llu", LLONG_MIN, ULLONG_MAX);
	CHECK_FORMAT("-1 255 -1 65535", "%hhd %hhu %hd %hu", 255, 255, 65535, 65535);
	CHECK_FORMAT("-2147483648 4294967295", "%d %u", INT_MIN, UINT_MAX);
	CHECK_FORMAT("[a][  a][a  ]", "[%c][%3c][%-3c]", 'a', 'a', 'a');
	CHECK_FORMAT("[abc][   ab][ab   ][]", "[%s][%5.2s][%-5.*s][%.0s]", "abc", "abc", 2, "abc", "abc");
	CHECK_FORMAT("|  7|7  |", "|%*d|%*d|", 3, 7, -3, 7);
	CHECK_FORMAT("100% |", "100%% %.0d|", 0);
	CHECK_FORMAT("0x1234 12 34", "%p %zu %jd", (void *)0x1234, (size_t)12, (intmax_t)34);
	check(snprintf(small, sizeof(small), "%s", "truncated") == 9 && strcmp(small, "trun") == 0,
	      "a small buffer gets the beginning and the end mark");
	check(snprintf(NULL, 0, "%d", 12345) == 5, "no buffer at all");
}

static void test_numbers(void)
{
	char *end;

	check(strtol("  -123xyz", &end, 10) == -123 && strcmp(end, "xyz") == 0, "strtol stops behind the number");
	check(strtol("0x7fz", &end, 0) == 127 && *end == 'z', "base 0 knows hexadecimal");
	check(strtol("0755", NULL, 0) == 493, "and octal");
	check(strtol("0xg", &end, 16) == 0 && *end == 'x', "a prefix without digits is a zero");
	check(strtol("zz", NULL, 36) == 1295, "base 36");
	check(strtol("abc", &end, 10) == 0 && strcmp(end, "abc") == 0, "no number: nothing is consumed");
	check(strtol("99999999999999999999", NULL, 10) == LONG_MAX, "too large: LONG_MAX");
	check(strtol("-99999999999999999999", NULL, 10) == LONG_MIN, "too small: LONG_MIN");
	check(strtoul("99999999999999999999", NULL, 10) == ULONG_MAX, "too large: ULONG_MAX");
	check(strtoul("-1", NULL, 10) == ULONG_MAX, "strtoul negates");
	check(atoi("42 and more") == 42 && abs(-3) == 3, "atoi, abs");
}

static void test_strings(void)
{
	char buf[8] = "1234567";

	check(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && strcmp("\xff", "a") > 0, "strcmp orders unsigned bytes");
	check(strncmp("abc", "abd", 2) == 0 && strncmp("a", "a\0b", 3) == 0, "strncmp");
	check(strchr("hello", 'l') && strcmp(strchr("hello", 'l'), "llo") == 0 && !strchr("hello", 'x'), "strchr");
	check(strcmp(strrchr("hello", 'l'), "lo") == 0 && *strchr("hello", 0) == 0, "strrchr, and the end mark");
	check(strcmp(strstr("one two", "two"), "two") == 0 && !strstr("one", "two"), "strstr");
	check(strlcpy(buf, "0123456789", sizeof(buf)) == 10 && strcmp(buf, "0123456") == 0, "strlcpy cuts and ends");
	strncpy(buf, "ab", sizeof(buf));
	check(memcmp(buf, "ab\0\0\0\0\0", 8) == 0, "strncpy fills with zeros");
	strcat(buf, "cd");
	check(strcmp(buf, "abcd") == 0 && strnlen(buf, 2) == 2, "strcat, strnlen");
	check(memchr("abc", 'c', 2) == NULL && memchr("abc", 'c', 3) != NULL, "memchr stays in range");
}

/* memcpy, memmove and memset at every alignment and at lengths around the word sizes, against plain loops. */
static void test_memory(void)
{
	unsigned char a[96], b[96], expected[96];
	bool good = true;

	for (unsigned from = 0; from < 9; from++) {
		for (unsigned to = 0; to < 9; to++) {
			for (unsigned len = 0; len < 70; len++) {
				for (unsigned i = 0; i < sizeof(a); i++)
					a[i] = expected[i] = b[i] = (unsigned char)(i * 7 + len);
				for (unsigned i = 0; i < len; i++)
					expected[to + i] = a[from + i];
				memcpy(b + to, a + from, len);
				memmove(a + to, a + from, len);
				good = good && memcmp(a, expected, sizeof(a)) == 0 &&
				       memcmp(b, expected, sizeof(b)) == 0;
				memset(a + to, 0xa5, len);
				for (unsigned i = 0; i < len; i++)
					good = good && a[to + i] == 0xa5;
				good = good && a[to + len] == expected[to + len];
			}
		}
	}
	check(good, "memcpy, memmove, memset at all alignments");
}

static void test_malloc(void)
{
	char *blocks[64];
	bool good = true;

	check(malloc((size_t)-1) == NULL && malloc((size_t)1 << 30) == NULL, "malloc refuses what there is not");
	check(calloc((size_t)-1 / 2, 3) == NULL, "calloc sees an overflow");
	for (unsigned i = 0; i < 64; i++) {
		blocks[i] = malloc(i * 37);
		good = good && blocks[i] && (uintptr_t)blocks[i] % 16 == 0;
		if (blocks[i])
			memset(blocks[i], (int)i, i * 37);
	}
	for (unsigned i = 0; i < 64; i += 2)
		free(blocks[i]);
	for (unsigned i = 1; i < 64; i += 2) {
		for (unsigned n = 0; n < i * 37; n++)
			good = good && blocks[i][n] == (char)i;
		free(blocks[i]);
	}
	check(good, "blocks are aligned and do not overlap");

	char *all = malloc(3 << 20), *more;
	check(all != NULL, "freed neighbours become one block again");
	more = malloc(2 << 20);
	check(more == NULL, "and it is really taken");
	strcpy(all, "kept");
	more = realloc(all, (3 << 20) + 4096);
	check(more == NULL && strcmp(all, "kept") == 0, "a failed realloc keeps the block");
	free(all);
	all = calloc(1, 64);
	strcpy(all, "moved");
	all = realloc(all, 1 << 16);
	check(strcmp(all, "moved") == 0, "realloc keeps the content");
	free(all);
	free(NULL);
}

static volatile int told;

static void tell(void *argument)
{
	told = *(int *)argument;
}

/* Only on a machine with a second hart. */
static void test_harts(bool second)
{
	static char stack[4096] __attribute__((aligned(16)));
	static int message = 77;

	check(hart_start(0, tell, &message, stack + sizeof(stack)) == -1, "hart_start refuses the running hart");
	check(hart_start(SDK_MAX_HARTS, tell, &message, stack + sizeof(stack)) == -1, "and numbers out of range");
	if (!second)
		return;
	for (message = 77; message < 80; message++) {
		while (hart_start(1, tell, &message, stack + sizeof(stack)) != 0)
			;
		for (uint64_t end = read_time() + 50000000; told != message && read_time() < end;)
			;
		check(told == message, "the second hart runs a function");
	}
}

static void test_probes(void)
{
	unsigned long value = 1;

	check(csr_probe_machine(misa, &value) && value == csr_read(misa), "csr_probe finds misa");
	check(!csr_probe_machine(0x8c0, &value), "and survives a register that does not exist");
	check(!native_present(NATIVE_SLOTS) && native_identity(NATIVE_SLOTS) == 0, "no slot beyond the last");
	if (native_present(MODCTL_SLOT)) {
		char name[33];

		modctl_name(MODCTL_SLOT, name);
		check_text(name, "modctl");
		check((native_identity(MODCTL_SLOT) & 0xff) == MODCTL_VERSION, "version of the module controller");
		check(native_present(CONSOLE_SLOT), "the console is there");
	}
}

int main(void)
{
	bool second = native_present(MODCTL_SLOT) && modctl_info(MODCTL_SELECT_HARTS) > 1;

	test_format();
	test_numbers();
	test_strings();
	test_memory();
	test_malloc();
	test_probes();
	test_harts(second);
	printf("1..%d\n", number);
	return failures;
}
