/*
 * Fuzz target: what a guest may write to its console, with what a person at the window does in between: a byte 0xfe and
 * three that follow are that.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/window/term.h"

static void must(bool held)
{
	if (!held)
		abort();
}

static void swallow(void *arg, const char *bytes, size_t len)
{
	(void)bytes;
	*(size_t *)arg += len;
}

static void check_title(void *arg, const char *title)
{
	(void)arg;
	for (; *title; title++)
		must((unsigned char)*title >= 0x20);
}

static const struct term_ops ops = {.output = swallow, .title = check_title};

static void check_selection(const struct term *t)
{
	char *text = term_selection_text(t);
	unsigned from, to;

	must(!text == !term_has_selection(t));
	free(text);
	for (uint64_t line = term_view(t); line < term_view(t) + term_rows(t); line++)
		if (term_selected(t, line, &from, &to))
			must(from < to && to <= term_columns(t));
}

static void check_lines(const struct term *t)
{
	struct term_pos at;
	unsigned spans[8][2];

	must(term_first(t) <= term_view(t) && term_view(t) <= term_top(t) && term_top(t) < term_end(t));
	term_cursor(t, &at);
	must(at.line >= term_top(t) && at.line < term_end(t) && at.column < term_columns(t));
	for (uint64_t line = term_first(t); line < term_end(t); line++) {
		unsigned count;
		const struct term_cell *cells = term_line(t, line, &count);

		must(count <= term_columns(t));
		for (unsigned i = 0; i < count; i++)
			must(term_rgb(t, cells[i].fg, true) <= 0xffffff && cells[i].character < 0x110000);
	}
	for (uint64_t line = term_view(t); line < term_end(t); line++)
		for (size_t n = term_finds(t, line, spans, 8); n; n--)
			must(spans[n - 1][0] < spans[n - 1][1] && spans[n - 1][1] <= term_columns(t));
}

static void do_something(struct term *t, const uint8_t *b)
{
	struct term_pos at = {term_view(t) + b[1] % 64, b[2]};
	const char word[] = {(char)b[1], (char)b[2], '\0'};

	switch (b[0] % 10) {
	case 0:
		must(!term_resize(t, b[1], b[2] % 100u));
		break;
	case 1:
		term_select(t, at, (enum term_unit)(b[0] / 10 % 3));
		break;
	case 2:
		term_select_to(t, at);
		break;
	case 3:
		term_scroll(t, (int8_t)b[1]);
		break;
	case 4:
		term_search(t, word);
		break;
	case 5:
		(void)term_find(t, b[1] & 1);
		break;
	case 6:
		term_mouse(t, b[1], b[2], b[0] / 10 % 6, b[1] & 1, 0);
		break;
	case 7:
		term_paste(t, word, strlen(word));
		break;
	case 8:
		term_key(t, b[1] % 15, b[2] % 8);
		term_type(t, b[1], b[2] % 8);
		break;
	default:
		term_focus(t, b[1] & 1);
	}
	check_selection(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct term *t;
	size_t written = 0, at = 0;

	must(!term_create(20, 6, 30, &ops, &written, &t));
	while (at < size) {
		const uint8_t *mark = memchr(data + at, 0xfe, size - at);
		size_t n = mark ? (size_t)(mark - data) - at : size - at;

		term_write(t, data + at, n);
		at += n;
		if (mark && size - at >= 4)
			do_something(t, data + at + 1);
		at += mark ? 4 : 0;
	}
	check_lines(t);
	check_selection(t);
	term_destroy(t);
	return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	static const char *const seeds[] = {
		"\x1b[2J\x1b[H\x1b[1;31mred\x1b[0m plain\r\n\x1b[38;5;200mx\x1b[48;2;1;2;3my\x1b[m\xe6\x97\xa5\xcc\x81 "
		"e\xcc\x81\r\n"
		"0123456789012345678901234567890123456789\xfe\x01\x01\x03\xfe\x02\x03\x08\xfe\x04"
		"01\xfe\x05\x01\x01\xfe\x0a\x32\x10",
		"\x1b[2;4r\x1b[4;1H\n\n\x1bM\x1b[3L\x1b[2M\x1b[5@\x1b[7P\x1b[9X\x1b[2S\x1b[3T\x1b[?69h\x1b[3;9s\x1b[4;"
		"5H\n\n\x1b[2'}"
		"\x1b[2'~\x1b[3 @\x1b[3 A\x1b[20b\r\xc2\x80\x1bH\x1b[3b",
		"\x1b[?1049h\x1b[?25l\x1b[4 "
		"q\x1b[?5h\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1004h\xfe\x06\x05\x05\xfe\x07"
		"ab\xfe\x09\x01\x01\xfe\x0a\x08\x02\x1b[?1049l\x1b[s\x1b[u\x1b"
		"7\x1b"
		"8\x1b[!p\x1b"
		"c",
		"\x1b]0;title\x07\x1b]2;other\x1b\\\x1bP+q544e\x1b\\\x1b[c\x1b[>c\x1b[5n\x1b[6n\x1b[?6n\x1b$"
		"qm\x1b\\\x1b[18t"
		"\x1b(0lqk\x1b(B\x0e\x0f\x1b#8\x1b[b\x1b#3\x1b#6\x1b%G\x1b[3g\x1bH\t\x1b[2I\x1b[Z",
		"a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj\r\nk\r\nl\xfe\x03\x05\x01\xfe\x04"
		"c\x20\xfe\x05\x01\x01\xfe\x05"
		"\x02\x02\xfe\x14\x05\x05\xfe\x0a\x03\x02\xfe\x0a\x50\x30",
	};

	return index < sizeof(seeds) / sizeof(seeds[0]) ? fuzz_text(seeds[index], buf, max) : 0;
}
