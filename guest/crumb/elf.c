/* ELF files, as little of them as a static program needs (System V ABI, chapters 4 and 5). */
#include "elf.h"
#include "layout.h"
#include <riscv.h>

#define ELF_MAGIC      0x464c457fU
#define ELF_CLASS      (__riscv_xlen / 32) /* 1: 32 bits, 2: 64 bits */
#define ELF_EXECUTABLE 2
#define ELF_RISCV      243
#define SEGMENT_LOAD   1
#define SEGMENT_X      1
#define SEGMENT_W      2

struct elf_header {
	uint32_t magic;
	uint8_t class, data, version, abi, padding[8];
	uint16_t type, machine;
	uint32_t version2;
	uintptr_t entry, segments, sections;
	uint32_t flags;
	uint16_t header_size, segment_size, segment_count, section_size, section_count, names;
};

struct elf_segment {
	uint32_t type;
#if __riscv_xlen == 64
	uint32_t flags;
#endif
	uintptr_t offset, address, physical, file_size, memory_size;
#if __riscv_xlen == 32
	uint32_t flags;
#endif
	uintptr_t align;
};

static bool is_program(const struct elf_header *h)
{
	return h->magic == ELF_MAGIC && h->class == ELF_CLASS && h->type == ELF_EXECUTABLE && h->machine == ELF_RISCV &&
	       h->segment_size == sizeof(struct elf_segment);
}

/* Between USER_BASE and the stack? */
static bool segment_fits(const struct elf_segment *s)
{
	const uintptr_t end = USER_STACK_TOP - USER_STACK_PAGES * PAGE_SIZE;

	return s->file_size <= s->memory_size && s->address >= USER_BASE && s->address <= end &&
	       s->memory_size <= end - s->address;
}

/* A program's pages can always be read. What the file does not give is zero. */
static bool load_segment(struct space *space, const struct elf_file *file, const struct elf_segment *s)
{
	unsigned long permissions = PTE_R | (s->flags & SEGMENT_W ? PTE_W : 0) | (s->flags & SEGMENT_X ? PTE_X : 0);
	uintptr_t end = s->address + s->memory_size, file_end = s->address + s->file_size;

	for (uintptr_t at = s->address, next; at < end; at = next) {
		char *page = space_add_page(space, at, permissions);

		if (!page)
			return false;
		next = ROUND_DOWN(at, PAGE_SIZE) + PAGE_SIZE;
		if (at < file_end && !file->read(file, s->offset + (at - s->address), page + at % PAGE_SIZE,
						 (next < file_end ? next : file_end) - at))
			return false;
	}
	return true;
}

bool elf_load(struct space *space, const struct elf_file *file, uintptr_t *entry)
{
	struct elf_header header;
	struct elf_segment segment;

	if (!file->read(file, 0, &header, sizeof(header)) || !is_program(&header))
		return false;
	for (unsigned i = 0; i < header.segment_count; i++) {
		if (!file->read(file, header.segments + i * sizeof(segment), &segment, sizeof(segment)))
			return false;
		if (segment.type != SEGMENT_LOAD || segment.memory_size == 0)
			continue;
		if (!segment_fits(&segment) || !load_segment(space, file, &segment))
			return false;
	}
	*entry = header.entry;
	return true;
}
