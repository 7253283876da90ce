/*
 * The kinds of virtio input devices (virtio 1.2, section 5.8.5): a table, and what each says of itself in its
 * configuration. Pure functions.
 */
#include <string.h>

#include <biscuit/input.h>

#include "modules/virtio/input.h"

/* Section 5.8.5. */
enum select {
	SELECT_ID_NAME = 0x01,
	SELECT_ID_SERIAL = 0x02,
	SELECT_ID_DEVIDS = 0x03,
	SELECT_EV_BITS = 0x11,
	SELECT_ABS_INFO = 0x12,
};

#define BUS_VIRTUAL 6

/* Codes that are no keys, and those of them that a mouse has. */
enum { BUTTONS_FIRST = 0x100, BUTTONS_MOUSE = 0x110, BUTTONS_MOUSE_END = 0x118, BUTTONS_END = 0x160 };

#define BIT(n) (1u << (n))

static const struct input_kind kinds[] = {
	{
		.class = "virtio-keyboard",
		.name = "Biscuit keyboard",
		.product = 1,
		.takes = BIT(BIS_INPUT_KEY),
	},
	{
		.class = "virtio-mouse",
		.name = "Biscuit mouse",
		.product = 2,
		.takes = BIT(BIS_INPUT_BUTTON) | BIT(BIS_INPUT_RELATIVE) | BIT(BIS_INPUT_WHEEL),
		.relative = BIT(REL_X) | BIT(REL_Y) | BIT(REL_HWHEEL) | BIT(REL_WHEEL) | BIT(REL_WHEEL_HI_RES) |
			    BIT(REL_HWHEEL_HI_RES),
	},
	{
		.class = "virtio-tablet",
		.name = "Biscuit tablet",
		.product = 3,
		.takes = BIT(BIS_INPUT_BUTTON) | BIT(BIS_INPUT_ABSOLUTE) | BIT(BIS_INPUT_WHEEL),
		.relative = BIT(REL_HWHEEL) | BIT(REL_WHEEL) | BIT(REL_WHEEL_HI_RES) | BIT(REL_HWHEEL_HI_RES),
		.absolute = BIT(ABS_X) | BIT(ABS_Y),
	},
};

const struct input_kind *input_kind_find(const char *class)
{
	const struct input_kind *k = kinds;

	while (strcmp(k->class, class) != 0)
		k++;
	return k;
}

bool input_is_keyboard(const struct input_kind *k)
{
	return k->takes & BIT(BIS_INPUT_KEY);
}

bool input_has_code(const struct input_kind *k, uint16_t code)
{
	if (code >= INPUT_CODES || !bis_input_code_name(code))
		return false;
	if (input_is_keyboard(k))
		return code < BUTTONS_FIRST || code >= BUTTONS_END;
	return code >= BUTTONS_MOUSE && code < BUTTONS_MOUSE_END;
}

static void put_bit(uint8_t *data, unsigned bit)
{
	data[bit / 8] = (uint8_t)(data[bit / 8] | BIT(bit % 8));
}

static void put_codes(const struct input_kind *k, uint8_t *data)
{
	const struct bis_input_code *row;

	for (size_t i = 0; (row = bis_input_code(i)); i++)
		if (input_has_code(k, row->code))
			put_bit(data, row->code);
}

static void put_words(uint8_t *data, uint32_t words)
{
	memcpy(data, &words, sizeof(words));
}

static void put_event_codes(const struct input_kind *k, uint8_t type, uint8_t *data)
{
	switch (type) {
	case EV_KEY:
		put_codes(k, data);
		break;
	case EV_REL:
		put_words(data, k->relative);
		break;
	case EV_ABS:
		put_words(data, k->absolute);
		break;
	case EV_LED:
		put_words(data, input_is_keyboard(k) ? BIT(LEDS) - 1 : 0);
		break;
	case EV_REP:
		put_words(data, input_is_keyboard(k) ? 3 : 0);
		break;
	default:
		break;
	}
}

/* Bytes up to the last one that is not 0. */
static uint8_t used_bytes(const uint8_t *data)
{
	uint8_t n = INPUT_DATA_MAX;

	while (n && !data[n - 1])
		n--;
	return n;
}

static uint8_t put_text(uint8_t *data, const char *text)
{
	size_t len = strlen(text);

	len = len < INPUT_DATA_MAX ? len : INPUT_DATA_MAX;
	memcpy(data, text, len);
	return (uint8_t)len;
}

uint8_t input_answer(const struct input_kind *k, const char *serial, uint8_t select, uint8_t subsel,
		     uint8_t data[INPUT_DATA_MAX])
{
	const uint16_t ids[] = {BUS_VIRTUAL, 0, k->product, 1};
	const uint32_t range[] = {0, BIS_INPUT_RANGE, 0, 0, 0};

	memset(data, 0, INPUT_DATA_MAX);
	switch (select) {
	case SELECT_ID_NAME:
		return put_text(data, k->name);
	case SELECT_ID_SERIAL:
		return put_text(data, serial);
	case SELECT_ID_DEVIDS:
		memcpy(data, ids, sizeof(ids));
		return sizeof(ids);
	case SELECT_EV_BITS:
		put_event_codes(k, subsel, data);
		return used_bytes(data);
	case SELECT_ABS_INFO:
		if (subsel > ABS_Y || !k->absolute)
			return 0;
		memcpy(data, range, sizeof(range));
		return sizeof(range);
	default:
		return 0;
	}
}
