/*
 * Virtio input (virtio 1.2, section 5.8): what kinds of devices there are, and the numbers that its files share. The
 * functions are pure.
 */
#ifndef BISCUIT_MODULES_VIRTIO_INPUT_H
#define BISCUIT_MODULES_VIRTIO_INPUT_H

#include <biscuit/types.h>

#define INPUT_CODES    768 /* of keys and buttons */
#define INPUT_DATA_MAX 128 /* bytes that the configuration answers with at most */

/* Types and codes of Linux's input events, which section 5.8.6 refers to. */
enum input_type { EV_SYN = 0, EV_KEY = 1, EV_REL = 2, EV_ABS = 3, EV_LED = 0x11, EV_REP = 0x14 };
enum { SYN_REPORT = 0, SYN_DROPPED = 3 };
enum { REL_X = 0, REL_Y = 1, REL_HWHEEL = 6, REL_WHEEL = 8, REL_WHEEL_HI_RES = 11, REL_HWHEEL_HI_RES = 12 };
enum { ABS_X = 0, ABS_Y = 1 };
enum { LEDS = 3 }; /* NumLock, CapsLock, ScrollLock */

/* A device that there is. */
struct input_kind {
	const char *class, *name;
	uint16_t product;
	unsigned takes;		     /* kinds of events of <biscuit/input.h>, a bit each */
	uint32_t relative, absolute; /* codes of these types, a bit each */
};

/* The kind of that module class, which is one of them. */
const struct input_kind *input_kind_find(const char *class);
bool input_is_keyboard(const struct input_kind *k);
/* Can the device express the key or button? The code is below INPUT_CODES then. */
bool input_has_code(const struct input_kind *k, uint16_t code);
/*
 * Section 5.8.5: what a device with that serial number answers to select and subsel; the number of bytes, 0 where there
 * is nothing. The rest of `data` is zeroed.
 */
uint8_t input_answer(const struct input_kind *k, const char *serial, uint8_t select, uint8_t subsel,
		     uint8_t data[INPUT_DATA_MAX]);

#endif
