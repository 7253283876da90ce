/* The list of engines; the first is the default. */
#include <string.h>

#include "src/engine/engine.h"
#include "src/engine/interp/interp.h"
#include "src/engine/jit/jit.h"

static const struct bis_engine *const engines[] = {
#ifdef HAVE_JIT
	&bis_engine_jit,
#endif
	&bis_engine_interp,
};

const struct bis_engine *bis_engine_at(size_t index)
{
	return index < BIS_ARRAY_SIZE(engines) ? engines[index] : NULL;
}

const struct bis_engine *bis_engine_find(const char *name)
{
	if (!name)
		return engines[0];
	for (size_t i = 0; i < BIS_ARRAY_SIZE(engines); i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}
