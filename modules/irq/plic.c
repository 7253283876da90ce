/*
 * Platform-level interrupt controller: RISC-V PLIC specification 1.0 in the SiFive layout, level-triggered gateways,
 * two contexts a hart (2h machine mode, 2h+1 supervisor mode). Runs with the device lock held.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/hart.h>
#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "modules/modules.h"

/* PLIC specification, memory map */
enum {
	PLIC_PRIORITY = 0x0,   /* 4 bytes a source */
	PLIC_PENDING = 0x1000, /* a bit a source */
	PLIC_ENABLE = 0x2000,  /* a bit a source, 0x80 bytes a context */
	PLIC_ENABLE_END = 0x1f2000,
	PLIC_CONTEXT = 0x200000, /* threshold, claim/complete; 0x1000 bytes a context */
	PLIC_SIZE = 0x4000000,
	PLIC_ENABLE_STRIDE = 0x80,
	PLIC_CONTEXT_STRIDE = 0x1000,
	CONTEXT_THRESHOLD = 0,
	CONTEXT_CLAIM = 4,
};

#define MAX_SOURCES   127u /* source 0 does not exist */
#define WORDS	      4u   /* bit maps of 128 sources */
#define MAX_CONTEXTS  (2u * BIS_MAX_HARTS)
#define PRIORITY_MASK 7u

struct plic {
	struct bis_machine *machine;
	uint32_t sources;
	uint32_t contexts;
	uint32_t level[WORDS];	 /* inputs as they are now */
	uint32_t pending[WORDS]; /* accepted from a gateway, not yet claimed */
	uint32_t claimed[WORDS]; /* gateway closed until completion */
	uint8_t priority[MAX_SOURCES + 1];
	uint32_t enable[MAX_CONTEXTS * WORDS];
	uint8_t threshold[MAX_CONTEXTS];
};

static const struct bis_field plic_fields[] = {
	BIS_FIELD(struct plic, sources, U32, BIS_FIELD_READONLY | BIS_FIELD_CONSTANT, "number of interrupt sources"),
	BIS_FIELD_ARRAY(struct plic, level, U32, WORDS, BIS_FIELD_HEX | BIS_FIELD_READONLY, "level of each source"),
	BIS_FIELD_ARRAY(struct plic, pending, U32, WORDS, BIS_FIELD_HEX, "sources waiting to be claimed"),
	BIS_FIELD_ARRAY(struct plic, claimed, U32, WORDS, BIS_FIELD_HEX, "sources claimed and not yet completed"),
	BIS_FIELD_ARRAY(struct plic, priority, U8, MAX_SOURCES + 1, 0, "priority of each source"),
	BIS_FIELD_ARRAY(struct plic, enable, U32, MAX_CONTEXTS *WORDS, BIS_FIELD_HEX,
			"enabled sources, 4 words a context"),
	BIS_FIELD_ARRAY(struct plic, threshold, U8, MAX_CONTEXTS, 0, "priority threshold of each context"),
	BIS_FIELD_END,
};

static const struct bis_option plic_options[] = {
	{"sources", BIS_OPTION_U64, "96", NULL, "number of interrupt sources, 1 to 127"},
	{0},
};

static bool bit_test(const uint32_t *map, uint32_t n)
{
	return map[n / 32] >> (n % 32) & 1;
}

static void bit_set(uint32_t *map, uint32_t n, bool value)
{
	uint32_t bit = UINT32_C(1) << (n % 32);

	map[n / 32] = value ? map[n / 32] | bit : map[n / 32] & ~bit;
}

/* Bits of map word `word` that stand for sources which exist. */
static uint32_t source_mask(const struct plic *p, uint32_t word)
{
	uint32_t mask = word == 0 ? ~UINT32_C(1) : ~UINT32_C(0);

	if (word * 32 > p->sources)
		return 0;
	if (p->sources - word * 32 < 31)
		mask &= (UINT32_C(2) << (p->sources - word * 32)) - 1;
	return mask;
}

/* The pending source of highest priority above `threshold` that the context has enabled (lowest number first), or 0. */
static uint32_t best_source(const struct plic *p, uint32_t context, uint8_t threshold)
{
	uint32_t best = 0;

	for (uint32_t w = 0; w < WORDS; w++) {
		uint32_t candidates = p->pending[w] & p->enable[context * WORDS + w];

		while (candidates) {
			uint32_t source = w * 32 + (uint32_t)__builtin_ctz(candidates);

			candidates &= candidates - 1;
			if (p->priority[source] > threshold) {
				best = source;
				threshold = p->priority[source];
			}
		}
	}
	return best;
}

static void update_outputs(const struct plic *p)
{
	for (uint32_t c = 0; c < p->contexts; c++) {
		struct bis_hart *h = bis_machine_hart(p->machine, c / 2);

		bis_hart_set_line(h, c % 2 ? BIS_LINE_SEIP : BIS_LINE_MEIP, best_source(p, c, p->threshold[c]) != 0);
	}
}

/* A gateway passes its level on unless its last request is still with a context. */
static void update_gateways(struct plic *p)
{
	for (uint32_t w = 0; w < WORDS; w++)
		p->pending[w] |= p->level[w] & ~p->claimed[w] & source_mask(p, w);
	update_outputs(p);
}

static void plic_set_input(void *self, unsigned input, bool level)
{
	struct plic *p = self;

	if (input == 0 || input > p->sources)
		return;
	bit_set(p->level, input, level);
	if (level)
		update_gateways(p);
}

/* Claiming ignores the threshold, which only masks the notification (PLIC specification, section 8). */
static uint32_t claim(struct plic *p, uint32_t context)
{
	uint32_t source = best_source(p, context, 0);

	if (source) {
		bit_set(p->pending, source, false);
		bit_set(p->claimed, source, true);
		update_outputs(p);
	}
	return source;
}

static void complete(struct plic *p, uint32_t context, uint32_t source)
{
	if (source == 0 || source > p->sources || !bit_test(&p->enable[context * WORDS], source))
		return;
	bit_set(p->claimed, source, false);
	update_gateways(p);
}

/* The enable word at `off`, or NULL where the machine has none; *word is its place in the bit map. */
static uint32_t *enable_word(struct plic *p, uint64_t off, uint32_t *word)
{
	uint64_t context = (off - PLIC_ENABLE) / PLIC_ENABLE_STRIDE;

	*word = (uint32_t)((off - PLIC_ENABLE) % PLIC_ENABLE_STRIDE / 4);
	if (context >= p->contexts || *word >= WORDS)
		return NULL;
	return &p->enable[context * WORDS + *word];
}

/* Reserved places read as zero. */
static enum bis_bus_result plic_read(void *self, uint64_t off, unsigned size, uint64_t *val)
{
	struct plic *p = self;
	uint32_t word;

	(void)size;
	*val = 0;
	if (off < PLIC_PENDING) {
		if (off / 4 <= p->sources)
			*val = p->priority[off / 4];
	} else if (off < PLIC_ENABLE) {
		if ((off - PLIC_PENDING) / 4 < WORDS)
			*val = p->pending[(off - PLIC_PENDING) / 4];
	} else if (off < PLIC_ENABLE_END) {
		const uint32_t *enable = enable_word(p, off, &word);

		*val = enable ? *enable : 0;
	} else if (off >= PLIC_CONTEXT) {
		uint64_t context = (off - PLIC_CONTEXT) / PLIC_CONTEXT_STRIDE;
		uint64_t reg = off % PLIC_CONTEXT_STRIDE;

		if (context < p->contexts && reg == CONTEXT_THRESHOLD)
			*val = p->threshold[context];
		else if (context < p->contexts && reg == CONTEXT_CLAIM)
			*val = claim(p, (uint32_t)context);
	}
	return BIS_BUS_OK;
}

static void write_context(struct plic *p, uint64_t off, uint64_t val)
{
	uint64_t context = (off - PLIC_CONTEXT) / PLIC_CONTEXT_STRIDE;
	uint64_t reg = off % PLIC_CONTEXT_STRIDE;

	if (context >= p->contexts)
		return;
	if (reg == CONTEXT_CLAIM) {
		complete(p, (uint32_t)context, (uint32_t)val);
	} else if (reg == CONTEXT_THRESHOLD) {
		p->threshold[context] = val & PRIORITY_MASK;
		update_outputs(p);
	}
}

/* Writes to pending bits and reserved places are ignored. */
static enum bis_bus_result plic_write(void *self, uint64_t off, unsigned size, uint64_t val)
{
	struct plic *p = self;
	uint32_t word;

	(void)size;
	if (off < PLIC_PENDING) {
		if (off != 0 && off / 4 <= p->sources) {
			p->priority[off / 4] = val & PRIORITY_MASK;
			update_outputs(p);
		}
	} else if (off >= PLIC_ENABLE && off < PLIC_ENABLE_END) {
		uint32_t *enable = enable_word(p, off, &word);

		if (enable) {
			*enable = (uint32_t)val & source_mask(p, word);
			update_outputs(p);
		}
	} else if (off >= PLIC_CONTEXT) {
		write_context(p, off, val);
	}
	return BIS_BUS_OK;
}

/* The level of the inputs belongs to the devices and survives. */
static void plic_reset(void *self)
{
	struct plic *p = self;

	memset(p->pending, 0, sizeof(p->pending));
	memset(p->claimed, 0, sizeof(p->claimed));
	memset(p->priority, 0, sizeof(p->priority));
	memset(p->enable, 0, sizeof(p->enable));
	memset(p->threshold, 0, sizeof(p->threshold));
	update_gateways(p);
}

static void plic_resume(void *self)
{
	update_outputs(self);
}

static int plic_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	uint64_t sources = bis_option_u64(options, "sources");
	struct plic *p;

	if (sources < 1 || sources > MAX_SOURCES)
		return bis_fail(EINVAL, "%s: sources=%llu: expected 1 to %u", bis_module_name(mod),
				(unsigned long long)sources, MAX_SOURCES);
	p = calloc(1, sizeof(*p));
	if (!p)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	p->machine = bis_module_machine(mod);
	p->sources = (uint32_t)sources;
	p->contexts = 2 * bis_machine_harts(p->machine);
	*self = p;
	return 0;
}

static int plic_attach(struct bis_module *mod, void *self)
{
	static const struct bis_mmio_ops mmio = {
		.size = PLIC_SIZE, .min_access = 4, .max_access = 4, .read = plic_read, .write = plic_write};
	static const struct bis_irqchip_ops chip = {.inputs = MAX_SOURCES, .set_input = plic_set_input};
	int err = bis_attach_mmio(mod, &mmio);

	(void)self;
	return err ? err : bis_attach_irqchip(mod, "plic", &chip);
}

/* The harts live on without their external interrupts. */
static void plic_destroy(void *self)
{
	struct plic *p = self;

	memset(p->level, 0, sizeof(p->level));
	plic_reset(p);
	free(p);
}

static void plic_dt(void *self, struct bis_dt *dt)
{
	static const char compatible[] = "sifive,plic-1.0.0\0riscv,plic0";
	const struct plic *p = self;
	uint32_t cells[BIS_MAX_HARTS * 4];
	size_t n = 0;

	for (unsigned i = 0; i < bis_dt_hart_count(dt) && i < BIS_MAX_HARTS; i++) {
		cells[n++] = bis_dt_hart_intc(dt, i);
		cells[n++] = BIS_LINE_MEIP;
		cells[n++] = bis_dt_hart_intc(dt, i);
		cells[n++] = BIS_LINE_SEIP;
	}
	bis_dt_strings(dt, "compatible", compatible, sizeof(compatible));
	bis_dt_cells(dt, "interrupts-extended", cells, n);
	bis_dt_flag(dt, "interrupt-controller");
	bis_dt_u32(dt, "#interrupt-cells", 1);
	bis_dt_u32(dt, "#address-cells", 0);
	bis_dt_u32(dt, "riscv,ndev", p->sources);
	(void)bis_dt_phandle(dt);
}

const struct bis_module_class bis_plic_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "plic",
	.summary = "platform-level interrupt controller",
	.options = plic_options,
	.fields = plic_fields,
	.create = plic_create,
	.attach = plic_attach,
	.resume = plic_resume,
	.reset = plic_reset,
	.destroy = plic_destroy,
	.dt_name = "plic",
	.dt = plic_dt,
};
