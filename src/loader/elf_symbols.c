/*
 * ELF files: sections and symbols (System V ABI, chapters "Sections", "String Table" and "Symbol Table"). Tables that
 * do not lie inside the file make the file invalid; a single symbol whose name does not is left out. Runs on the thread
 * that opened the file, which owns the result.
 */
#include "elf_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#define STRINGS_MAX ((uint64_t)64 << 20)
#define SYMTAB_MAX  ((uint64_t)256 << 20)
#define CHUNK	    512 /* symbols read at once */

/* Reads a string table that lies inside the file; a NUL is added behind it. */
static int read_strings(const struct bis_elf *elf, uint64_t offset, uint64_t size, char **out)
{
	const char *name = elf->source.name;
	char *s;
	int err;

	if (size > STRINGS_MAX)
		return bis_fail(ENOEXEC, "%s: string table of %" PRIu64 " bytes, expected at most %" PRIu64, name, size,
				STRINGS_MAX);
	s = malloc((size_t)size + 1);
	if (!s)
		return bis_fail(ENOMEM, "%s: out of memory for a string table of %" PRIu64 " bytes", name, size);
	err = bis_source_read(&elf->source, offset, s, (size_t)size);
	if (err) {
		free(s);
		return err;
	}
	s[size] = '\0';
	*out = s;
	return 0;
}

static int read_section(const struct bis_elf *elf, const struct bis_elf_section_table *t, unsigned index,
			struct bis_elf_section *out)
{
	uint8_t b[64];
	int err = bis_source_read(&elf->source, t->offset + (uint64_t)index * t->entry_size, b, elf->wide ? 64 : 40);

	if (err)
		return err;
	*out = (struct bis_elf_section){
		.name = (uint32_t)bis_elf_number(b, 4),
		.type = (uint32_t)bis_elf_number(b + 4, 4),
		.link = (uint32_t)bis_elf_number(b + (elf->wide ? 40 : 24), 4),
		.flags = bis_elf_word(elf, b, 8, 8),
		.addr = bis_elf_word(elf, b, 12, 16),
		.offset = bis_elf_word(elf, b, 16, 24),
		.size = bis_elf_word(elf, b, 20, 32),
	};
	if (out->type != ELF_SHT_NOBITS && out->type != 0 && !bis_source_has(&elf->source, out->offset, out->size))
		return bis_fail(ENOEXEC,
				"%s: truncated: section %u lies at 0x%" PRIx64 "+0x%" PRIx64 " of a file of 0x%" PRIx64
				" bytes",
				elf->source.name, index, out->offset, out->size, elf->source.size);
	return 0;
}

static int use_symtab(struct bis_elf *elf, const struct bis_elf_section_table *t, const struct bis_elf_section *s)
{
	struct bis_elf_section names;
	int err;

	if (s->link >= t->count)
		return bis_fail(ENOEXEC, "%s: the symbol table names section %u as its strings, expected below %u",
				elf->source.name, s->link, t->count);
	err = read_section(elf, t, s->link, &names);
	if (err)
		return err;
	if (names.type != ELF_SHT_STRTAB)
		return bis_fail(ENOEXEC, "%s: the symbol table's strings are in a section of type %u, expected %u",
				elf->source.name, names.type, ELF_SHT_STRTAB);
	elf->symtab = (struct bis_elf_symtab){s->offset, s->size, names.offset, names.size};
	return 0;
}

/* Takes the names of the code sections; those that have no valid one are called "code". */
static int name_code(struct bis_elf *elf, const struct bis_elf_section_table *t, const uint32_t *offsets)
{
	struct bis_elf_section names;
	int err;

	for (size_t i = 0; i < elf->code_count; i++)
		elf->code[i].name = "code";
	if (!t->names_index || t->names_index >= t->count)
		return 0;
	err = read_section(elf, t, t->names_index, &names);
	if (err || names.type != ELF_SHT_STRTAB)
		return err;
	err = read_strings(elf, names.offset, names.size, &elf->section_names);
	if (err)
		return err;
	for (size_t i = 0; i < elf->code_count; i++)
		if (offsets[i] < names.size && elf->section_names[offsets[i]])
			elf->code[i].name = elf->section_names + offsets[i];
	return 0;
}

static int scan_sections(struct bis_elf *elf, const struct bis_elf_section_table *t, uint32_t *names)
{
	for (unsigned i = 0; i < t->count; i++) {
		struct bis_elf_section s;
		int err = read_section(elf, t, i, &s);

		if (err)
			return err;
		if (s.type == ELF_SHT_SYMTAB && !elf->symtab.size)
			err = use_symtab(elf, t, &s);
		if (err)
			return err;
		if (s.type == 0 || s.type == ELF_SHT_NOBITS || !(s.flags & ELF_SHF_EXECINSTR) || !s.size)
			continue;
		names[elf->code_count] = s.name;
		elf->code[elf->code_count++] =
			(struct bis_elf_code){.vaddr = s.addr, .offset = s.offset, .size = s.size};
	}
	return name_code(elf, t, names);
}

int bis_elf_read_sections(struct bis_elf *elf, const struct bis_elf_section_table *t)
{
	unsigned need = elf->wide ? 64 : 40;
	uint32_t *names;
	int err;

	if (!t->offset || !t->count)
		return 0;
	if (t->entry_size < need)
		return bis_fail(ENOEXEC, "%s: section headers of %u bytes, expected at least %u", elf->source.name,
				t->entry_size, need);
	if (!bis_source_has(&elf->source, t->offset, (uint64_t)t->count * t->entry_size))
		return bis_fail(ENOEXEC,
				"%s: truncated: %u section headers at 0x%" PRIx64 " of a file of 0x%" PRIx64 " bytes",
				elf->source.name, t->count, t->offset, elf->source.size);
	elf->sections = *t;
	elf->code = calloc(t->count, sizeof(*elf->code));
	names = calloc(t->count, sizeof(*names));
	if (elf->code && names)
		err = scan_sections(elf, t, names);
	else
		err = bis_fail(ENOMEM, "%s: out of memory for %u section headers", elf->source.name, t->count);
	free(names);
	if (!elf->code_count) {
		free(elf->code);
		elf->code = NULL;
	}
	return err;
}

static bool has_contents(const struct bis_elf_section *s)
{
	return s->type != 0 && s->type != ELF_SHT_NOBITS && !(s->flags & ELF_SHF_COMPRESSED);
}

/* Finds the section by a name in `strings`, of `size` bytes. */
static int find_section(const struct bis_elf *elf, const char *strings, uint64_t size, const char *name,
			struct bis_elf_section *out)
{
	for (unsigned i = 0; i < elf->sections.count; i++) {
		int err = read_section(elf, &elf->sections, i, out);

		if (err)
			return err;
		if (out->name < size && !strcmp(strings + out->name, name) && has_contents(out))
			return 0;
	}
	return bis_fail(ENOENT, "%s: has no section '%s'", elf->source.name, name);
}

int bis_elf_section_get(const struct bis_elf *elf, const char *name, uint64_t *offset, uint64_t *size, uint64_t *vaddr)
{
	const struct bis_elf_section_table *t = &elf->sections;
	struct bis_elf_section names, found;
	char *strings;
	int err;

	if (!t->names_index || t->names_index >= t->count)
		return bis_fail(ENOENT, "%s: has no section '%s'", elf->source.name, name);
	err = read_section(elf, t, t->names_index, &names);
	if (!err && names.type != ELF_SHT_STRTAB)
		err = bis_fail(ENOENT, "%s: has no names of sections", elf->source.name);
	if (!err)
		err = read_strings(elf, names.offset, names.size, &strings);
	if (err)
		return err;
	err = find_section(elf, strings, names.size, name, &found);
	free(strings);
	if (err)
		return err;
	*offset = found.offset;
	*size = found.size;
	*vaddr = found.addr;
	return 0;
}

/* --- Symbols --- */

static int need_names(struct bis_elf *elf)
{
	const struct bis_elf_symtab *t = &elf->symtab;

	if (elf->symbol_names || !t->size)
		return 0;
	if (t->size > SYMTAB_MAX)
		return bis_fail(ENOEXEC, "%s: symbol table of %" PRIu64 " bytes, expected at most %" PRIu64,
				elf->source.name, t->size, SYMTAB_MAX);
	return read_strings(elf, t->names_offset, t->names_size, &elf->symbol_names);
}

/* Called for each named symbol of code or data; a non-zero return ends the walk. */
typedef int (*symbol_fn)(void *arg, const struct bis_elf_symbol *s);

static bool decode_symbol(const struct bis_elf *elf, const uint8_t *b, struct bis_elf_symbol *out)
{
	uint64_t name = bis_elf_number(b, 4);
	unsigned type = b[elf->wide ? 4 : 12] & 0xf;
	uint64_t section = bis_elf_number(b + (elf->wide ? 6 : 14), 2);

	if (!section || type == ELF_STT_SECTION || type == ELF_STT_FILE)
		return false;
	if (name >= elf->symtab.names_size || !elf->symbol_names[name])
		return false;
	*out = (struct bis_elf_symbol){
		.name = elf->symbol_names + name,
		.value = bis_elf_word(elf, b, 4, 8),
		.size = bis_elf_word(elf, b, 8, 16),
		.absolute = section == ELF_SHN_ABS,
	};
	return true;
}

static int walk_symbols(struct bis_elf *elf, symbol_fn each, void *arg)
{
	size_t unit = elf->wide ? 24 : 16;
	uint64_t count = elf->symtab.size / unit;
	uint8_t chunk[CHUNK * 24];
	int ret = need_names(elf);

	for (uint64_t i = 0; !ret && i < count; i += CHUNK) {
		size_t n = (size_t)(count - i < CHUNK ? count - i : CHUNK);

		ret = bis_source_read(&elf->source, elf->symtab.offset + i * unit, chunk, n * unit);
		for (size_t k = 0; !ret && k < n; k++) {
			struct bis_elf_symbol s;

			if (decode_symbol(elf, chunk + k * unit, &s))
				ret = each(arg, &s);
		}
	}
	return ret;
}

struct wanted {
	const char *name;
	uint64_t value;
};

static int match_symbol(void *arg, const struct bis_elf_symbol *s)
{
	struct wanted *w = arg;

	if (strcmp(s->name, w->name))
		return 0;
	w->value = s->value;
	return 1;
}

int bis_elf_symbol_value(struct bis_elf *elf, const char *name, uint64_t *value)
{
	struct wanted w = {.name = name};
	int ret = need_names(elf);

	/* A name that is nowhere in the strings saves the walk. */
	if (!ret && elf->symbol_names &&
	    memmem(elf->symbol_names, (size_t)elf->symtab.names_size + 1, name, strlen(name) + 1))
		ret = walk_symbols(elf, match_symbol, &w);
	if (ret < 0)
		return ret;
	if (!ret)
		return bis_fail(ENOENT, "%s: has no symbol '%s'", elf->source.name, name);
	*value = w.value;
	return 0;
}

static int collect_symbol(void *arg, const struct bis_elf_symbol *s)
{
	struct bis_elf *elf = arg;

	elf->symbols[elf->symbol_count++] = *s;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const struct bis_elf_symbol *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return strcmp(x->name, y->name);
}

int bis_elf_symbols(struct bis_elf *elf, const struct bis_elf_symbol **symbols, size_t *count)
{
	uint64_t max = elf->symtab.size / (elf->wide ? 24 : 16);
	int err = need_names(elf);

	if (err)
		return err;
	if (!elf->symbols_read && max) {
		elf->symbols = calloc((size_t)max, sizeof(*elf->symbols));
		if (!elf->symbols)
			return bis_fail(ENOMEM, "%s: out of memory for %" PRIu64 " symbols", elf->source.name, max);
		err = walk_symbols(elf, collect_symbol, elf);
		if (err) {
			free(elf->symbols);
			elf->symbols = NULL;
			elf->symbol_count = 0;
			return err;
		}
		qsort(elf->symbols, elf->symbol_count, sizeof(*elf->symbols), by_value);
	}
	elf->symbols_read = true;
	*symbols = elf->symbols;
	*count = elf->symbol_count;
	return 0;
}
