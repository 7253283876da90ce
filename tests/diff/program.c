/*
 * program.c - an ELF header, two program headers and the bytes (System V ABI; RISC-V ELF psABI for e_machine and
 * e_flags).
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "layout.h"
#include "program.h"

enum { TEXT_OFFSET = 0x1000, FLAG_RVC = 1, FLAG_DOUBLE = 4 };

static size_t data_offset(const struct code *code)
{
	return (TEXT_OFFSET + code->len + 0xfff) & ~(size_t)0xfff;
}

static int write_headers64(FILE *f, const struct code *code, size_t data_len)
{
	Elf64_Ehdr eh = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_RISCV,
		.e_version = EV_CURRENT,
		.e_entry = TEXT,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	Elf64_Phdr ph[2] = {
		{PT_LOAD, PF_R | PF_W | PF_X, TEXT_OFFSET, TEXT, TEXT, code->len, code->len, 0x1000},
		{PT_LOAD, PF_R | PF_W, data_offset(code), DATA, DATA, data_len, data_len, 0x1000},
	};

	return fwrite(&eh, sizeof(eh), 1, f) == 1 && fwrite(ph, sizeof(ph), 1, f) == 1 ? 0 : -EIO;
}

static int write_headers32(FILE *f, const struct code *code, size_t data_len)
{
	Elf32_Ehdr eh = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_RISCV,
		.e_version = EV_CURRENT,
		.e_entry = TEXT,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 2,
	};
	Elf32_Word len = (Elf32_Word)code->len, dlen = (Elf32_Word)data_len;
	Elf32_Phdr ph[2] = {
		{PT_LOAD, TEXT_OFFSET, TEXT, TEXT, len, len, PF_R | PF_W | PF_X, 0x1000},
		{PT_LOAD, (Elf32_Off)data_offset(code), DATA, DATA, dlen, dlen, PF_R | PF_W, 0x1000},
	};

	return fwrite(&eh, sizeof(eh), 1, f) == 1 && fwrite(ph, sizeof(ph), 1, f) == 1 ? 0 : -EIO;
}

int program_write(const char *path, const struct isa *isa, const struct code *code, const uint8_t *data,
		  size_t data_len)
{
	FILE *f = fopen(path, "wb");
	int err;

	if (!f)
		return -errno;
	err = isa->xlen == 64 ? write_headers64(f, code, data_len) : write_headers32(f, code, data_len);
	if (!err && (fseek(f, TEXT_OFFSET, SEEK_SET) || fwrite(code->bytes, code->len, 1, f) != 1 ||
		     fseek(f, (long)data_offset(code), SEEK_SET) || fwrite(data, data_len, 1, f) != 1))
		err = -EIO;
	if (fclose(f) && !err)
		err = -EIO;
	return err;
}

void program_temporary(char path[PROGRAM_PATH])
{
	int fd;

	snprintf(path, PROGRAM_PATH, "/tmp/fuzz-diff-elf-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0) {
		perror("fuzz-diff: temporary file");
		exit(2);
	}
	close(fd);
}
