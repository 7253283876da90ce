/* The x86-64 translator as an engine. */
#ifndef BISCUIT_ENGINE_JIT_H
#define BISCUIT_ENGINE_JIT_H

#include "src/engine/engine.h"

extern const struct bis_engine bis_engine_jit;

#endif
