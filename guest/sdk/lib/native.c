/* Which native devices there are. Register numbers are part of the instruction, hence a case for every slot. */
#include "native.h"

/* The first register of a slot; 8 slots each in two ranges of custom registers. */
#define LOW_SLOT(slot)	0x5c0 + 8 * slot
#define HIGH_SLOT(slot) 0x980 + 8 * slot

#define FOR_EACH_SLOT(X)                                                                                               \
	X(0, LOW_SLOT)                                                                                                 \
	X(1, LOW_SLOT)                                                                                                 \
	X(2, LOW_SLOT)                                                                                                 \
	X(3, LOW_SLOT)                                                                                                 \
	X(4, LOW_SLOT)                                                                                                 \
	X(5, LOW_SLOT)                                                                                                 \
	X(6, LOW_SLOT)                                                                                                 \
	X(7, LOW_SLOT)                                                                                                 \
	X(8, HIGH_SLOT)                                                                                                \
	X(9, HIGH_SLOT)                                                                                                \
	X(10, HIGH_SLOT)                                                                                               \
	X(11, HIGH_SLOT)                                                                                               \
	X(12, HIGH_SLOT)                                                                                               \
	X(13, HIGH_SLOT)                                                                                               \
	X(14, HIGH_SLOT)                                                                                               \
	X(15, HIGH_SLOT)

/* Bit n: slot n holds a device. */
static uint16_t present;

#ifdef SUPERVISOR
#define PROBE csr_probe_supervisor
#else
#define PROBE csr_probe_machine
#endif

void native_probe(void)
{
	unsigned long identity;

	/* On another machine the first of these traps, and so would all others. */
	present = 0;
	if (!PROBE(LOW_SLOT(0) + 7, &identity))
		return;
#define PROBE_SLOT(slot, range)                                                                                        \
	if (PROBE(range(slot) + 7, &identity) && identity)                                                             \
		present |= 1U << slot;
	FOR_EACH_SLOT(PROBE_SLOT)
#undef PROBE_SLOT
}

bool native_present(unsigned slot)
{
	return slot < 16 && (present >> slot & 1);
}

uint32_t native_identity(unsigned slot)
{
	if (!native_present(slot))
		return 0;
	switch (slot) {
#define IDENTITY_OF(slot, range)                                                                                       \
	case slot:                                                                                                     \
		return (uint32_t)csr_read(range(slot) + 7);
		FOR_EACH_SLOT(IDENTITY_OF)
#undef IDENTITY_OF
	}
	return 0;
}

uint32_t native_status(unsigned slot)
{
	if (!native_present(slot))
		return 0;
	switch (slot) {
#define STATUS_OF(slot, range)                                                                                         \
	case slot:                                                                                                     \
		return (uint32_t)csr_read(range(slot) + 6);
		FOR_EACH_SLOT(STATUS_OF)
#undef STATUS_OF
	}
	return 0;
}
