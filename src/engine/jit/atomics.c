/*
 * Lowering of LR, SC and AMO: one compare with the TLB, which an aligned address in a page of RAM passes, then the
 * host's own atomic operations. What misses, is misaligned or reaches a device goes through C. The reservation is that
 * of src/engine/atomics.h: address, width and the value read. Hart's thread.
 */
#include "src/engine/jit/lower_internal.h"

static unsigned size_of(const struct ir_node *n)
{
	return n->bits / 8u;
}

/* RCX = host address of the word at the guest address in RAX. The jump is taken where the TLB's tag does not say so. */
static struct x86_patch locate(struct lowering *l, const struct ir_node *n)
{
	size_t tag = n->kind == IR_LR ? offsetof(struct bis_tlb_entry, rtag) : offsetof(struct bis_tlb_entry, wtag);
	struct x86_asm *a = &l->a;
	struct x86_patch miss;

	_Static_assert(TLB_INVALID >= 8, "a misaligned address must not look like an invalid tag");
	x86_op(a, X86_MOV, false, RCX, x86_in(RAX));
	x86_shift(a, X86_SHR, false, x86_in(RCX), BIS_PAGE_SHIFT - 5);
	x86_group(a, X86_G_AND, false, x86_in(RCX), (TLB_ENTRIES - 1) << 5);
	x86_op(a, X86_MOV, true, RDX, x86_in(RAX));
	x86_group(a, X86_G_AND, true, x86_in(RDX), -(int32_t)BIS_PAGE_SIZE + (int32_t)size_of(n) - 1);
	x86_op_index(a, X86_CMP, true, RDX, JIT_HART, RCX, 0, jit_entry_at(l, tag));
	miss = x86_jcc_later(a, X86_NE);
	x86_op_index(a, X86_MOV, true, RCX, JIT_HART, RCX, 0, jit_entry_at(l, offsetof(struct bis_tlb_entry, addend)));
	x86_op(a, X86_ADD, true, RCX, x86_in(RAX));
	return miss;
}

/* RAX = what memory held; it is compared and swapped until nobody comes between. */
static void swap_in_loop(struct lowering *l, const struct ir_node *n)
{
	static const enum x86_op ops[] = {[BIS_AMO_XOR] = X86_XOR, [BIS_AMO_AND] = X86_AND, [BIS_AMO_OR] = X86_OR};
	static const enum x86_cond keeps[] = {
		[BIS_AMO_MIN] = X86_L, [BIS_AMO_MAX] = X86_G, [BIS_AMO_MINU] = X86_B, [BIS_AMO_MAXU] = X86_A};
	bool wide = n->bits == 64;
	struct x86_asm *a = &l->a;
	const uint8_t *again;

	x86_op(a, X86_MOV, wide, RAX, x86_at(RCX, 0));
	again = x86_here(a);
	jit_copy(l, n->b, RDX);
	if (n->op < BIS_AMO_MIN) {
		x86_op(a, ops[n->op], wide, RDX, x86_in(RAX));
	} else {
		x86_op(a, X86_CMP, wide, RAX, x86_in(RDX));
		x86_op(a, (enum x86_op)(X86_CMOV | keeps[n->op]), wide, RDX, x86_in(RAX));
	}
	x86_lock(a);
	x86_op(a, X86_CMPXCHG, wide, RDX, x86_at(RCX, 0));
	x86_jcc(a, X86_NE, again);
}

/* Carries n out on the word at RCX: the register in which the old value is. */
static enum x86_reg modify(struct lowering *l, const struct ir_node *n)
{
	bool wide = n->bits == 64;
	struct x86_asm *a = &l->a;

	switch ((enum bis_amo)n->op) {
	case BIS_AMO_SWAP:
		jit_copy(l, n->b, RDX);
		x86_op(a, X86_XCHG, wide, RDX, x86_at(RCX, 0));
		return RDX;
	case BIS_AMO_ADD:
		jit_copy(l, n->b, RDX);
		x86_lock(a);
		x86_op(a, X86_XADD, wide, RDX, x86_at(RCX, 0));
		return RDX;
	default:
		break;
	}
	if (n->d != BIS_DISCARD || n->op >= BIS_AMO_MIN) {
		swap_in_loop(l, n);
		return RAX;
	}
	jit_copy(l, n->b, RDX);
	x86_lock(a);
	x86_op(a,
	       n->op == BIS_AMO_OR    ? X86_OR_TO
	       : n->op == BIS_AMO_AND ? X86_AND_TO
				      : X86_XOR_TO,
	       wide, RDX, x86_at(RCX, 0));
	return RAX;
}

/* RAX is the guest address. */
static enum x86_reg load_reserved(struct lowering *l, const struct ir_node *n)
{
	struct x86_asm *a = &l->a;

	x86_op(a, X86_MOV, n->bits == 64, RCX, x86_at(RCX, 0));
	x86_const(a, RDX, size_of(n));
	x86_op(a, X86_MOV_TO, true, RAX, JIT_MEMBER(res_addr));
	x86_op(a, X86_MOV_TO, true, RCX, JIT_MEMBER(res_value));
	x86_store(a, 1, JIT_MEMBER(res_size), RDX);
	return RCX;
}

static enum x86_reg store_conditional(struct lowering *l, const struct ir_node *n)
{
	struct x86_asm *a = &l->a;
	struct x86_patch elsewhere, narrower;

	x86_op(a, X86_CMP, true, RAX, JIT_MEMBER(res_addr));
	elsewhere = x86_jcc_later(a, X86_NE);
	x86_op(a, X86_MOVZX8, false, RAX, JIT_MEMBER(res_size));
	x86_group(a, X86_G_CMP, false, x86_in(RAX), (int32_t)size_of(n));
	narrower = x86_jcc_later(a, X86_NE);
	jit_copy(l, n->b, RDX);
	x86_op(a, X86_MOV, true, RAX, JIT_MEMBER(res_value));
	x86_lock(a);
	x86_op(a, X86_CMPXCHG, n->bits == 64, RDX, x86_at(RCX, 0));
	x86_bind(a, elsewhere);
	x86_bind(a, narrower);
	x86_setcc(a, X86_NE, RAX);
	x86_op(a, X86_MOVZX8, false, RAX, x86_in(RAX));
	x86_store_const(a, true, JIT_MEMBER(res_addr), -1);
	return RAX;
}

static void write_slow(struct lowering *l, const struct jit_stub *s)
{
	x86_bind(&l->a, s->from);
	l->acc = HART_SLOTS;
	l->pending = false;
	jit_copy(l, s->node->b, RDX);
	jit_call_thunk(l, JIT_ATOMIC, s->site);
	if (s->reg != RAX)
		x86_op(&l->a, X86_MOV, true, s->reg, x86_in(RAX));
	x86_jmp(&l->a, s->to);
}

void jit_atomic_access(struct lowering *l, const struct ir_node *n)
{
	struct jit_stub *s = jit_new_stub(l, n, write_slow);
	bool extends = n->kind != IR_SC && n->bits == 32 && l->wide;
	enum x86_reg target, reg;

	s->site = jit_new_site(l, n);
	s->site->imm = n->kind;
	jit_free_acc(l);
	jit_address(l, n);
	s->from = locate(l, n);
	if (n->kind == IR_AMO)
		reg = modify(l, n);
	else
		reg = n->kind == IR_LR ? load_reserved(l, n) : store_conditional(l, n);
	target = n->d == BIS_DISCARD ? RAX : jit_target(l, n->d);
	if (n->d != BIS_DISCARD && (extends || target != reg))
		x86_op(&l->a, extends ? X86_MOVSXD : X86_MOV, true, target, x86_in(reg));
	s->reg = (uint8_t)target;
	s->to = x86_here(&l->a);
	jit_put(l, n->d, target);
}

/* The host itself keeps all orders but that of a load behind a store, for which any locked operation will do: that is
 * faster than MFENCE. */
void jit_fence(struct lowering *l, const struct ir_node *n)
{
	if (!n->op)
		return;
	x86_lock(&l->a);
	x86_group(&l->a, X86_G_OR, false, x86_at(RSP, 0), 0);
}
