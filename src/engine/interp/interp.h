/* The interpreter as an engine. */
#ifndef BISCUIT_ENGINE_INTERP_H
#define BISCUIT_ENGINE_INTERP_H

#include "src/engine/engine.h"

extern const struct bis_engine bis_engine_interp;

#endif
