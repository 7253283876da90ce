/* A translation, for those who look at it while it is made. */
#ifndef BISCUIT_TRANSLATE_DUMP_INTERNAL_H
#define BISCUIT_TRANSLATE_DUMP_INTERNAL_H

#include "src/translate/ir_internal.h"

struct bis_hart;

struct bis_translation {
	const struct bis_hart *hart;
	const struct bis_ir *ir;
	uint64_t pa;
	const uint8_t *page; /* the guest's, where its instructions lie */
	const uint8_t *code; /* as written */
	size_t code_size;
};

#endif
