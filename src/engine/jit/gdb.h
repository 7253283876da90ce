/*
 * gdb's interface to compilers at run time ("JIT Compilation Interface" in its manual): translated code as symbols, and
 * call frames through it, for a gdb that is attached to Biscuit itself. Only with bis_machine_config.debug_engine.
 */
#ifndef BISCUIT_ENGINE_JIT_GDB_H
#define BISCUIT_ENGINE_JIT_GDB_H

#include "src/engine/jit/jit_internal.h"

/* One a hart. NULL without memory. */
struct jit_gdb *jit_gdb_create(void);
void jit_gdb_destroy(struct jit_gdb *g); /* NULL is allowed */

/* In the thunk that enters, behind its pushes: keeps where its frame is. RCX is lost. */
void jit_gdb_keep_frame(struct jit_gdb *g, struct x86_asm *a);
/* A new generation of the code cache, [arena, arena_end) as executed; its thunks have been made and end at thunks_end.
 */
void jit_gdb_begin(struct jit_gdb *g, const struct jit *j, const uint8_t *thunks_end, const uint8_t *arena_end);
/* The block's code, which ends at `end`, as executed. */
void jit_gdb_add(struct jit_gdb *g, const struct bis_ir *t, const struct bis_block *b, const uint8_t *end);

#endif
