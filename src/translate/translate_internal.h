/*
 * From guest code to IR: where a block's bytes come from, one instruction, one block, one trace. Hart's thread only.
 */
#ifndef BISCUIT_TRANSLATE_TRANSLATE_INTERNAL_H
#define BISCUIT_TRANSLATE_TRANSLATE_INTERNAL_H

#include <biscuit/types.h>

struct bis_decoder;
struct bis_hart;
struct bis_insn;
struct bis_insn_row;
struct bis_ir;

#define PAGE_OFFSET(a) ((a) & (BIS_PAGE_SIZE - 1))
#define PAGE_OF(a)     ((a) & ~(uint64_t)(BIS_PAGE_SIZE - 1))

/* Where a block's bytes come from. */
struct bis_code {
	uint64_t va, pa;
	const uint8_t *host;  /* of the page */
	bool cacheable;	      /* PMP treats the page alike */
	bool watched;	      /* every hart has heard that code lies here */
	uint64_t second_page; /* of an instruction over two pages, physical; or BLOCK_DEAD */
};

/* How the translation of an instruction went. */
enum bis_step {
	STEP_MORE,     /* the block may go on */
	STEP_LAST,     /* the block ends with it */
	STEP_NOT_THIS, /* it needs a block of its own; nothing was appended */
	STEP_FAULT,    /* it cannot be fetched: the exception has been marked */
};

/* Does the fetch TLB hold va's page? It does not where PMP treats parts of the page differently. */
bool bis_code_is_uniform(const struct bis_hart *h, uint64_t va);

/* Makes `s` the code at va, which bis_mmu_fetch has found at pa. */
void bis_code_take(struct bis_hart *h, uint64_t va, uint64_t pa, struct bis_code *s);

/* Makes `s` the code at va and sets h->pc. False if fetching raised an exception: it has been marked. */
BIS_MUST_CHECK bool bis_code_open(struct bis_hart *h, uint64_t va, struct bis_code *s);

/* bis_decode for an instruction that is known to have `len` bytes. `out` is not NULL. */
const struct bis_insn_row *bis_decode_long(const struct bis_decoder *d, uint32_t raw, unsigned len,
					   struct bis_insn *out);

/* Appends the instruction at page offset `off`, whose length becomes *len, to t. */
enum bis_step bis_translate_insn(struct bis_hart *h, struct bis_code *s, struct bis_ir *t, unsigned off, unsigned *len);

/* Fills t with the block at s, of at most `max` instructions. False if its first instruction cannot be fetched. */
BIS_MUST_CHECK bool bis_translate_block(struct bis_hart *h, struct bis_code *s, struct bis_ir *t, unsigned max);

/* Fills t with the path from s on, and if it is a loop with the paths beside it. False if it cannot be fetched. */
BIS_MUST_CHECK bool bis_translate_trace(struct bis_hart *h, struct bis_code *s, struct bis_ir *t);

#endif
