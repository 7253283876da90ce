/* Hot blocks: cpu/N/blocks, what the hart executes most of, while it runs. */
#include <inttypes.h>

#include "frontend/inspect/inspect_internal.h"

#define BLOCKS_MAX 40

static int generate_blocks(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	struct bis_hot_block blocks[BLOCKS_MAX];
	unsigned xlen = inspect_xlen(in);
	uint64_t samples;
	size_t count = bis_hart_hot_blocks(inspect_hart(in, n), blocks, BLOCKS_MAX, &samples);

	for (size_t i = 0; i < count; i++) {
		const struct bis_hot_block *b = &blocks[i];
		char where[200];

		debug_format_address(in->debug, b->va, where, sizeof(where));
		inspect_put(out, "%.1f%% %" PRIu64 " %s %u insns %zu bytes ",
			    100 * (double)b->samples / (double)(samples ? samples : 1), b->samples,
			    bis_block_kind_name(b->kind), b->insns, b->bytes);
		inspect_put_hex(out, b->pa, xlen);
		inspect_put(out, " %s\n", where);
	}
	return 0;
}

const struct inspect_type inspect_blocks_type = {.kind = INSPECT_TEXT, .generate = generate_blocks};
