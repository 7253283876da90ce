/*
 * runtime.c - start-up, trap handlers, fold and final print of a test program, in M-mode without paging
 * (privileged specification 1.12, chapter "Machine-Level ISA"). Uses base instructions and CSR accesses only,
 * so that a wrong instruction elsewhere does not break the report of it.
 */
#include <string.h>

#include "layout.h"
#include "masks.h"
#include "runtime.h"

const struct snapshot_csr snapshot_csrs[] = {
	{"mstatus", CSR_MSTATUS, 0},
	{"mepc", CSR_MEPC, 0},
	{"mcause", CSR_MCAUSE, 0},
	{"mtval", CSR_MTVAL, 0},
	{"medeleg", CSR_MEDELEG, 0},
	{"mideleg", CSR_MIDELEG, 0},
	{"mie", CSR_MIE, 0},
	{"mip", CSR_MIP, 0},
	{"mtvec", CSR_MTVEC, 0},
	{"mcounteren", CSR_MCOUNTEREN, 0},
	{"stvec", CSR_STVEC, 0},
	{"sepc", CSR_SEPC, 0},
	{"scause", CSR_SCAUSE, 0},
	{"stval", CSR_STVAL, 0},
	{"sscratch", CSR_SSCRATCH, 0},
	{"satp", CSR_SATP, 0},
	{"scounteren", CSR_SCOUNTEREN, 0},
	{"fcsr", CSR_FCSR, 'F'},
	{"mstatush", CSR_MSTATUSH, '3'},
};
const unsigned snapshot_csr_count = sizeof(snapshot_csrs) / sizeof(snapshot_csrs[0]);

/* The same handler serves M-mode and, for delegated traps, S-mode. */
struct handler {
	unsigned status, scratch, epc, cause, tval, ip;
	int save;
	bool machine;
};
static const unsigned handler_saves[] = {T0, T1, T2, S0, S1, A0};
enum { VECTOR_ALIGNMENT = 256, VECTORED = 1, HANDLER_SAVES = sizeof(handler_saves) / sizeof(handler_saves[0]) };

/* h = mix(h + v): a one-to-one function of h, so a difference never gets lost in later steps. */
static void hash_step(struct code *c, unsigned h, unsigned v, unsigned tmp)
{
	static const int shifts[2][3] = {{13, 17, 5}, {13, 7, 17}};
	const int *s = shifts[c->xlen == 64];

	as_r(c, R_ADD, h, h, v);
	as_i(c, I_SLLI, tmp, h, s[0]);
	as_r(c, R_XOR, h, h, tmp);
	as_i(c, I_SRLI, tmp, h, s[1]);
	as_r(c, R_XOR, h, h, tmp);
	as_i(c, I_SLLI, tmp, h, s[2]);
	as_r(c, R_XOR, h, h, tmp);
}

/* Appends cause t0, epc t1, tval t2 and the status to the ring and to the hash. Changes s1 and a0. */
static void handler_log(struct code *c, const struct handler *h)
{
	if (!h->machine)
		as_i(c, I_ADDI, T0, T0, 0x100);
	as_load(c, A0, SP, VAR_TRAPS);
	as_i(c, I_ANDI, S1, A0, LOG_ENTRIES - 1);
	as_i(c, I_ADDI, A0, A0, 1);
	as_store(c, A0, SP, VAR_TRAPS);
	as_i(c, I_SLLI, S1, S1, c->xlen == 64 ? 5 : 4); /* LOG_WORDS words */
	as_li(c, A0, TRAP_LOG);
	as_r(c, R_ADD, S1, S1, A0);
	as_csrr(c, A0, h->status);
	as_store(c, T0, S1, 0);
	as_store(c, T1, S1, (int)c->xlen / 8);
	as_store(c, T2, S1, (int)c->xlen / 4);
	as_store(c, A0, S1, (int)c->xlen / 8 * 3);
	as_i(c, I_ADDI, S1, A0, 0);
	as_load(c, A0, SP, VAR_HASH);
	hash_step(c, A0, S1, S1);
	hash_step(c, A0, T0, S1);
	hash_step(c, A0, T1, S1);
	hash_step(c, A0, T2, S1);
	as_store(c, A0, SP, VAR_HASH);
}

/* if (t0 == cause && t2 == value) t2 = 0. The trap value may be that value or zero: compare neither. */
static void handler_accept_tval(struct code *c, unsigned cause, unsigned value)
{
	uint64_t skip[2];

	as_li(c, A0, cause);
	skip[0] = as_here(c);
	as_branch(c, B_BNE, T0, A0, skip[0]);
	skip[1] = as_here(c);
	as_branch(c, B_BNE, T2, value, skip[1]);
	as_li(c, T2, 0);
	as_patch_branch(c, skip[0]);
	as_patch_branch(c, skip[1]);
}

/* A trap value of an access or page fault in the last 7 bytes of a page becomes the next page's address. Changes a0 and
 * s1. */
static void handler_round_tval(struct code *c)
{
	uint64_t skip[2];

	as_i(c, I_ANDI, A0, T0, ~10); /* 5, 7, 13 and 15 */
	as_li(c, S1, 5);
	skip[0] = as_here(c);
	as_branch(c, B_BNE, A0, S1, skip[0]);
	as_i(c, I_ADDI, A0, T2, 7);
	as_i(c, I_SRLI, A0, A0, 12);
	as_i(c, I_SRLI, S1, T2, 12);
	skip[1] = as_here(c);
	as_branch(c, B_BEQ, A0, S1, skip[1]);
	as_i(c, I_SLLI, T2, A0, 12);
	as_patch_branch(c, skip[0]);
	as_patch_branch(c, skip[1]);
}

/* s0 = the instruction at t1, s1 = its length. Changes a0. */
static void handler_fetch(struct code *c)
{
	uint64_t is_short;

	as_i(c, I_LHU, S0, T1, 0);
	as_i(c, I_ANDI, A0, S0, 3);
	as_li(c, S1, 3);
	as_r(c, R_SUB, A0, A0, S1);
	as_li(c, S1, 2);
	is_short = as_here(c);
	as_branch(c, B_BNE, A0, ZERO, is_short);
	as_i(c, I_LHU, A0, T1, 2);
	as_i(c, I_SLLI, A0, A0, 16);
	as_r(c, R_OR, S0, S0, A0);
	as_li(c, S1, 4);
	as_patch_branch(c, is_short);
}

/* s0 = where to resume; leaves the tested mode when the trap is the ecall that asks for it. Changes a0 and s1. */
static void handler_leave(struct code *c, const struct handler *h, uint64_t exit_stub)
{
	uint64_t no_exit, no_stub, join;

	as_load(c, A0, SP, VAR_EXIT);
	no_exit = as_here(c);
	as_branch(c, B_BNE, A0, T1, no_exit);
	if (!h->machine) {
		as_la(c, S0, exit_stub);
		as_li(c, A0, MSTATUS_SPP);
		as_csrs(c, h->status, A0);
		as_patch_branch(c, no_exit);
		return;
	}
	as_li(c, S1, MSTATUS_MPP);
	as_csrs(c, h->status, S1);
	join = as_here(c);
	as_jump(c, ZERO, join);
	as_patch_branch(c, no_exit);
	as_la(c, S1, exit_stub);
	no_stub = as_here(c);
	as_branch(c, B_BNE, S1, T1, no_stub);
	as_i(c, I_ADDI, S0, A0, 4);
	as_li(c, S1, MSTATUS_MPP);
	as_csrs(c, h->status, S1);
	as_patch_branch(c, no_stub);
	as_patch_jump(c, join);
}

static void emit_handler(struct code *c, const struct handler *h, uint64_t exit_stub)
{
	uint64_t is_interrupt, is_fetch[2], done[2];

	as_csr(c, 1, SP, h->scratch, SP);
	for (int i = 0; i < HANDLER_SAVES; i++)
		as_store(c, handler_saves[i], SP, h->save + 8 * i);
	as_csrr(c, T0, h->cause);
	as_csrr(c, T1, h->epc);
	as_csrr(c, T2, h->tval);
	is_interrupt = as_here(c);
	as_branch(c, B_BLT, T0, ZERO, is_interrupt);
	for (int i = 0; i < 2; i++) {
		as_li(c, S0, i ? 12 : 1);
		is_fetch[i] = as_here(c);
		as_branch(c, B_BEQ, T0, S0, is_fetch[i]);
	}
	handler_fetch(c);
	if (MASK_TVAL_ILLEGAL)
		handler_accept_tval(c, 2, S0);
	if (MASK_TVAL_EBREAK)
		handler_accept_tval(c, 3, T1);
	if (MASK_TVAL_MISALIGNED_JUMP) {
		uint64_t skip = as_here(c);

		as_branch(c, B_BNE, T0, ZERO, skip);
		as_li(c, T2, 0);
		as_patch_branch(c, skip);
	}
	as_r(c, R_ADD, S0, T1, S1);
	if (MASK_TVAL_CROSSING)
		handler_round_tval(c);
	handler_log(c, h);
	handler_leave(c, h, exit_stub);
	done[0] = as_here(c);
	as_jump(c, ZERO, done[0]);

	as_patch_branch(c, is_interrupt);
	handler_log(c, h);
	as_i(c, I_ADDI, S0, T1, 0);
	as_li(c, A0, 2); /* the software interrupt is the only one in use */
	as_csrc(c, h->ip, A0);
	done[1] = as_here(c);
	as_jump(c, ZERO, done[1]);

	as_patch_branch(c, is_fetch[0]);
	as_patch_branch(c, is_fetch[1]);
	handler_log(c, h);
	as_load(c, S0, SP, VAR_RECOVER);

	as_patch_jump(c, done[0]);
	as_patch_jump(c, done[1]);
	as_csrw(c, h->epc, S0);
	as_csrw(c, h->tval, ZERO);
	for (int i = 0; i < HANDLER_SAVES; i++)
		as_load(c, handler_saves[i], SP, h->save + 8 * i);
	as_csr(c, 1, SP, h->scratch, SP);
	as_word(c, h->machine ? W_MRET : W_SRET);
}

/*
 * A vector table for the handler, and its address: everything goes to the handler, but what comes through the entry of
 * the software interrupt leaves a mark in the hash.
 */
static uint64_t emit_vectors(struct code *c, const struct handler *h, uint64_t handler)
{
	uint64_t table, marked;

	while (as_here(c) % VECTOR_ALIGNMENT)
		as_word(c, 0);
	table = as_here(c);
	as_jump(c, ZERO, handler);
	marked = as_here(c);
	as_jump(c, ZERO, marked);
	for (unsigned cause = 2; cause < 16; cause++)
		as_jump(c, ZERO, handler);
	as_patch_jump(c, marked);
	as_csr(c, 1, SP, h->scratch, SP);
	as_store(c, T0, SP, h->save);
	as_load(c, T0, SP, VAR_HASH);
	as_i(c, I_ADDI, T0, T0, 1);
	as_store(c, T0, SP, VAR_HASH);
	as_load(c, T0, SP, h->save);
	as_csr(c, 1, SP, h->scratch, SP);
	as_jump(c, ZERO, handler);
	return table;
}

/* a0 = hash of the XLEN words in [s0, s1), continued. Changes t0, t1, s0. */
static void hash_range(struct code *c, uint64_t from, uint64_t size)
{
	uint64_t again;

	as_li(c, S0, from);
	as_li(c, S1, from + size);
	again = as_here(c);
	as_load(c, T0, S0, 0);
	hash_step(c, A0, T0, T1);
	as_i(c, I_ADDI, S0, S0, (int)c->xlen / 8);
	as_branch(c, B_BLTU, S0, S1, again);
}

static bool csr_present(const struct isa *isa, const struct snapshot_csr *s)
{
	return !s->needs || (s->needs == 'F' ? isa->f : isa->xlen == 32);
}

/* Called with mscratch and sp swapped and ra already in VAR_X(1): saves everything, appends a digest, restores the x
 * registers. */
static void emit_fold(struct code *c, const struct isa *isa)
{
	for (unsigned i = 3; i < 32; i++)
		as_store(c, i, SP, VAR_X(i));
	as_csrr(c, T0, CSR_MSCRATCH);
	as_store(c, T0, SP, VAR_X(2));
	as_csrr(c, T0, CSR_MSTATUS);
	as_store(c, T0, SP, VAR_CSR(0));
	if (isa->f) {
		as_li(c, T1, MSTATUS_FS);
		as_csrs(c, CSR_MSTATUS, T1);
		for (unsigned i = 0; i < 32; i++)
			as_s(c, isa->d ? S_FSD : S_FSW, i, SP, VAR_F(i));
	}
	for (unsigned i = 1; i < snapshot_csr_count; i++) {
		if (csr_present(isa, &snapshot_csrs[i])) {
			as_csrr(c, T1, snapshot_csrs[i].addr);
			as_store(c, T1, SP, VAR_CSR(i));
		}
	}
	as_csrw(c, CSR_MSTATUS, T0);
	as_load(c, A0, SP, VAR_HASH);
	hash_range(c, DATA, SNAPSHOT_SIZE);
	hash_range(c, PAGE_RW, PAGE);
	as_load(c, T0, SP, VAR_DIGEST);
	as_store(c, A0, T0, 0);
	as_i(c, I_ADDI, T0, T0, (int)c->xlen / 8);
	as_store(c, T0, SP, VAR_DIGEST);
	for (unsigned i = 3; i < 32; i++)
		as_load(c, i, SP, VAR_X(i));
	as_i(c, I_JALR, ZERO, RA, 0);
}

/* Writes the low byte of a0. Changes t0, t1. */
static void emit_putc(struct code *c)
{
	uint64_t wait;

	as_li(c, T0, UART);
	wait = as_here(c);
	as_i(c, I_LBU, T1, T0, 5);
	as_i(c, I_ANDI, T1, T1, 0x20); /* line status: transmitter ready */
	as_branch(c, B_BEQ, T1, ZERO, wait);
	as_s(c, S_SB, A0, T0, 0);
	as_i(c, I_JALR, ZERO, RA, 0);
}

static void print_text(struct code *c, uint64_t putc, const char *text)
{
	for (; *text; text++) {
		as_li(c, A0, (unsigned char)*text);
		as_jump(c, RA, putc);
	}
}

/* Prints the XLEN words in [s0, s1), a line each. Returns through tp. */
static void emit_print_range(struct code *c, uint64_t putc)
{
	uint64_t next_word, next_digit, small, end;

	next_word = as_here(c);
	end = next_word;
	as_branch(c, B_BEQ, S0, S1, end);
	as_load(c, A1, S0, 0);
	as_li(c, A2, c->xlen / 4);
	next_digit = as_here(c);
	as_i(c, I_SRLI, A0, A1, (int)c->xlen - 4);
	as_i(c, I_SLLI, A1, A1, 4);
	as_li(c, T0, 10);
	as_i(c, I_ADDI, A0, A0, '0');
	as_i(c, I_ADDI, T0, T0, '0');
	small = as_here(c);
	as_branch(c, B_BLT, A0, T0, small);
	as_i(c, I_ADDI, A0, A0, 'a' - '0' - 10);
	as_patch_branch(c, small);
	as_jump(c, RA, putc);
	as_i(c, I_ADDI, A2, A2, -1);
	as_branch(c, B_BNE, A2, ZERO, next_digit);
	print_text(c, putc, "\n");
	as_i(c, I_ADDI, S0, S0, (int)c->xlen / 8);
	as_jump(c, ZERO, next_word);
	as_patch_branch(c, end);
	as_i(c, I_JALR, ZERO, TP, 0);
}

static void print_range(struct code *c, uint64_t print, uint64_t from, uint64_t size)
{
	as_li(c, S0, from);
	as_li(c, S1, from + size);
	as_jump(c, TP, print);
}

/* Prints the dump regions in their order and powers off. sp is VARS. */
static void emit_finish(struct code *c, uint64_t putc, uint64_t print)
{
	print_text(c, putc, "BEGIN\n");
	print_range(c, print, DATA, SNAPSHOT_SIZE);
	print_range(c, print, VARS + (uint64_t)VAR_TRAPS, 16);
	print_range(c, print, TRAP_LOG, LOG_ENTRIES * LOG_WORDS * c->xlen / 8);
	print_range(c, print, PAGE_RW, PAGE);
	as_li(c, S0, DIGESTS);
	as_load(c, S1, SP, VAR_DIGEST);
	as_jump(c, TP, print);
	print_text(c, putc, "END\n");
	as_li(c, T0, FINISHER);
	as_li(c, T1, 0x5555);
	as_s(c, S_SW, T1, T0, 0);
	as_jump(c, ZERO, as_here(c));
}

/* PMP entry n covers the NAPOT region that addr encodes (privileged specification, section 3.7.1). */
static void set_pmp_addr(struct code *c, unsigned n, uint64_t addr)
{
	as_li(c, T0, addr);
	as_csrw(c, CSR_PMPADDR0 + n, T0);
}

static void emit_registers(struct code *c, const struct isa *isa, struct rng *r)
{
	if (isa->f) {
		as_li(c, T0, MSTATUS_FS);
		as_csrs(c, CSR_MSTATUS, T0);
		as_csrw(c, CSR_FCSR, ZERO);
		as_li(c, T0, POOL);
		for (unsigned i = 0; i < 32; i++)
			as_i(c, isa->d ? I_FLD : I_FLW, i, T0, (int)(8 * i));
	}
	for (unsigned i = 1; i < 32; i++)
		as_li(c, i, rng_value(r));
}

/* m_tvec and s_tvec are written to mtvec and stvec. */
static void emit_start(struct code *c, uint64_t m_tvec, uint64_t s_tvec)
{
	as_li(c, T0, m_tvec);
	as_csrw(c, CSR_MTVEC, T0);
	as_li(c, T0, s_tvec);
	as_csrw(c, CSR_STVEC, T0);
	as_li(c, T0, VARS);
	as_csrw(c, CSR_MSCRATCH, T0);
	as_csrw(c, CSR_SSCRATCH, T0);
	as_li(c, T1, DIGESTS);
	as_store(c, T1, T0, VAR_DIGEST);
	as_csrw(c, CSR_MIE, ZERO);
	as_csrw(c, CSR_MIDELEG, ZERO);
	as_csrw(c, CSR_MEDELEG, ZERO);
	as_csrw(c, CSR_MCOUNTEREN, ZERO);
	as_csrw(c, CSR_SCOUNTEREN, ZERO);
	as_csrw(c, CSR_SATP, ZERO);
	as_csrw(c, CSR_SEPC, ZERO);
	as_csrw(c, CSR_SCAUSE, ZERO);
	as_csrw(c, CSR_STVAL, ZERO);
	as_csrw(c, CSR_MEPC, ZERO);
	as_csrw(c, CSR_MCAUSE, ZERO);
	as_csrw(c, CSR_MTVAL, ZERO);
	set_pmp_addr(c, 0, PAGE_NONE >> 2 | ((PAGE >> 3) - 1));
	set_pmp_addr(c, 1, PAGE_RO >> 2 | ((PAGE >> 3) - 1));
	set_pmp_addr(c, 2, PAGE_M >> 2 | ((PAGE >> 3) - 1));
	set_pmp_addr(c, 3, c->xlen == 64 ? ((uint64_t)1 << 54) - 1 : UINT32_MAX);
	as_li(c, T0, 0x1f189998); /* all; nothing; locked read-only; locked nothing */
	as_csrw(c, CSR_PMPCFG0, T0);
	/* The timer compares with the far future. */
	as_li(c, T0, 0x2004000);
	as_li(c, T1, UINT64_MAX);
	as_s(c, S_SW, T1, T0, 4);
	as_s(c, S_SW, T1, T0, 0);
}

void runtime_start(struct runtime *rt, struct code *c, const struct isa *isa, struct rng *r)
{
	static const struct handler machine = {CSR_MSTATUS, CSR_MSCRATCH, CSR_MEPC,   CSR_MCAUSE,
					       CSR_MTVAL,   CSR_MIP,	  VAR_SAVE_M, true};
	static const struct handler supervisor = {CSR_SSTATUS, CSR_SSCRATCH, CSR_SEPC,	 CSR_SCAUSE,
						  CSR_STVAL,   CSR_SIP,	     VAR_SAVE_S, false};
	uint64_t m_tvec, s_tvec, putc, print, start = as_here(c);

	rt->isa = isa;
	as_jump(c, ZERO, start);
	rt->exit_stub = as_here(c);
	as_word(c, W_ECALL);
	m_tvec = as_here(c);
	emit_handler(c, &machine, rt->exit_stub);
	if (rng_chance(r, 50))
		m_tvec = emit_vectors(c, &machine, m_tvec) | VECTORED;
	s_tvec = as_here(c);
	emit_handler(c, &supervisor, rt->exit_stub);
	if (rng_chance(r, 50))
		s_tvec = emit_vectors(c, &supervisor, s_tvec) | VECTORED;
	rt->fold = as_here(c);
	emit_fold(c, isa);
	putc = as_here(c);
	emit_putc(c);
	print = as_here(c);
	emit_print_range(c, putc);
	rt->finish = as_here(c);
	emit_finish(c, putc, print);
	as_patch_jump(c, start);
	emit_start(c, m_tvec, s_tvec);
	emit_registers(c, isa, r);
}

void runtime_fold(const struct runtime *rt, struct code *c)
{
	as_csr(c, 1, SP, CSR_MSCRATCH, SP);
	as_store(c, RA, SP, VAR_X(1));
	as_far_call(c, RA, rt->fold);
	as_load(c, RA, SP, VAR_X(1));
	as_csr(c, 1, SP, CSR_MSCRATCH, SP);
}

void runtime_finish(const struct runtime *rt, struct code *c)
{
	as_csr(c, 1, SP, CSR_MSCRATCH, SP);
	as_store(c, RA, SP, VAR_X(1));
	as_far_call(c, RA, rt->fold);
	as_far_call(c, T0, rt->finish);
}

static void put64(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void runtime_data(uint8_t *data, struct rng *r)
{
	memset(data, 0, DATA_END - DATA);
	for (unsigned off = 0; off < PAGE; off += 8)
		put64(data + (POOL - DATA) + off, rng_float(r));
	for (uint32_t at = PAGE_RO; at < PAGE_TABLES; at += 8)
		put64(data + (at - DATA), rng_chance(r, 50) ? rng_float(r) : rng_value(r));
}
