/*
 * The guest's bytes before libvterm sees them. Version 0.1.4 of it reads past the end of strings that a guest sends to
 * a terminal (DCS, OSC), never comes back from a REP while the last character takes no cell, and moves the cursor off
 * the screen for control characters written as UTF-8. Strings are therefore taken here, where only titles mean
 * something, such a REP is cancelled, and characters go on only whole and where they are some. Sequences are followed
 * for that; where it is not certain that libvterm sees the same one, it is told that there is none.
 */
#include <string.h>

#include "frontend/window/term_internal.h"
#include "frontend/window/utf8.h"

enum { BEL = 0x07, CAN = 0x18, SUB = 0x1a, ESC = 0x1b, DEL = 0x7f };

/* A run of bytes that go on to libvterm. */
struct run {
	struct term *t;
	const char *start;
};

/* Hands on what comes before `at`, and leaves `skip` bytes out. */
static void flush(struct run *r, const char *at, size_t skip)
{
	if (at > r->start)
		vterm_input_write(r->t->vt, r->start, (size_t)(at - r->start));
	r->start = at + skip;
}

static void send(struct term *t, char c)
{
	vterm_input_write(t->vt, &c, 1);
}

/* OSC 0 and 2: the title. */
static void take_string(struct term *t)
{
	const char *s = t->string;

	if (t->string_len > 2 && s[0] == ']' && (s[1] == '0' || s[1] == '2') && s[2] == ';')
		term_set_title(t, s + 3, s + t->string_len);
}

static void begin_escape(struct run *r, const char *at)
{
	flush(r, at, 1); /* it follows when it is known of what it is the beginning */
	r->t->sequence = SEQUENCE_ESCAPE;
}

static void in_escape(struct run *r, const char *at)
{
	unsigned char c = (unsigned char)*at;
	struct term *t = r->t;

	if (c < 0x20 || c == DEL)
		return; /* carried out within the sequence, as if it had come before */
	flush(r, at, 0);
	if (strchr("P]X^_", c)) {
		send(t, CAN); /* libvterm may be within a sequence of its own */
		r->start = at + 1;
		t->sequence = SEQUENCE_STRING;
		t->string[0] = (char)c;
		t->string_len = 1;
		return;
	}
	send(t, ESC);
	t->sequence = c == '[' ? SEQUENCE_CONTROL : c < 0x30 ? SEQUENCE_LONG_ESCAPE : SEQUENCE_NONE;
}

/* One of them (DECALN) puts characters on the screen which libvterm does not know as the last ones. */
static void in_long_escape(struct run *r, const char *at)
{
	unsigned char c = (unsigned char)*at;

	if (c < 0x30 || c == DEL)
		return;
	r->t->sequence = c == '[' ? SEQUENCE_CONTROL : SEQUENCE_NONE;
	flush(r, at + 1, 0);
	r->t->last_width = 0;
}

static void in_control(struct run *r, const char *at)
{
	unsigned char c = (unsigned char)*at;

	if (c < 0x40 || c == DEL)
		return;
	r->t->sequence = SEQUENCE_NONE;
	if (c != 'b')
		return;
	flush(r, at, 0);
	if (r->t->last_width < 1) {
		send(r->t, CAN);
		r->start = at + 1;
	}
}

static void in_string(struct run *r, const char *at)
{
	struct term *t = r->t;

	r->start = at + 1;
	if (*at == BEL) {
		take_string(t);
		t->sequence = SEQUENCE_NONE;
	} else if (t->string_len < sizeof(t->string)) {
		t->string[t->string_len++] = *at;
	}
}

/* A byte beyond ASCII ends a sequence here; libvterm would go on with some. */
static bool ends_sequence(const struct term *t, unsigned char c)
{
	return c >= 0x80 && t->sequence != SEQUENCE_NONE && t->sequence != SEQUENCE_STRING;
}

/* The character that was begun, as far as it has come. What is none, or a control character, is shown as such. */
static void send_character(struct term *t)
{
	const char *at = t->character;
	uint32_t c = utf8_next(&at, t->character + t->character_len);
	char out[UTF8_MAX];

	t->character_len = 0;
	vterm_input_write(t->vt, out, utf8_put(c < 0xa0 ? 0xfffd : c, out));
}

static void take_text(struct run *r, const char *at)
{
	unsigned char c = (unsigned char)*at;
	struct term *t = r->t;

	if (c < 0x80) {
		if (c == DEL)
			flush(r, at, 1);
		return;
	}
	flush(r, at, 1);
	t->character[t->character_len++] = *at;
	c = (unsigned char)t->character[0];
	if (c < 0xc0 || t->character_len == (c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4))
		send_character(t);
}

static void take(struct run *r, const char *at)
{
	unsigned char c = (unsigned char)*at;
	struct term *t = r->t;

	if (t->character_len && (c & 0xc0) != 0x80)
		send_character(t);
	if (c == ESC) {
		if (t->sequence == SEQUENCE_STRING)
			take_string(t);
		begin_escape(r, at);
		return;
	}
	if (c == CAN || c == SUB) {
		t->sequence = SEQUENCE_NONE;
		return;
	}
	if (ends_sequence(t, c)) {
		flush(r, at, 0);
		send(t, CAN);
		t->sequence = SEQUENCE_NONE;
	}
	switch (t->sequence) {
	case SEQUENCE_ESCAPE:
		in_escape(r, at);
		break;
	case SEQUENCE_LONG_ESCAPE:
		in_long_escape(r, at);
		break;
	case SEQUENCE_CONTROL:
		in_control(r, at);
		break;
	case SEQUENCE_STRING:
		in_string(r, at);
		break;
	default:
		take_text(r, at);
		break;
	}
}

/* Goes on to libvterm as it is. */
static bool is_plain(const struct term *t, char c)
{
	return (unsigned char)c < 0x80 && c != ESC && c != DEL && t->sequence == SEQUENCE_NONE && !t->character_len;
}

void term_write(struct term *t, const void *bytes, size_t len)
{
	const char *at = bytes, *end = at + len;
	struct run r = {.t = t, .start = at};

	for (; at < end; at++)
		if (!is_plain(t, *at))
			take(&r, at);
	flush(&r, end, 0);
}
