/*
 * ELF files for gdb: System V ABI, chapters 4 and 5 (object files); DWARF 4, section 6.4 (call frame information), with
 * register numbers of the x86-64 supplement. Pure functions.
 */
#include "src/engine/jit/gdb_image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "src/engine/jit/asm.h"

/* --- Call frames --- */

enum {
	CFA_NOP = 0x00,
	CFA_ADVANCE = 0x40, /* + bytes */
	CFA_ADVANCE4 = 0x04,
	CFA_OFFSET = 0x80, /* + register */
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	OP_ADDR = 0x03,
	OP_DEREF = 0x06,
	OP_PLUS_UCONST = 0x23,
	REG_RSP = 7,
	REG_RETURN = 16,
	CIE_ID = -1,
	WORD = 8
};

static uint8_t dwarf_reg(unsigned reg)
{
	static const uint8_t low[] = {0, 2, 1, 3, 7, 6, 4, 5};

	return reg < sizeof(low) ? low[reg] : (uint8_t)reg;
}

static void put(struct jit_frames *f, const void *bytes, size_t len)
{
	if (len > sizeof(f->bytes) - f->len)
		abort(); /* JIT_FRAMES_MAX is too small */
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static void put8(struct jit_frames *f, unsigned v)
{
	uint8_t byte = (uint8_t)v;

	put(f, &byte, 1);
}

static void put32(struct jit_frames *f, uint32_t v)
{
	put(f, &v, sizeof(v));
}

static void put64(struct jit_frames *f, uint64_t v)
{
	put(f, &v, sizeof(v));
}

/* A register lies `words` words below the frame's address. */
static void put_saved(struct jit_frames *f, unsigned dwarf, size_t words)
{
	put8(f, CFA_OFFSET | dwarf);
	put8(f, (unsigned)words);
}

/* Entries begin with their length, which is made whole words. */
static size_t begin_entry(struct jit_frames *f)
{
	put32(f, 0);
	return f->len;
}

static void end_entry(struct jit_frames *f, size_t from)
{
	uint32_t len;

	while (f->len % WORD)
		put8(f, CFA_NOP);
	len = (uint32_t)(f->len - from);
	memcpy(f->bytes + from - sizeof(len), &len, sizeof(len));
}

static size_t begin_cie(struct jit_frames *f)
{
	size_t from = begin_entry(f);

	put32(f, (uint32_t)CIE_ID);
	put8(f, 1);	      /* version */
	put8(f, 0);	      /* no augmentation */
	put8(f, 1);	      /* code in bytes */
	put8(f, 0x80 - WORD); /* data in words, downwards */
	put8(f, REG_RETURN);
	return from;
}

void jit_frames_begin(struct jit_frames *f, const void *anchor, const uint8_t *saved, size_t n_saved)
{
	size_t from;

	f->len = 0;
	from = begin_cie(f); /* by RSP, at 0 */
	put8(f, CFA_DEF_CFA);
	put8(f, REG_RSP);
	put8(f, WORD);
	put_saved(f, REG_RETURN, 1);
	end_entry(f, from);
	f->anchored = (uint32_t)f->len;
	from = begin_cie(f);
	put8(f, CFA_DEF_CFA_EXPRESSION);
	put8(f, 1 + WORD + 1 + 1 + 1);
	put8(f, OP_ADDR);
	put64(f, (uintptr_t)anchor);
	put8(f, OP_DEREF);
	put8(f, OP_PLUS_UCONST);
	put8(f, (unsigned)(n_saved + 1) * WORD);
	put_saved(f, REG_RETURN, 1);
	for (size_t i = 0; i < n_saved; i++)
		put_saved(f, dwarf_reg(saved[i]), i + 2);
	end_entry(f, from);
}

static size_t begin_fde(struct jit_frames *f, uint32_t cie, const uint8_t *start, const uint8_t *end)
{
	size_t from = begin_entry(f);

	put32(f, cie);
	put64(f, (uintptr_t)start);
	put64(f, (uint64_t)(end - start));
	return from;
}

void jit_frames_anchored(struct jit_frames *f, const uint8_t *start, const uint8_t *end)
{
	end_entry(f, begin_fde(f, f->anchored, start, end));
}

void jit_frames_by_stack(struct jit_frames *f, const uint8_t *start, const uint8_t *end, const uint8_t *behind,
			 unsigned less)
{
	size_t from = begin_fde(f, 0, start, end);

	if (less) {
		put8(f, CFA_ADVANCE4);
		put32(f, (uint32_t)(behind - start));
		put8(f, CFA_DEF_CFA_OFFSET);
		put8(f, WORD + less);
	}
	end_entry(f, from);
}

void jit_frames_pushing(struct jit_frames *f, const uint8_t *start, const uint8_t *end, const uint8_t *saved,
			size_t n_saved)
{
	size_t from = begin_fde(f, 0, start, end);

	for (size_t i = 0; i < n_saved; i++) {
		put8(f, CFA_ADVANCE | (saved[i] >= R8 ? 2 : 1));
		put8(f, CFA_DEF_CFA_OFFSET);
		put8(f, (unsigned)(i + 2) * WORD);
		put_saved(f, dwarf_reg(saved[i]), i + 2);
	}
	end_entry(f, from);
}

/* --- The file --- */

enum { NONE, TEXT, FRAMES, SYMBOLS, NAMES, SECTIONS };

struct image {
	Elf64_Ehdr head;
	Elf64_Shdr section[SECTIONS];
	char names[48]; /* of sections; names of symbols follow */
};

/* Where the parts that have bytes lie. */
static size_t lay_out(struct image *e, size_t frames, size_t n)
{
	size_t names = sizeof(e->names) + n * JIT_SYMBOL_NAME;
	Elf64_Shdr *s = e->section;

	s[NAMES].sh_offset = offsetof(struct image, names);
	s[NAMES].sh_size = names;
	s[FRAMES].sh_offset = (s[NAMES].sh_offset + names + WORD - 1) & ~(size_t)(WORD - 1);
	s[FRAMES].sh_size = frames;
	s[SYMBOLS].sh_offset = s[FRAMES].sh_offset + frames;
	s[SYMBOLS].sh_size = (n + 1) * sizeof(Elf64_Sym);
	return s[SYMBOLS].sh_offset + s[SYMBOLS].sh_size;
}

static void name_sections(struct image *e)
{
	static const char *const names[SECTIONS] = {"", ".text", ".debug_frame", ".symtab", ".strtab"};
	size_t at = 0;

	for (unsigned i = 0; i < SECTIONS; i++) {
		e->section[i].sh_name = (Elf64_Word)at;
		memcpy(e->names + at, names[i], strlen(names[i]) + 1);
		at += strlen(names[i]) + 1;
	}
}

static void describe(struct image *e, uint64_t start, uint64_t end)
{
	Elf64_Shdr *s = e->section;

	memcpy(e->head.e_ident, ELFMAG, SELFMAG);
	e->head.e_ident[EI_CLASS] = ELFCLASS64;
	e->head.e_ident[EI_DATA] = ELFDATA2LSB;
	e->head.e_ident[EI_VERSION] = EV_CURRENT;
	e->head.e_type = ET_EXEC;
	e->head.e_machine = EM_X86_64;
	e->head.e_version = EV_CURRENT;
	e->head.e_ehsize = sizeof(e->head);
	e->head.e_shoff = offsetof(struct image, section);
	e->head.e_shentsize = sizeof(Elf64_Shdr);
	e->head.e_shnum = SECTIONS;
	e->head.e_shstrndx = NAMES;
	name_sections(e);
	s[TEXT].sh_type = SHT_NOBITS;
	s[TEXT].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	s[TEXT].sh_addr = start;
	s[TEXT].sh_size = end - start;
	s[TEXT].sh_addralign = 1;
	s[FRAMES].sh_type = SHT_PROGBITS;
	s[FRAMES].sh_addralign = WORD;
	s[SYMBOLS].sh_type = SHT_SYMTAB;
	s[SYMBOLS].sh_link = NAMES;
	s[SYMBOLS].sh_info = 1; /* the first global one */
	s[SYMBOLS].sh_entsize = sizeof(Elf64_Sym);
	s[SYMBOLS].sh_addralign = WORD;
	s[NAMES].sh_type = SHT_STRTAB;
	s[NAMES].sh_addralign = 1;
}

uint8_t *jit_image_create(const struct jit_symbol *symbols, size_t n, const struct jit_frames *frames, size_t *size)
{
	struct image e = {0};
	size_t whole = lay_out(&e, frames ? frames->len : 0, n);
	uint8_t *file = calloc(1, whole);

	if (!file)
		return NULL;
	describe(&e, symbols[0].start, symbols[n - 1].end);
	memcpy(file, &e, sizeof(e));
	if (frames)
		memcpy(file + e.section[FRAMES].sh_offset, frames->bytes, frames->len);
	for (size_t i = 0; i < n; i++) {
		Elf64_Sym sym = {.st_name = (Elf64_Word)(sizeof(e.names) + i * JIT_SYMBOL_NAME),
				 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				 .st_shndx = TEXT,
				 .st_value = symbols[i].start,
				 .st_size = symbols[i].end - symbols[i].start};

		memcpy(file + offsetof(struct image, names) + sym.st_name, symbols[i].name, JIT_SYMBOL_NAME);
		memcpy(file + e.section[SYMBOLS].sh_offset + (i + 1) * sizeof(sym), &sym, sizeof(sym));
	}
	*size = whole;
	return file;
}
