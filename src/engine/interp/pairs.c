/*
 * Fused handlers: one dispatch for two adjacent operations. The table of pairs is pairs.def. Where an operation needs
 * its slow path, its single handler takes over; the code of the second is untouched, so everything goes on from there.
 */
#include "src/engine/interp/bodies.h"

#define PAIR(first, second)                                                                                            \
	static const struct iop *first##__##second(struct bis_hart *h, const struct iop *op)                           \
	{                                                                                                              \
		if (BIS_UNLIKELY(!do_##first(h, op)))                                                                  \
			return interp_##first(h, op);                                                                  \
		if (BIS_UNLIKELY(!do_##second(h, op + 1)))                                                             \
			return interp_##second(h, op + 1);                                                             \
		return IOP_NEXT(h, op + 2);                                                                            \
	}
#define PAIR_END(first, second)                                                                                        \
	static const struct iop *first##__##second(struct bis_hart *h, const struct iop *op)                           \
	{                                                                                                              \
		const struct iop *next;                                                                                \
                                                                                                                       \
		if (BIS_UNLIKELY(!do_##first(h, op)))                                                                  \
			return interp_##first(h, op);                                                                  \
		next = end_##second(h, op + 1);                                                                        \
		return IOP_NEXT(h, next);                                                                              \
	}
#include "src/engine/interp/pairs.def"

enum fusable {
	FUSABLE_NONE,
#define FUSABLE(name) FUSABLE_##name,
#include "src/engine/interp/pairs.def"
	FUSABLE_COUNT
};

static const uint8_t fusable[IOP_COUNT] = {
#define FUSABLE(name) [IOP_##name] = FUSABLE_##name,
#include "src/engine/interp/pairs.def"
};

static const iop_fn fused[FUSABLE_COUNT][FUSABLE_COUNT] = {
#define PAIR(first, second)	[FUSABLE_##first][FUSABLE_##second] = first##__##second,
#define PAIR_END(first, second) PAIR(first, second)
#include "src/engine/interp/pairs.def"
};

iop_fn interp_fused(enum iop_number first, enum iop_number second)
{
	return fused[fusable[first]][fusable[second]];
}
