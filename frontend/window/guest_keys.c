/*
 * The keyboard of a guest as the window sees it: what is held, so that nothing stays pressed when the window loses the
 * keyboard, text beside the keys, and pasting as typed keys. On the window's thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/window/keys.h"
#include "frontend/window/screen_internal.h"
#include "frontend/window/utf8.h"

enum {
	PASTE_MAX = 65536,   /* bytes */
	PASTE_AT_ONCE = 8,   /* characters, and then a pause of */
	PASTE_PAUSE_MS = 16, /* so that a guest of any speed comes along */
	PASTE_PATIENCE_MS = 5000,
	TEXT_AT_ONCE = 64, /* characters of a text event; an input method's are short */
};

/* --- What is held --- */

bool guest_keys_held(const struct guest_keys *k, uint16_t code)
{
	return code < KEY_CODES && (k->held[code / 64] >> code % 64 & 1);
}

static void send(struct guest_keys *k, enum bis_input_kind kind, uint16_t code, uint32_t value)
{
	struct bis_input_event e = {.kind = kind, .code = code, .value = value};

	bis_input_send(k->machine, &e, 1);
}

void guest_keys_press(struct guest_keys *k, enum bis_input_kind kind, uint16_t code, bool repeated)
{
	bool held = guest_keys_held(k, code);

	if (code >= KEY_CODES || (held && !repeated))
		return;
	k->held[code / 64] |= UINT64_C(1) << code % 64;
	send(k, kind, code, held ? 2 : 1);
}

void guest_keys_release(struct guest_keys *k, enum bis_input_kind kind, uint16_t code)
{
	if (!guest_keys_held(k, code))
		return;
	k->held[code / 64] &= ~(UINT64_C(1) << code % 64);
	send(k, kind, code, 0);
}

static bool is_button(uint16_t code)
{
	return code >= 0x100 && code < 0x160;
}

void guest_keys_let_go(struct guest_keys *k)
{
	for (uint16_t code = 0; code < KEY_CODES; code++)
		guest_keys_release(k, is_button(code) ? BIS_INPUT_BUTTON : BIS_INPUT_KEY, code);
}

/* --- Text --- */

void guest_keys_text(struct guest_keys *k, const char *utf8)
{
	struct bis_input_event events[TEXT_AT_ONCE];
	const char *end = utf8 + strlen(utf8);
	size_t n = 0;

	while (utf8 < end && n < TEXT_AT_ONCE)
		events[n++] = (struct bis_input_event){.kind = BIS_INPUT_TEXT, .value = utf8_next(&utf8, end)};
	if (n)
		bis_input_send(k->machine, events, n);
}

/* --- Pasting --- */

void guest_keys_paste_end(struct guest_keys *k)
{
	free(k->paste);
	k->paste = NULL;
}

void guest_keys_paste(struct guest_keys *k, const struct view_host *host, const char *utf8)
{
	size_t size = strlen(utf8), cut = size < PASTE_MAX ? size : PASTE_MAX;
	char line[96];

	guest_keys_paste_end(k);
	if (!(bis_input_kinds(k->machine) & (1u << BIS_INPUT_KEY | 1u << BIS_INPUT_TEXT))) {
		host->tell(host->arg, "nothing was pasted: the guest takes no keys");
		return;
	}
	while (cut < size && cut > 0 && ((unsigned char)utf8[cut] & 0xc0) == 0x80)
		cut--;
	if (!cut || !(k->paste = strndup(utf8, cut)))
		return;
	k->paste_at = k->paste;
	k->paste_end = k->paste + cut;
	k->paste_due = k->paste_stuck = SDL_GetTicks64();
	guest_keys_let_go(k); /* whoever pastes holds the keys that begin it */
	if (cut < size)
		snprintf(line, sizeof(line), "pasting the first %zu bytes of %zu", cut, size);
	else
		snprintf(line, sizeof(line), "pasting %zu bytes", cut);
	host->tell(host->arg, line);
}

/* The events that type a character for a guest that takes these kinds; how many. */
static size_t type(uint32_t c, unsigned kinds, struct bis_input_event *events)
{
	struct typed t = keys_typed(c);
	size_t n = 0;

	if (t.code && (kinds & 1u << BIS_INPUT_KEY)) {
		if (t.shift)
			events[n++] = (struct bis_input_event){BIS_INPUT_KEY, BIS_KEY_LEFTSHIFT, 1, 0, 0};
		events[n++] = (struct bis_input_event){BIS_INPUT_KEY, t.code, 1, 0, 0};
	}
	/* As SDL does, which gives no text for keys such as enter. */
	if (c >= ' ' && c != 0x7f && (kinds & 1u << BIS_INPUT_TEXT))
		events[n++] = (struct bis_input_event){BIS_INPUT_TEXT, 0, c, 0, 0};
	if (t.code && (kinds & 1u << BIS_INPUT_KEY)) {
		events[n++] = (struct bis_input_event){BIS_INPUT_KEY, t.code, 0, 0, 0};
		if (t.shift)
			events[n++] = (struct bis_input_event){BIS_INPUT_KEY, BIS_KEY_LEFTSHIFT, 0, 0, 0};
	}
	return n;
}

/* A carriage return and line feed are one line end. */
static uint32_t next_character(struct guest_keys *k, const char **after)
{
	uint32_t c;

	*after = k->paste_at;
	c = utf8_next(after, k->paste_end);
	if (c == '\r' && *after < k->paste_end && **after == '\n')
		++*after;
	return c;
}

/* False: the guest's queue is full, and the character is typed again later. */
static bool paste_one(struct guest_keys *k, unsigned kinds)
{
	struct bis_input_event events[5];
	const char *after;
	size_t n = type(next_character(k, &after), kinds, events);

	if (n && !bis_input_send(k->machine, events, n))
		return false;
	k->paste_at = after;
	return true;
}

int guest_keys_paste_on(struct guest_keys *k, const struct view_host *host, uint64_t now)
{
	unsigned kinds;

	if (!k->paste)
		return -1;
	if (now < k->paste_due)
		return (int)(k->paste_due - now);
	kinds = bis_input_kinds(k->machine);
	for (unsigned i = 0; i < PASTE_AT_ONCE && k->paste_at < k->paste_end; i++) {
		if (!paste_one(k, kinds))
			break;
		k->paste_stuck = now;
	}
	if (k->paste_at < k->paste_end && now - k->paste_stuck < PASTE_PATIENCE_MS) {
		k->paste_due = now + PASTE_PAUSE_MS;
		return PASTE_PAUSE_MS;
	}
	if (k->paste_at < k->paste_end)
		host->tell(host->arg, "the guest takes no more keys: part of the text was not pasted");
	guest_keys_paste_end(k);
	return -1;
}
