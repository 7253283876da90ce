/*
 * Atomic accesses of guest memory, for engines: sequentially consistent, naturally aligned, `size` 4 or 8 bytes. False
 * if an exception was raised; otherwise *result is what goes to the register. Hart's thread.
 */
#ifndef BISCUIT_ENGINE_ATOMICS_H
#define BISCUIT_ENGINE_ATOMICS_H

#include <biscuit/ir.h>

#include "src/cpu/hart_internal.h"

bool engine_lr(struct bis_hart *h, uint64_t va, unsigned size, uint64_t *result);
/* 0 on success, else 1. */
bool engine_sc(struct bis_hart *h, uint64_t va, unsigned size, uint64_t value, uint64_t *result);
bool engine_amo(struct bis_hart *h, enum bis_amo op, uint64_t va, unsigned size, uint64_t value, uint64_t *result);

#endif
