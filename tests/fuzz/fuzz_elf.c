/* Fuzz target: opening, listing and loading an ELF file or raw image. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include <biscuit/elf.h>
#include <biscuit/machine.h>

#include "src/loader/image_internal.h"
#include "tests/unit/elf_builder.h"

#define RAM_SIZE 0x10000

static void list(const uint8_t *data, size_t size)
{
	const struct bis_elf_symbol *symbols;
	struct bis_elf_code code;
	struct bis_elf *elf;
	uint64_t value, names = 0;
	size_t count;
	uint8_t first;

	if (bis_elf_open_bytes("input", data, size, &elf))
		return;
	if (!bis_elf_symbols(elf, &symbols, &count))
		for (size_t i = 0; i < count; i++)
			names += strlen(symbols[i].name);
	for (size_t i = 0; !bis_elf_code_get(elf, i, &code); i++)
		if (!bis_elf_read(elf, code.offset + code.size - 1, &first, 1))
			names += strlen(code.name) + first;
	if (bis_elf_symbol_value(elf, "tohost", &value) && names == 1)
		abort(); /* never: it uses what was read */
	bis_elf_close(elf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bis_memory *mem;
	struct bis_source s;
	struct bis_image img;

	list(data, size);
	if (bis_memory_create(&mem))
		abort();
	if (bis_memory_add_ram(mem, "ram", (bis_gpa){BIS_RAM_BASE}, RAM_SIZE))
		abort();
	for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
		if (bis_source_from_bytes(&s, "input", data, size))
			abort();
		if (!bis_image_load(mem, xlen, &s, BIS_RAM_BASE, &img) && (img.start >= img.end || img.entry & 1))
			abort();
	}
	bis_memory_destroy(mem);
	return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	static const char names[] = "\0tohost\0main\0.text";
	struct elf_builder e;
	bool wide = index & 1;

	if (index >= 4 || max < BUILDER_SIZE)
		return 0;
	elf_begin(&e, wide);
	elf_set_segment(&e, 0, BIS_RAM_BASE, BUILDER_CODE, 0x80, 0x100);
	elf_set_segment(&e, 1, BIS_RAM_BASE + 0x1000, BUILDER_CODE, 0x100, 0x100);
	elf_set_entry(&e, BIS_RAM_BASE);
	if (index >= 2) {
		memcpy(e.b + BUILDER_NAMES, names, sizeof(names));
		elf_set_section(&e, 0, 0, 0, 0, 0, 0, 0, 0);
		elf_set_section(&e, 1, 13, 1, 6, BIS_RAM_BASE, BUILDER_CODE, 0x40, 0);
		elf_set_section(&e, 2, 0, 2, 0, 0, BUILDER_SYMBOLS, wide ? 72 : 48, 3);
		elf_set_section(&e, 3, 0, 3, 0, 0, BUILDER_NAMES, sizeof(names), 0);
		elf_put(&e, elf_tail(&e) + 8, 2, 3);
		elf_set_symbol(&e, 1, 1, BIS_RAM_BASE + 0x40, 1);
		elf_set_symbol(&e, 2, 8, BIS_RAM_BASE, 2);
	}
	memcpy(buf, e.b, BUILDER_SIZE);
	return BUILDER_SIZE;
}
