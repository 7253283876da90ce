/* Checks of register-only instructions by tables of operands and results. */
#ifndef GUEST_TABLES_H
#define GUEST_TABLES_H

#include "guest.h"

struct row_rr {
	ulong a, b, want;
};

struct row_r {
	ulong a, want;
};

/* `insn rd, rs1, rs2` on each row { rs1, rs2, rd }. */
#define CHECK_RR(insn, ...)                                                                                            \
	do {                                                                                                           \
		static const struct row_rr rows_[] = {__VA_ARGS__};                                                    \
		for (ulong i_ = 0; i_ < ARRAY_SIZE(rows_); i_++) {                                                     \
			ulong got_;                                                                                    \
			__asm__ volatile(insn " %0, %1, %2" : "=r"(got_) : "r"(rows_[i_].a), "r"(rows_[i_].b));        \
			check_row(insn, i_, got_, rows_[i_].want);                                                     \
		}                                                                                                      \
	} while (0)

/* `insn rd, rs1` on each row { rs1, rd }. */
#define CHECK_R(insn, ...)                                                                                             \
	do {                                                                                                           \
		static const struct row_r rows_[] = {__VA_ARGS__};                                                     \
		for (ulong i_ = 0; i_ < ARRAY_SIZE(rows_); i_++) {                                                     \
			ulong got_;                                                                                    \
			__asm__ volatile(insn " %0, %1" : "=r"(got_) : "r"(rows_[i_].a));                              \
			check_row(insn, i_, got_, rows_[i_].want);                                                     \
		}                                                                                                      \
	} while (0)

/* `insn rd, rs1, imm`. */
#define CHECK_I(insn, a, imm, want)                                                                                    \
	do {                                                                                                           \
		ulong got_;                                                                                            \
		__asm__ volatile(insn " %0, %1, %2" : "=r"(got_) : "r"((ulong)(a)), "i"(imm));                         \
		check(insn " with " #a ", " #imm, got_, (ulong)(want));                                                \
	} while (0)

#endif
