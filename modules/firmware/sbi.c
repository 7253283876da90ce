/*
 * Firmware that is a module: the RISC-V Supervisor Binary Interface 2.0 for guests that start in S-mode. It prepares
 * each hart after a reset (BOOT attachment) and answers environment calls from S-mode (TRAP attachment) on the host, so
 * that no guest code runs in M-mode. Calls run on the thread of the hart that makes them, without the device lock.
 * docs/sbi.md lists what is supported.
 */
#include "modules/firmware/sbi.h"

#include <errno.h>
#include <stdlib.h>

#include <biscuit/module.h>

#include "modules/modules.h"

enum { REG_A0 = 10, REG_A1 = 11, REG_A6 = 16, REG_A7 = 17 };

#define MENVCFG_STCE (UINT64_C(1) << 63)

/* Every exception that can come from S-mode or below, but the call from S-mode. */
#define DELEGATED_EXCEPTIONS                                                                                           \
	(1u << BIS_CAUSE_FETCH_MISALIGNED | 1u << BIS_CAUSE_FETCH_ACCESS | 1u << BIS_CAUSE_ILLEGAL |                   \
	 1u << BIS_CAUSE_BREAKPOINT | 1u << BIS_CAUSE_LOAD_MISALIGNED | 1u << BIS_CAUSE_LOAD_ACCESS |                  \
	 1u << BIS_CAUSE_STORE_MISALIGNED | 1u << BIS_CAUSE_STORE_ACCESS | 1u << BIS_CAUSE_ECALL_U |                   \
	 1u << BIS_CAUSE_FETCH_PAGE | 1u << BIS_CAUSE_LOAD_PAGE | 1u << BIS_CAUSE_STORE_PAGE)
#define DELEGATED_INTERRUPTS (1u << BIS_LINE_SSIP | 1u << BIS_LINE_STIP | 1u << BIS_LINE_SEIP | 1u << BIS_LINE_NATIVE)

/* --- Extensions --- */

static const sbi_fn base_functions[] = {
	bis_sbi_get_spec_version, bis_sbi_get_impl_id, bis_sbi_get_impl_version, bis_sbi_probe_extension,
	bis_sbi_get_mvendorid,	  bis_sbi_get_marchid, bis_sbi_get_mimpid,
};
static const sbi_fn time_functions[] = {bis_sbi_set_timer};
static const sbi_fn ipi_functions[] = {bis_sbi_send_ipi};
/* fence.i, sfence.vma, the same for one ASID */
static const sbi_fn rfence_functions[] = {bis_sbi_remote_fence, bis_sbi_remote_fence, bis_sbi_remote_fence};
static const sbi_fn hsm_functions[] = {bis_sbi_hart_start, bis_sbi_hart_stop, bis_sbi_hart_status,
				       bis_sbi_hart_suspend};
static const sbi_fn srst_functions[] = {bis_sbi_system_reset};
static const sbi_fn dbcn_functions[] = {bis_sbi_console_write, bis_sbi_console_read, bis_sbi_console_write_byte};

#define FUNCTIONS(array) .functions = (array), .count = BIS_ARRAY_SIZE(array)

static const struct sbi_extension {
	uint32_t eid;
	enum sbi_counter counter;
	const sbi_fn *functions; /* by function ID */
	size_t count;
} extensions[] = {
	{0x54494d45, SBI_COUNT_TIME, FUNCTIONS(time_functions)},
	{0x00735049, SBI_COUNT_IPI, FUNCTIONS(ipi_functions)},
	{0x52464e43, SBI_COUNT_RFENCE, FUNCTIONS(rfence_functions)},
	{0x0048534d, SBI_COUNT_HSM, FUNCTIONS(hsm_functions)},
	{0x4442434e, SBI_COUNT_CONSOLE, FUNCTIONS(dbcn_functions)},
	{0x53525354, SBI_COUNT_OTHER, FUNCTIONS(srst_functions)},
	{0x00000010, SBI_COUNT_OTHER, FUNCTIONS(base_functions)},
};

/* The legacy extensions are one function each, by extension ID. */
static const struct {
	sbi_fn call;
	enum sbi_counter counter;
} legacy[] = {
	{bis_sbi_set_timer, SBI_COUNT_TIME},
	{bis_sbi_console_write_byte, SBI_COUNT_CONSOLE},
	{bis_sbi_console_getchar, SBI_COUNT_CONSOLE},
	{bis_sbi_clear_ipi, SBI_COUNT_IPI},
	{bis_sbi_legacy_send_ipi, SBI_COUNT_IPI},
	{bis_sbi_legacy_remote_fence, SBI_COUNT_RFENCE},
	{bis_sbi_legacy_remote_fence, SBI_COUNT_RFENCE},
	{bis_sbi_legacy_remote_fence, SBI_COUNT_RFENCE},
	{bis_sbi_shutdown, SBI_COUNT_OTHER},
};

static const struct sbi_extension *find_extension(uint64_t eid)
{
	for (size_t i = 0; i < BIS_ARRAY_SIZE(extensions); i++)
		if (extensions[i].eid == eid)
			return &extensions[i];
	return NULL;
}

bool bis_sbi_probe(uint64_t eid)
{
	return eid < BIS_ARRAY_SIZE(legacy) || find_extension(eid);
}

/* --- Calls --- */

uint64_t bis_sbi_csr(struct bis_hart *h, unsigned address)
{
	uint64_t value;

	return bis_hart_csr_get(h, address, &value) ? 0 : value;
}

void bis_sbi_set_csr(struct bis_hart *h, unsigned address, uint64_t value)
{
	int err = bis_hart_csr_set(h, address, value);

	(void)err; /* it exists and can be written */
}

static int64_t carry_out(struct sbi_call *c, uint64_t eid, uint64_t fid)
{
	const struct sbi_extension *e;

	if (eid < BIS_ARRAY_SIZE(legacy)) {
		atomic_fetch_add_explicit(&c->sbi->calls[legacy[eid].counter], 1, memory_order_relaxed);
		return legacy[eid].call(c);
	}
	e = find_extension(eid);
	atomic_fetch_add_explicit(&c->sbi->calls[e ? e->counter : SBI_COUNT_OTHER], 1, memory_order_relaxed);
	if (!e || fid >= e->count)
		return SBI_ERR_NOT_SUPPORTED;
	return e->functions[fid](c);
}

static bool sbi_trap(void *self, struct bis_hart *h, uint64_t cause, uint64_t tval)
{
	struct sbi *s = self;
	struct sbi_call c = {.sbi = s, .hart = h, .flow = SBI_RETURNS};
	uint64_t eid = bis_hart_reg(h, REG_A7);
	int64_t error;

	(void)tval;
	if (cause != BIS_CAUSE_ECALL_S)
		return false;
	c.ones = bis_hart_isa(h)->xlen == 64 ? UINT64_MAX : UINT32_MAX;
	for (unsigned i = 0; i < BIS_ARRAY_SIZE(c.arg); i++)
		c.arg[i] = bis_hart_reg(h, REG_A0 + i);
	atomic_store_explicit(&s->suspended[bis_hart_id(h)], false, memory_order_relaxed);
	error = carry_out(&c, eid, bis_hart_reg(h, REG_A6));
	if (c.flow != SBI_RETURNS)
		return true;
	bis_hart_set_reg(h, REG_A0, (uint64_t)error);
	if (eid >= BIS_ARRAY_SIZE(legacy))
		bis_hart_set_reg(h, REG_A1, error ? 0 : c.value);
	bis_hart_set_pc(h, bis_hart_pc(h) + 4);
	return true;
}

/* --- After a reset --- */

/* What S-mode may not set up for itself. */
static void open_machine(struct bis_hart *h)
{
	bis_sbi_set_csr(h, CSR_PMPADDR0, UINT64_MAX);
	bis_sbi_set_csr(h, CSR_PMPCFG0, 0x1f); /* read, write, execute; naturally aligned power of two: everything */
	bis_sbi_set_csr(h, CSR_MEDELEG, DELEGATED_EXCEPTIONS);
	bis_sbi_set_csr(h, CSR_MIDELEG, DELEGATED_INTERRUPTS);
	bis_sbi_set_csr(h, CSR_MCOUNTEREN, UINT32_MAX);
	/* Linux leaves this one alone where it finds no counters of its own, and its vDSO reads the time. */
	bis_sbi_set_csr(h, CSR_SCOUNTEREN, 7);
	if (!bis_isa_has(bis_hart_isa(h), "sstc"))
		return;
	if (bis_hart_isa(h)->xlen == 64)
		bis_sbi_set_csr(h, CSR_MENVCFG, bis_sbi_csr(h, CSR_MENVCFG) | MENVCFG_STCE);
	else
		bis_sbi_set_csr(h, CSR_MENVCFGH, bis_sbi_csr(h, CSR_MENVCFGH) | MENVCFG_STCE >> 32);
}

/* Hart 0 goes on in S-mode where the machine starts; the others wait for hart_start. */
static void sbi_boot(void *self, struct bis_hart *h)
{
	(void)self;
	open_machine(h);
	if (bis_hart_id(h) == 0)
		bis_hart_enter(h, BIS_PRIV_S, bis_hart_pc(h), bis_hart_reg(h, REG_A0), bis_hart_reg(h, REG_A1));
	else
		bis_hart_halt(h);
}

/* --- The module --- */

#define COUNTER(name_, index, help_)                                                                                   \
	{                                                                                                              \
		.name = (name_), .type = BIS_FIELD_U64, .offset = offsetof(struct sbi, calls) + 8 * (index),           \
		.count = 1, .flags = BIS_FIELD_COUNTER | BIS_FIELD_READONLY, .help = (help_)                           \
	}

static const struct bis_field sbi_fields[] = {
	BIS_FIELD_ARRAY(struct sbi, suspended, BOOL, BIS_MAX_HARTS, 0, "harts whose last call was hart_suspend"),
	COUNTER("time", SBI_COUNT_TIME, "calls to set a timer"),
	COUNTER("ipi", SBI_COUNT_IPI, "calls about interrupts between harts"),
	COUNTER("rfence", SBI_COUNT_RFENCE, "remote fences"),
	COUNTER("hsm", SBI_COUNT_HSM, "calls about the state of harts"),
	COUNTER("console", SBI_COUNT_CONSOLE, "console calls"),
	COUNTER("other", SBI_COUNT_OTHER, "other calls"),
	BIS_FIELD_END,
};

static const struct bis_option sbi_options[] = {
	{"console", BIS_OPTION_TEXT, "console", NULL, "character device of the debug console"},
	{0},
};

static void sbi_reset(void *self)
{
	struct sbi *s = self;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(s->suspended); i++)
		atomic_store(&s->suspended[i], false);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(s->calls); i++)
		atomic_store(&s->calls[i], 0);
}

static int sbi_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct sbi *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return bis_fail(ENOMEM, "no memory for %s", bis_module_name(mod));
	s->machine = bis_module_machine(mod);
	s->memory = bis_module_memory(mod);
	s->harts = bis_machine_harts(s->machine);
	err = bis_chardev_open(s->machine, bis_option_text(options, "console"), &s->console);
	if (err) {
		free(s);
		return err;
	}
	*self = s;
	return 0;
}

static int sbi_attach(struct bis_module *mod, void *self)
{
	int err = bis_attach_boot(mod, sbi_boot);

	(void)self;
	return err ? err : bis_attach_trap(mod, UINT64_C(1) << BIS_CAUSE_ECALL_S, sbi_trap);
}

const struct bis_module_class bis_sbi_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "sbi",
	.summary = "supervisor binary interface: firmware for guests that start in S-mode",
	.options = sbi_options,
	.fields = sbi_fields,
	.create = sbi_create,
	.attach = sbi_attach,
	.reset = sbi_reset,
	.destroy = free,
};
