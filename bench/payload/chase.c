/* Pointer chase through one random cycle of 256 KiB: every load depends on the one before and most miss the first
 * cache. */
#include "../bench.h"

#define NODES 4096
#define STEPS (8 * NODES)

const uint32_t bench_rounds = 1400 * BENCH_SCALE;

struct node {
	_Alignas(64) struct node *next;
	uint32_t value;
};

static struct node nodes[NODES];

/* Sattolo's shuffle leaves the nodes in a single cycle. */
static void link_nodes(void)
{
	static uint32_t order[NODES];
	uint32_t seed = 12345;

	for (uint32_t i = 0; i < NODES; i++)
		order[i] = i;
	for (uint32_t i = NODES - 1; i > 0; i--) {
		uint32_t j = bench_random(&seed) % i;
		uint32_t kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
	for (uint32_t i = 0; i < NODES; i++) {
		nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
		nodes[order[i]].value = i * 3;
	}
}

uint32_t bench_payload(uint32_t rounds)
{
	const struct node *node = nodes;
	uint32_t checksum = 1;

	link_nodes();
	for (uint32_t round = 0; round < rounds; round++) {
		uint32_t sum = 0;

		for (uint32_t step = 0; step < STEPS; step++) {
			sum += node->value ^ step;
			node = node->next;
		}
		checksum = bench_mix(checksum, sum);
		node = node->next;
	}
	return checksum;
}
