/* What gdb is told of translated code: an ELF file in memory, with symbols and with the way back to the callers. */
#ifndef BISCUIT_ENGINE_JIT_GDB_IMAGE_H
#define BISCUIT_ENGINE_JIT_GDB_IMAGE_H

#include <biscuit/types.h>

#define JIT_SYMBOL_NAME 40

struct jit_symbol {
	uint64_t start, end;
	char name[JIT_SYMBOL_NAME];
};

/* Call frame information of a stretch of code; `frames` are bytes of .debug_frame. */
#define JIT_FRAMES_MAX 2048
struct jit_frames {
	size_t len;
	uint32_t anchored; /* where the entry begins that stretches by the anchor share */
	uint8_t bytes[JIT_FRAMES_MAX];
};

/*
 * Two ways to the caller's frame: by the address that `anchor` holds, below which lie the registers of `saved` and the
 * return address, wherever RSP is; or from RSP, which the return address is right at.
 */
void jit_frames_begin(struct jit_frames *f, const void *anchor, const uint8_t *saved, size_t n_saved);
/* [start, end) goes by the anchor. */
void jit_frames_anchored(struct jit_frames *f, const uint8_t *start, const uint8_t *end);
/* [start, end) goes by RSP, which is `less` bytes further down from `behind` on. */
void jit_frames_by_stack(struct jit_frames *f, const uint8_t *start, const uint8_t *end, const uint8_t *behind,
			 unsigned less);
/* [start, end) begins by pushing each of the registers `saved`. */
void jit_frames_pushing(struct jit_frames *f, const uint8_t *start, const uint8_t *end, const uint8_t *saved,
			size_t n_saved);

/* The file: to be freed. NULL without memory. `frames` may be NULL; n is 1 or more, symbols in order. */
uint8_t *jit_image_create(const struct jit_symbol *symbols, size_t n, const struct jit_frames *frames, size_t *size);

#endif
