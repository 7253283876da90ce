/*
 * What clients type and point at, as input events of the machine. Runs on the server's thread. Each client's keys and
 * buttons are remembered, so that what was down is let go when the client is gone.
 */
#include "frontend/vnc/vnc_internal.h"

#include <rfb/keysym.h>

#define NOTCH 120

static struct vnc_client *client_of(rfbClientPtr cl)
{
	return cl->clientData;
}

static struct vnc *vnc_of(rfbClientPtr cl)
{
	return cl->screen->screenData;
}

/* --- Keys --- */

static bool is_held(const struct vnc_client *c, uint16_t code)
{
	return c->keys[code / 64] >> code % 64 & 1;
}

static void hold(struct vnc_client *c, uint16_t code, bool down)
{
	if (down)
		c->keys[code / 64] |= UINT64_C(1) << code % 64;
	else
		c->keys[code / 64] &= ~(UINT64_C(1) << code % 64);
}

static bool is_modifier(uint16_t code)
{
	return code == BIS_KEY_LEFTSHIFT || code == BIS_KEY_RIGHTSHIFT || code == BIS_KEY_LEFTCTRL ||
	       code == BIS_KEY_RIGHTCTRL || code == BIS_KEY_LEFTALT || code == BIS_KEY_RIGHTALT ||
	       code == BIS_KEY_LEFTMETA || code == BIS_KEY_RIGHTMETA;
}

struct batch {
	struct bis_input_event events[8];
	size_t count;
};

static void add_key(struct batch *b, uint16_t code, uint32_t value)
{
	b->events[b->count++] = (struct bis_input_event){.kind = BIS_INPUT_KEY, .code = code, .value = value};
}

/* Presses or releases every shift key that the client holds, or the left one if it holds none. */
static void add_shifts(struct batch *b, const struct vnc_client *c, uint32_t value)
{
	bool left = is_held(c, BIS_KEY_LEFTSHIFT), right = is_held(c, BIS_KEY_RIGHTSHIFT);

	if (left || !right)
		add_key(b, BIS_KEY_LEFTSHIFT, value);
	if (right)
		add_key(b, BIS_KEY_RIGHTSHIFT, value);
}

/*
 * Clients say which character a key has on their keyboard. Where the guest's layout has it with shift and theirs
 * without, or the other way round, shift is lent or taken for the moment of pressing.
 */
static bool needs_other_shift(const struct vnc *v, const struct vnc_client *c, uint32_t sym, struct vnc_key key)
{
	bool shift = is_held(c, BIS_KEY_LEFTSHIFT) || is_held(c, BIS_KEY_RIGHTSHIFT);
	uint32_t character = vnc_character_of(sym);
	bool letter = (character | 0x20) >= 'a' && (character | 0x20) <= 'z';

	if (!character || character == ' ' || (sym >= XK_KP_Space && sym <= XK_KP_9))
		return false;
	return shift != (key.shift != (letter && v->caps));
}

static bool types_text(const struct vnc_client *c)
{
	return !is_held(c, BIS_KEY_LEFTCTRL) && !is_held(c, BIS_KEY_RIGHTCTRL) && !is_held(c, BIS_KEY_LEFTALT) &&
	       !is_held(c, BIS_KEY_LEFTMETA) && !is_held(c, BIS_KEY_RIGHTMETA);
}

static void press(struct vnc *v, struct vnc_client *c, uint32_t sym, struct vnc_key key)
{
	bool repeated = key.code && is_held(c, key.code), text = types_text(c);
	bool shift = is_held(c, BIS_KEY_LEFTSHIFT) || is_held(c, BIS_KEY_RIGHTSHIFT);
	bool other = key.code && text && needs_other_shift(v, c, sym, key);
	uint32_t character = vnc_character_of(sym);
	struct batch b = {.count = 0};

	if (key.code == BIS_KEY_CAPSLOCK && !repeated)
		v->caps = !v->caps;
	if (other)
		add_shifts(&b, c, !shift);
	if (key.code)
		add_key(&b, key.code, repeated ? 2 : 1);
	if (character && text)
		b.events[b.count++] = (struct bis_input_event){.kind = BIS_INPUT_TEXT, .value = character};
	if (other)
		add_shifts(&b, c, shift);
	if (key.code)
		hold(c, key.code, true);
	if (b.count)
		bis_input_send(v->machine, b.events, b.count);
}

static void release_key(struct vnc *v, struct vnc_client *c, uint16_t code)
{
	struct bis_input_event e = {.kind = BIS_INPUT_KEY, .code = code};

	hold(c, code, false);
	bis_input_send(v->machine, &e, 1);
}

/* The key that was pressed as one character may be released as another, shift having changed: none stays down. */
static void release(struct vnc *v, struct vnc_client *c, struct vnc_key key)
{
	if (key.code && is_held(c, key.code)) {
		release_key(v, c, key.code);
		return;
	}
	for (uint16_t code = 1; code < VNC_KEYS; code++)
		if (is_held(c, code) && !is_modifier(code))
			release_key(v, c, code);
}

void vnc_input_key(rfbBool down, rfbKeySym sym, rfbClientPtr cl)
{
	struct vnc_client *c = client_of(cl);
	struct vnc_key key = vnc_key_of((uint32_t)sym);

	if (!c)
		return;
	if (down)
		press(vnc_of(cl), c, (uint32_t)sym, key);
	else
		release(vnc_of(cl), c, key);
}

/* --- Pointers --- */

static const uint16_t button_codes[] = {BIS_BTN_LEFT, BIS_BTN_MIDDLE, BIS_BTN_RIGHT};

/* Bits 3 to 6 of VNC's buttons are the wheel: up, down, left, right. */
static const struct {
	int x, y;
} wheel[] = {{0, NOTCH}, {0, -NOTCH}, {-NOTCH, 0}, {NOTCH, 0}};

static int clamp(int value, int end)
{
	return value < 0 ? 0 : value >= end ? end - 1 : value;
}

/* Rounded up, so that a guest that cuts off gets back the same pixel. */
static int32_t scale(int value, int end)
{
	return end > 1 ? (int32_t)(((int64_t)value * BIS_INPUT_RANGE + end - 2) / (end - 1)) : 0;
}

static void add_motion(struct vnc *v, const struct vnc_client *c, int x, int y, struct bis_input_event *e, size_t *n)
{
	unsigned kinds = bis_input_kinds(v->machine);

	if (kinds >> BIS_INPUT_ABSOLUTE & 1)
		e[(*n)++] = (struct bis_input_event){
			.kind = BIS_INPUT_ABSOLUTE, .x = scale(x, v->rfb->width), .y = scale(y, v->rfb->height)};
	else if (x != c->x || y != c->y)
		e[(*n)++] = (struct bis_input_event){.kind = BIS_INPUT_RELATIVE, .x = x - c->x, .y = y - c->y};
}

static void add_buttons(int was, int is, struct bis_input_event *e, size_t *n)
{
	for (size_t i = 0; i < BIS_ARRAY_SIZE(button_codes); i++)
		if ((was ^ is) >> i & 1)
			e[(*n)++] = (struct bis_input_event){
				.kind = BIS_INPUT_BUTTON, .code = button_codes[i], .value = is >> i & 1};
	for (size_t i = 0; i < BIS_ARRAY_SIZE(wheel); i++)
		if ((is & ~was) >> (i + 3) & 1)
			e[(*n)++] = (struct bis_input_event){.kind = BIS_INPUT_WHEEL, .x = wheel[i].x, .y = wheel[i].y};
}

void vnc_input_pointer(int buttons, int x, int y, rfbClientPtr cl)
{
	struct vnc_client *c = client_of(cl);
	struct vnc *v = vnc_of(cl);
	struct bis_input_event events[12];
	size_t n = 0;

	if (!c)
		return;
	x = clamp(x, v->rfb->width);
	y = clamp(y, v->rfb->height);
	add_motion(v, c, x, y, events, &n);
	add_buttons(c->buttons, buttons, events, &n);
	c->x = x;
	c->y = y;
	c->buttons = buttons;
	if (n)
		bis_input_send(v->machine, events, n);
}

void vnc_input_release(struct vnc *v, struct vnc_client *c)
{
	struct bis_input_event events[12];
	size_t n = 0;

	for (uint16_t code = 1; code < VNC_KEYS; code++)
		if (is_held(c, code))
			release_key(v, c, code);
	add_buttons(c->buttons & 7, 0, events, &n);
	c->buttons = 0;
	if (n)
		bis_input_send(v->machine, events, n);
}
